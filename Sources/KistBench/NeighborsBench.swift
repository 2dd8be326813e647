import ArgumentParser
import Foundation
import KistCheckpoints
import KistConversion
import KistCore
import KistFormat

/// `kist neighbors` and `kist analogy` on the embedding matrix of a large model, as a user runs them: seconds and peak memory.
func neighborsBench(_ options: BenchOptions, rows rowCount: Int) throws {
  let width = 4096
  print(
    "\nkist neighbors, kist analogy: bf16 [\(rowCount), \(width)] (\(options.threads) threads, file in the page cache)")
  try withTemporaryFolder(in: options.folder) { folder in
    let model = folder + "/model"
    try FileManager.default.createDirectory(atPath: model, withIntermediateDirectories: true)
    try vocabulary(of: rowCount).write(to: URL(fileURLWithPath: model + "/tokenizer.json"))
    _ = try writeSynthetic(
      model + "/model.safetensors",
      [.init(name: "model.embed_tokens.weight", dtype: .bf16, shape: [rowCount, width])])
    row("", "size", "neighbors", "analogy", "peak memory")
    for packing in [Packing.none, .auto] {
      let path = folder + "/\(packing).kist"
      _ = try Conversion.plan(
        source: model, target: path, options: ConversionOptions(packing: packing, probes: .none)
      ).run(progress: NoProgress())
      let size = try MappedFile(path: path).count
      var peak = 0
      func seconds(_ arguments: [String]) throws -> Double {
        var seconds = Double.infinity
        for _ in 0..<options.runs {
          let run = try runChild(kistCommand, arguments + ["--threads", "\(options.threads)", "--quiet"])
          seconds = min(seconds, run.seconds)
          peak = max(peak, run.peakByteCount)
        }
        return seconds
      }
      let neighbors = try seconds(["neighbors", path, "word1"])
      let analogy = try seconds(["analogy", path, "word1", "word2", "word3"])
      row(
        packing == .none ? "raw" : "packed", "\(size / 1_000_000) MB", milliseconds(neighbors), milliseconds(analogy),
        "\(peak >> 20) MiB")
      try FileManager.default.removeItem(atPath: path)
    }
  }
}

/// A tokenizer of so many whole words.
private func vocabulary(of count: Int) -> Data {
  let words = (0..<count).map { "\"word\($0)\":\($0)" }.joined(separator: ",")
  return Data(
    """
    {"version":"1.0","truncation":null,"padding":null,"added_tokens":[],"normalizer":null,\
    "pre_tokenizer":{"type":"Whitespace"},"post_processor":null,"decoder":null,\
    "model":{"type":"WordLevel","vocab":{\(words)},"unk_token":"word0"}}
    """.utf8)
}

struct Neighbors: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "The tokens closest to a word, and an analogy, in a large embedding matrix: time and peak memory.")
  @OptionGroup var options: BenchOptions
  @Option(help: "Tokens of the matrix; each has 4096 numbers.") var rows = 250_000
  func run() throws { try neighborsBench(options, rows: rows) }
}
