import ArgumentParser
import KistConversion
import KistCore

struct Neighbors: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show which tokens are closest to a word in the embedding matrix.",
    discussion: """
      Closeness is the cosine of rows: u·v ÷ (|u| |v|). A word is taken as it is after another word in a sentence, if \
      that is one token (for many tokenizers ' cat' and 'cat' are two tokens); which it was is said. The table is read \
      a tile at a time and never held decoded.

      EXAMPLES
        kist neighbors minilm.kist cat
        kist neighbors model.gguf king -k 20
        kist neighbors model.kist democracy --mean
        kist neighbors model.kist cat --tensor lm_head.weight
      """)

  @Argument(
    help: "A checkpoint with a tokenizer: a .kist file, a GGUF or a Hugging Face directory.", completion: .file())
  var source: String

  @Argument(help: "The word.")
  var word: String

  @Option(name: .short, help: ArgumentHelp("How many to show.", valueName: "count"))
  var k: Int = 10

  @OptionGroup var embedding: EmbeddingOptions
  @OptionGroup var global: GlobalOptions

  func validate() throws {
    guard k > 0 else { throw ValidationError("-k is a number from 1 on.") }
  }

  func run() throws {
    let embeddings = try embedding.open(source)
    let word = try embedding.word(word, in: embeddings)
    let neighbors = try embeddings.neighbors(
      of: word, count: k, parallelism: global.parallelism, progress: global.progress)
    let report = NeighborReport(embeddings, words: [word], neighbors: neighbors)
    if global.json { return try Output.json(report) }
    Output.lines(report.lines)
  }
}

struct Analogy: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Find what is to C as A is to B: the tokens closest to A − B + C.",
    discussion: """
      With rows of the embedding matrix scaled to length 1. The three words are left out of the answer.

      EXAMPLES
        kist analogy minilm.kist king man woman
        kist analogy minilm.kist paris france germany -k 3
      """)

  @Argument(
    help: "A checkpoint with a tokenizer: a .kist file, a GGUF or a Hugging Face directory.", completion: .file())
  var source: String

  @Argument(help: ArgumentHelp("King, in king − man + woman.", valueName: "a"))
  var a: String

  @Argument(help: ArgumentHelp("Man.", valueName: "b"))
  var b: String

  @Argument(help: ArgumentHelp("Woman.", valueName: "c"))
  var c: String

  @Option(name: .short, help: ArgumentHelp("How many to show.", valueName: "count"))
  var k: Int = 10

  @OptionGroup var embedding: EmbeddingOptions
  @OptionGroup var global: GlobalOptions

  func validate() throws {
    guard k > 0 else { throw ValidationError("-k is a number from 1 on.") }
  }

  func run() throws {
    let embeddings = try embedding.open(source)
    let words = try [a, b, c].map { text throws(KistError) in try embedding.word(text, in: embeddings) }
    let neighbors = try embeddings.analogy(
      words[0], words[1], words[2], count: k, parallelism: global.parallelism, progress: global.progress)
    let report = NeighborReport(embeddings, words: words, neighbors: neighbors)
    if global.json { return try Output.json(report) }
    Output.lines(report.lines)
  }
}

/// Which table, and what a word of several tokens is.
struct EmbeddingOptions: ParsableArguments {
  @Flag(help: "Take a word of several tokens as the mean of their rows, each scaled to length 1.")
  var mean = false

  @Option(
    help: ArgumentHelp(
      "A tensor of [tokens, width] to take instead of the model's embedding matrix.", valueName: "name"))
  var tensor: String?

  func open(_ path: String) throws(KistError) -> WordEmbeddings { try WordEmbeddings.open(path: path, tensor: tensor) }

  func word(_ text: String, in embeddings: WordEmbeddings) throws(KistError) -> Word {
    try embeddings.word(text, several: mean ? .mean : .refused)
  }
}

/// What `neighbors` and `analogy` print.
struct NeighborReport: Encodable {
  var tensor: String
  var shape: [Int]
  var dtype: String
  var words: [Word]
  var neighbors: [WordEmbeddings.Neighbor]

  init(_ embeddings: WordEmbeddings, words: [Word], neighbors: [WordEmbeddings.Neighbor]) {
    tensor = embeddings.tensorName
    shape = embeddings.shape
    dtype = embeddings.dtype
    self.words = words
    self.neighbors = neighbors
  }

  var lines: [String] {
    var table = TextTable([.right, .right, .left, .left], titles: ["token", "cosine", "", ""])
    for neighbor in neighbors {
      table.add([
        "\(neighbor.token)", Quantity.decimal(neighbor.cosine, places: 3), "'\(neighbor.text)'",
        Bar.text(neighbor.cosine),
      ])
    }
    return ["\(tensor.escapedForTerminal) \(dtype) \(shape)"] + words.map(\.line) + [""]
      + table.lines(emphasis: Terminal.bold)
  }
}

extension Word {
  /// What the word is to the tokenizer, for a person.
  var line: String {
    let names = zip(tokens, pieces).map { "\($0) '\($1)'" }.joined(separator: ", ")
    let what = tokens.count == 1 ? "token \(names)" : "the mean of tokens \(names)"
    return "'\(text)' is \(what), \(form.rawValue)".escapedForTerminal
  }
}
