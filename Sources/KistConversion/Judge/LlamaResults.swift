import KistCheckpoints
import KistCore

/// llama.cpp's own program that writes the logits of a text, for those who have llama.cpp without Python.
///
/// It takes no tokens: which ones it made of the text, it writes beside the logits.
///
/// - Source: llama.cpp, tools/results.
struct LlamaResults {
  static let name = "llama-results"
  private let path: String

  /// The one in `PATH`; nil when there is none.
  static var installed: LlamaResults? { ChildProgram.path(of: name).map { LlamaResults(path: $0) } }

  /// - Parameters:
  ///   - text: What the model is to read, without its first token.
  ///   - tokenCount: About how many tokens that is.
  /// - Throws: `system` with the program's own words when it fails.
  func record(
    _ model: String, text: [UInt8], tokenCount: Int, in folder: TemporaryDirectory, threads: Int
  ) throws(KistError) -> RecordedLogits {
    try folder.write(text, "text")
    let target = folder.file("results.gguf")
    let room = String(2 * tokenCount + 64)
    let outcome = try ChildProgram(name: path).run([
      "--model", model, "--binary-file", folder.file("text"), "--output", target, "--ctx-size", room,
      "--batch-size", room, "--ubatch-size", room, "--threads", String(threads), "--gpu-layers", "0",
      "--flash-attn", "off", "--cache-type-k", "f32", "--cache-type-v", "f32",
    ])
    guard outcome.status == 0 else {
      throw KistError(.system, file: model, "\(LlamaResults.name) can't compute it: \(outcome.lastComplaint)")
    }
    let (tokens, values) = try read(target)
    return RecordedLogits(
      tokens: tokens, values: values, vocabularySize: values.count / tokens.count, reference: try version())
  }

  /// Tokens, and logits of [tokens, vocabulary], which the file lists the other way around.
  private func read(_ target: String) throws(KistError) -> (tokens: [Int], logits: [Float]) {
    let file = try GGUFFile(path: target)
    func bytes(_ name: String, _ dtype: DType) throws(KistError) -> UnsafeRawBufferPointer {
      guard let mapped = file.mapped,
        let tensor = file.header.tensors.first(where: { $0.name.utf8.elementsEqual(name.utf8) }), tensor.dtype == dtype
      else { throw KistError(.damaged, file: path, "wrote no tensor '\(name)' of \(dtype)") }
      return unsafe mapped.pointer(tensor.range)
    }
    let tokens = unsafe try bytes("tokens", .i32).numbers(Int32.self).map { Int($0) }
    let logits = unsafe try bytes("logits", .f32).numbers(UInt32.self).map { Float(bitPattern: $0) }
    try file.mapped?.checkIntact()
    guard !tokens.isEmpty, !logits.isEmpty, logits.count % tokens.count == 0 else {
      throw KistError(.damaged, file: path, "wrote \(logits.count) logits for \(tokens.count) tokens")
    }
    return (tokens, logits)
  }

  /// As a reference in a verdict: "llama.cpp 0.5.0 (build 1, commit 0c1e570)".
  private func version() throws(KistError) -> String {
    let outcome = try ChildProgram(name: path).run(["--version"])
    let lines = (outcome.complaint + "\n" + outcome.output).split(separator: "\n")
    let line = lines.first { $0.hasPrefix("version: ") }
    return "llama.cpp" + (line.map { " \($0.dropFirst("version: ".count))" } ?? "")
  }
}
