import KistCore
import KistFormat

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
