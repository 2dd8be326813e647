import Foundation
import KistCheckpoints
import KistConversion
import KistCore
import KistFormat

/// Opening a file and listing name, dtype and shape of every tensor.
func openBench(_ options: BenchOptions) throws {
  print("\nOpening and listing (one thread, best of \(options.runs * 10), file in the page cache)")
  try withTemporaryFolder(in: options.folder) { folder in
    for count in [1000, 100_000] {
      let kist = folder + "/\(count).kist"
      let safetensors = folder + "/\(count).safetensors"
      let writer = try KistWriter(creating: kist)
      try writer.add(
        (0..<count).map { number in
          .tensor(
            "model.layers.\(number).self_attn.q_proj.weight", dtype: .f32, shape: [16, 2],
            source: MemorySource([UInt8](repeating: UInt8(number & 255), count: 128)))
        })
      try writer.finish()
      _ = try Conversion.plan(source: kist, target: safetensors, options: ConversionOptions()).run(
        progress: NoProgress())

      var listed = 0
      let runs = options.runs * 10
      let ours = try best(of: runs) {
        listed = 0
        for entry in try KistFile(path: kist).entries where entry.kind == .tensor {
          listed += entry.name.utf8.count + (entry.shape.elementCount ?? 0) + (entry.dtype?.bitsPerElement ?? 0)
        }
      }
      guard listed > 0 else { throw KistError(.invalid, "nothing was listed") }
      let theirs = runPeer("open_list.py", ["safetensors", safetensors, "\(runs)"], options)?["seconds"]
      let gguf = runPeer(
        "open_list.py", ["gguf", "\(count)", count > 1000 ? "1" : "10", folder + "/peer.gguf"], options)?["seconds"]
      row("\(count) tensors", "Kist", "safetensors", "gguf-py")
      row("", milliseconds(ours), theirs.map(milliseconds) ?? "–", gguf.map(milliseconds) ?? "–")
      row("", "", theirs.map { times($0 / ours) } ?? "", gguf.map { times($0 / ours) } ?? "")
    }
    try openVocabularyBench(options, folder + "/vocabulary.gguf")
  }
}

/// The same of a GGUF whose vocabulary is large.
private func openVocabularyBench(_ options: BenchOptions, _ path: String) throws {
  let (tensorCount, tokenCount) = (1000, 1 << 18)
  var writer = GGUFWriter()
  try writer.add("general.architecture", .string("llama"))
  try writer.add("tokenizer.ggml.tokens", strings: (0..<tokenCount).map { Array("token\($0)".utf8) })
  try writer.add("tokenizer.ggml.scores", floats: (0..<tokenCount).map { -Float($0) })
  try writer.add("tokenizer.ggml.token_type", integers: [Int32](repeating: 1, count: tokenCount))
  for number in 0..<tensorCount { try writer.addTensor("blk.\(number).attn_q.weight", dtype: .f32, shape: [16, 2]) }
  let layout = try writer.layOut()
  let file = try NewFile(target: path)
  try file.output.write(layout.header, at: 0)
  try file.output.write(
    [UInt8](repeating: 0, count: layout.fileByteCount - layout.header.count), at: layout.header.count)
  try file.commit(replacing: true)

  var listed = 0
  let ours = try best(of: options.runs * 10) {
    listed = try CheckpointSummary(Checkpoint.open(path: path)).tensors.count
  }
  guard listed == tensorCount else { throw KistError(.invalid, "not all tensors were listed") }
  let theirs = runPeer("open_list.py", ["gguf-file", path, "\(options.runs)"], options)?["seconds"]
  row("GGUF, \(tensorCount) tensors, \(tokenCount) tokens", "Kist", "gguf-py")
  row("", milliseconds(ours), theirs.map(milliseconds) ?? "–")
  row("", "", theirs.map { times($0 / ours) } ?? "")
}
