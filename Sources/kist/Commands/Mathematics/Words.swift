import ArgumentParser
import KistConversion
import KistCore

struct Words: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Compare words by their rows in the embedding matrix; draw a map of them.",
    discussion: """
      Prints the cosine of each word with each. -o draws the words on a plane: the two directions in which their rows \
      (scaled to length 1) differ most, by principal component analysis.

      EXAMPLES
        kist words minilm.kist cat dog democracy
        kist words minilm.kist king queen man woman prince princess -o map.svg
      """)

  @Argument(
    help: "A checkpoint with a tokenizer: a .kist file, a GGUF or a Hugging Face directory.", completion: .file())
  var source: String

  @Argument(help: ArgumentHelp("Words, two or more.", valueName: "word"))
  var words: [String]

  @Option(name: .shortAndLong, help: ArgumentHelp("Where to draw the map.", valueName: "map.svg"), completion: .file())
  var output: String?

  @OptionGroup var embedding: EmbeddingOptions
  @OptionGroup var global: GlobalOptions

  func validate() throws {
    guard words.count > 1 else { throw ValidationError("Give two words or more.") }
    guard words.count <= 500 else { throw ValidationError("Give at most 500 words.") }
    guard output?.hasSuffix(".svg") ?? true else { throw ValidationError("The map is an .svg file.") }
  }

  func run() throws {
    if let output, !global.force { try requireAbsent(output) }
    let embeddings = try embedding.open(source)
    let found = try words.map { text throws(KistError) in try embedding.word(text, in: embeddings) }
    let map = try WordMap(embeddings, found)
    if let output { try map.picture(title: embeddings.tensorName).write(to: output, replacingExisting: global.force) }
    if global.json {
      return try Output.json(
        Report(
          tensor: embeddings.tensorName, shape: embeddings.shape, words: found, cosines: map.cosines,
          coordinates: map.coordinates, explained: map.explained, output: output))
    }
    Output.line("\(embeddings.tensorName.escapedForTerminal) \(embeddings.dtype) \(embeddings.shape)")
    Output.lines(found.map(\.line))
    Output.line()
    var table = TextTable([.left] + found.map { _ in .right }, titles: [""] + found.map(\.text))
    for (word, row) in zip(found, map.cosines) {
      table.add([word.text] + row.map { Quantity.decimal($0, places: 3) })
    }
    Output.lines(table.lines(emphasis: Terminal.bold))
    if let output {
      let parts = map.explained.map(Quantity.percentage).joined(separator: " and ")
      Output.line("\(output.escapedForTerminal): the two axes show \(parts) of what differs")
    }
  }

  /// What is printed with `--json`.
  private struct Report: Encodable {
    var tensor: String
    var shape: [Int]
    var words: [Word]
    var cosines: [[Double]]
    var coordinates: [[Double]]
    var explained: [Double]
    var output: String?
  }
}
