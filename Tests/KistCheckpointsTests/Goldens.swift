import Foundation
import KistCheckpoints
import KistCore
import TestSupport

/// A tensor as a reader gave it, or as the safetensors library wrote it.
struct PlainTensor: Equatable {
  var dtype: DType
  var shape: Shape
  var bytes: [UInt8]

  init(dtype: DType, shape: Shape, source: any ByteSource) throws {
    (self.dtype, self.shape) = (dtype, shape)
    bytes = try allBytes(of: source)
  }

  /// All tensors of a safetensors file, by the bytes of their names.
  static func all(ofSafetensors path: String) throws -> [[UInt8]: PlainTensor] {
    let file = try SafetensorsFile(path: path)
    let content = try readFile(path)
    return try Dictionary(
      uniqueKeysWithValues: file.header.tensors.map { tensor in
        (
          Array(tensor.name.utf8),
          try PlainTensor(
            dtype: tensor.dtype, shape: tensor.shape, source: MemorySource(Array(content[tensor.range])))
        )
      })
  }
}

/// All bytes of a source; read again in pieces of a length that no element has, and compared.
func allBytes(of source: any ByteSource) throws -> [UInt8] {
  var bytes: [UInt8] = []
  try unsafe source.withBytes(0..<source.byteCount) { unsafe bytes.append(contentsOf: $0) }
  var pieces: [UInt8] = []
  for start in stride(from: 0, to: source.byteCount, by: 13) {
    let range = start..<min(start + 13, source.byteCount)
    try unsafe source.withBytes(range) { unsafe pieces.append(contentsOf: $0) }
    source.release(range)
  }
  guard pieces == bytes else { throw KistError(.damaged, "pieces are not the whole") }
  return bytes
}

/// Files of a folder of fixtures with a suffix, without it.
func fixtures(_ folder: String, _ suffix: String) -> [String] {
  let names = (try? FileManager.default.contentsOfDirectory(atPath: "\(repository)/Fixtures/\(folder)")) ?? []
  return names.filter { $0.hasSuffix(suffix) }.map { String($0.dropLast(suffix.count)) }.sorted()
}
