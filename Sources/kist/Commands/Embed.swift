import ArgumentParser
import KistConversion
import KistCore

struct Embed: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Turn sentences into vectors with an encoder, as sentence-transformers does.",
    discussion: """
      Prints one vector a line: the mean of the tokens' states, scaled to length 1, unless the model's own files \
      (modules.json, 1_Pooling/config.json) say otherwise. A text that is longer than the model takes \
      (sentence_bert_config.json) is cut, and a line says so. With several texts, --json also has their cosines.

      EXAMPLES
        kist embed minilm.kist "a sentence"
        kist embed minilm.kist "a cat" "a kitten" "a parliament" --json
      """)

  @Argument(help: "A .kist file or a Hugging Face directory.", completion: .file())
  var source: String

  @Argument(help: "Texts; - reads standard input.")
  var texts: [String]

  @OptionGroup var memory: MemoryOption
  @OptionGroup var global: GlobalOptions

  func run() throws {
    let model = try LoadedModel.open(path: source, memory: memory.budget)
    var contents: [String] = []
    for text in texts { contents.append(try readArgument(text)) }
    let sentences = try model.embed(contents, parallelism: global.parallelism)
    for (number, sentence) in sentences.enumerated() where sentence.isCut {
      global.notice(
        "text \(number + 1) is longer than the model takes: the vector is of its first \(sentence.tokenCount) tokens")
    }
    let vectors = sentences.map(\.values)
    guard global.json else {
      for vector in vectors { Output.line(vector.map { "\($0)" }.joined(separator: " ")) }
      return
    }
    let cosines = vectors.map { a in vectors.map { b in cosine(a, b) } }
    try Output.json(Report(texts: contents, vectors: vectors, cosines: cosines))
  }

  private func cosine(_ a: [Float], _ b: [Float]) -> Double {
    func dot(_ x: [Float], _ y: [Float]) -> Double { zip(x, y).reduce(0) { $0 + Double($1.0) * Double($1.1) } }
    let lengths = (dot(a, a) * dot(b, b)).squareRoot()
    return lengths > 0 ? dot(a, b) / lengths : 0
  }

  /// What is printed with `--json`.
  private struct Report: Encodable {
    var texts: [String]
    var vectors: [[Float]]
    var cosines: [[Double]]
  }
}
