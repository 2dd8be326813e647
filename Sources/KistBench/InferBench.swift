import CKernels
import Foundation
import KistConversion
import KistCore
import KistInference
import KistQuantization

/// The forward pass of a 246M-parameter Llama: 512 tokens at once against transformers, and one at a time against memory.
func inferBench(_ options: BenchOptions) throws {
  print("\nForward pass of a 246M-parameter Llama (\(options.threads) threads)")
  try withTemporaryFolder(in: options.folder) { folder in
    for type in ["bf16", "f32"] {
      guard
        runScript(
          "../../../Fixtures/make/bench_llama.py", [folder + "/" + type, "--type", type, "--no-tokenizer"], options)
      else { return }
    }
    row("512 tokens at once, f32 arithmetic", "tokens/s", "against")
    let peer = runPeer("infer_peer.py", [folder + "/bf16", "\(options.threads)", "\(options.runs)"], options)
    let raw = try prefillRate(folder + "/bf16", options)
    row("Kist, bf16 weights", rate(raw), peer?["f32"].map { times(raw / $0) } ?? "")
    if let peer, let f32 = peer["f32"], let bf16 = peer["bf16"] {
      row("transformers, f32", rate(f32), "")
      row("transformers, bf16 arithmetic", rate(bf16), "")
    }
    let packed = folder + "/packed.kist"
    _ = try Conversion.plan(
      source: folder + "/bf16", target: packed, options: ConversionOptions(probes: .none)
    ).run(progress: NoProgress())
    let unpacking = try prefillRate(packed, options, memory: 0)
    row("Kist, packed, unpacked each time", rate(unpacking), times(unpacking / raw))
    try decoding(folder, packed, options)
  }
}

private func rate(_ tokensPerSecond: Double) -> String { String(format: "%.1f", tokensPerSecond) }

/// Tokens a second of a text that is taken at once, logits of all positions included.
private func prefillRate(_ path: String, _ options: BenchOptions, memory: Int = MemoryBudget.usualByteCount) throws
  -> Double
{
  let model = try LoadedModel.open(path: path, memory: MemoryBudget(byteCount: memory))
  let tokens = Array(5..<517)
  let seconds = try best(of: options.runs) {
    let session = try Session(model.weights, parallelism: Parallelism(threads: options.threads))
    _ = try session.logits(session.advance(tokens))
  }
  return Double(tokens.count) / seconds
}

private func decoding(_ folder: String, _ packed: String, _ options: BenchOptions) throws {
  row("one token at a time", "tokens/s", "weights", "of memory's pace")
  let pace = memoryPace(options)
  row("reading memory", "", gigabytesPerSecond(Int(pace), 1), "")
  for (name, path) in [("bf16", folder + "/bf16"), ("f32", folder + "/f32"), ("bf16, packed and kept", packed)] {
    let model = try LoadedModel.open(path: path, memory: MemoryBudget(byteCount: 4 << 30))
    let bytes = model.checkpoint.tensors.filter { !isEmbedding($0.name) }.reduce(0) { $0 + $1.byteCount }
    try decodingRow(name, model.weights, byteCount: bytes, pace, options)
  }
  let model = try LoadedModel.open(path: folder + "/bf16")
  let tensors = try model.checkpoint.tensors.map { try quantized($0) }
  let bytes = tensors.filter { !isEmbedding($0.name) }.reduce(0) { $0 + $1.source.byteCount }
  let weights = try WeightTable(
    model.model, tensors, file: model.path, memory: MemoryBudget(byteCount: 4 << 30))
  try decodingRow("Q8_0", weights, byteCount: bytes, pace, options)
}

/// Every weight but the embedding's is read for each token.
private func isEmbedding(_ name: String) -> Bool { name.contains("embed_tokens") }

private func decodingRow(
  _ name: String, _ weights: WeightTable, byteCount: Int, _ pace: Double, _ options: BenchOptions
) throws {
  let session = try Session(weights, parallelism: Parallelism(threads: options.threads))
  _ = try session.logits(session.advance([1, 2, 3]))
  let count = 16
  let seconds = try best(of: options.runs) {
    for token in 0..<count { _ = try session.logits(session.advance([token])) }
  }
  let bytesPerSecond = Double(count) / seconds * Double(byteCount)
  row(name, rate(Double(count) / seconds), gigabytesPerSecond(Int(bytesPerSecond), 1), ratio(bytesPerSecond / pace))
}

/// A tensor as Q8_0 in memory, where it is a matrix.
private func quantized(_ tensor: CheckpointTensor) throws -> WeightTensor {
  var result = WeightTensor(name: tensor.name, dtype: tensor.dtype, shape: tensor.shape, source: tensor.source)
  guard let dtype = tensor.dtype, let decoder = RowDecoder(dtype), let codec = BlockCodec(.q8_0),
    tensor.shape.dimensions.count == 2
  else { return result }
  let (rows, columns) = (tensor.shape.dimensions[0], tensor.shape.dimensions[1])
  let size = decoder.byteCount(of: columns)
  let blockBytes = columns / 32 * 34
  var blocks = [UInt8](repeating: 0, count: rows * blockBytes)
  var numbers = [Float](repeating: 0, count: columns)
  for row in 0..<rows {
    try unsafe tensor.source.withBytes(row * size..<(row + 1) * size) { bytes throws(KistError) in
      unsafe numbers.withUnsafeMutableBufferPointer { numbers in
        unsafe blocks.withUnsafeMutableBytes { blocks in
          guard let source = bytes.baseAddress, let values = numbers.baseAddress else { return }
          unsafe decoder.decode(source, count: columns, into: values)
          guard let base = blocks.baseAddress else { return }
          unsafe codec.quantize(values, rows: 1, columns: columns, into: base + row * blockBytes)
        }
      }
    }
  }
  result.dtype = .q8_0
  result.source = MemorySource(blocks)
  return result
}

/// Bytes a second at which all threads together read memory that no cache holds.
private func memoryPace(_ options: BenchOptions) -> Double {
  let count = 1 << 27
  let numbers = [Float](repeating: 1, count: count)
  let part = count / options.threads
  let seconds = best(of: options.runs) {
    DispatchQueue.concurrentPerform(iterations: options.threads) { index in
      unsafe numbers.withUnsafeBufferPointer { buffer in
        guard let base = buffer.baseAddress else { return }
        // A row at a time, with a vector that stays in the cache.
        for start in stride(from: index * part, to: (index + 1) * part, by: 4096) {
          unsafe blackHole(kist_dot(base + start, base, 4096))
        }
      }
    }
  }
  return Double(4 * count) / seconds
}

@inline(never) private func blackHole(_ value: Float) { _ = value }
