import Foundation
import KistCore

/// A Llama in Hugging Face form to GGUF by the command, against llama.cpp's converter on the same files.
///
/// - Parameter llamaCPP: a folder with llama.cpp's source; nil leaves its converter out.
func ggufBench(_ options: BenchOptions, llamaCPP: String?) throws {
  print("\nHugging Face → GGUF, a 246M-parameter Llama in bf16 (\(options.threads) threads), best of \(options.runs)")
  try withTemporaryFolder(in: options.folder) { folder in
    let source = folder + "/llama"
    guard runScript("../../../Fixtures/make/bench_llama.py", [source], options) else { return }
    let target = folder + "/model.gguf"
    let byteCount = try fileByteCount(source + "/model.safetensors")
    let copying = try bestChild(options.runs, "/bin/cp", [source + "/model.safetensors", target])
    row("", "seconds", "pace", "peak memory")
    func line(_ name: String, _ run: (seconds: Double, peakByteCount: Int)) {
      row(
        name, String(format: "%.2f s", run.seconds), gigabytesPerSecond(byteCount, run.seconds),
        "\(run.peakByteCount >> 20) MiB")
    }
    line("cp of the weights", copying)
    let arguments = ["convert", source, "-o", target, "--threads", "\(options.threads)", "--quiet", "--force"]
    let own = try bestChild(options.runs, kistCommand, arguments + ["--type", "bf16", "--no-verify"])
    line("kist convert --type bf16 --no-verify", own)
    line("… with the verdict", try bestChild(1, kistCommand, arguments + ["--type", "bf16"]))
    for type in ["f16", "q8_0"] {
      line(
        "… --type \(type) --no-verify",
        try bestChild(options.runs, kistCommand, arguments + ["--type", type, "--no-verify"]))
    }
    guard let llamaCPP else { return print("  (--llama-cpp names the source of the peer)") }
    let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/Peers/gguf_convert.py"
    let peer = try bestChild(1, options.python, [script, llamaCPP, source, target])
    line("convert_hf_to_gguf.py --outtype bf16", peer)
    row("Kist against it", times(peer.seconds / own.seconds))
  }
}

private func fileByteCount(_ path: String) throws -> Int {
  try URL(fileURLWithPath: path).resourceValues(forKeys: [.fileSizeKey]).fileSize ?? 0
}

/// The fastest of several runs, and the most memory of any.
private func bestChild(
  _ runs: Int, _ command: String, _ arguments: [String]
) throws -> (seconds: Double, peakByteCount: Int) {
  var result = (seconds: Double.infinity, peakByteCount: 0)
  for _ in 0..<max(1, runs) {
    let run = try runChild(command, arguments)
    result = (min(result.seconds, run.seconds), max(result.peakByteCount, run.peakByteCount))
  }
  return result
}
