import KistCheckpoints
import KistCore
import KistFormat
import KistInference

/// Logits that someone recorded: a safetensors file with `tokens`, i64 [n], and `logits`, f32 [n, vocabulary].
public struct LogitFile: Sendable {
  public let path: String
  public let tokens: [Int]
  /// [tokens, vocabulary].
  public let logits: [Float]
  public let vocabularySize: Int
  /// Who computed them, when the file's metadata says: `reference`.
  public let reference: String?

  /// - Throws: `damaged` when a tensor is missing or of another kind.
  public init(path: String) throws(KistError) {
    self.path = path
    let file = try SafetensorsFile(path: path)
    func tensor(_ name: String, _ dtype: DType, rank: Int) throws(KistError) -> SafetensorsHeader.Tensor {
      guard let tensor = file.header.tensors.first(where: { $0.name.utf8.elementsEqual(name.utf8) }),
        tensor.dtype == dtype, tensor.shape.rank == rank
      else {
        throw KistError(
          .damaged, file: path, field: "tensor '\(name)'", "is missing, or not \(dtype) of \(rank) dimensions",
          advice: "recorded logits are tokens, I64 [n], and logits, F32 [n, vocabulary]")
      }
      return tensor
    }
    let tokens = try tensor("tokens", .i64, rank: 1)
    let logits = try tensor("logits", .f32, rank: 2)
    guard tokens.shape[0] == logits.shape[0], tokens.shape[0] > 0, logits.shape[1] > 0 else {
      throw KistError(
        .damaged, file: path, field: "tensor 'logits'",
        "has \(logits.shape[0]) rows for \(tokens.shape[0]) tokens")
    }
    self.tokens = unsafe file.mapped.pointer(tokens.range).numbers(Int64.self).map { Int(truncatingIfNeeded: $0) }
    self.logits = unsafe file.mapped.pointer(logits.range).numbers(UInt32.self).map { Float(bitPattern: $0) }
    vocabularySize = logits.shape[1]
    reference = file.header.metadata.first { $0.key.utf8.elementsEqual("reference".utf8) }?.value
    try file.mapped.checkIntact()
  }
}

extension UnsafeRawBufferPointer {
  /// Little-endian numbers, at any address.
  func numbers<Number: FixedWidthInteger & BitwiseCopyable>(_ type: Number.Type) -> [Number] {
    let size = MemoryLayout<Number>.size
    return (0..<count / size).map { unsafe Number(littleEndian: loadUnaligned(fromByteOffset: $0 * size, as: type)) }
  }
}
