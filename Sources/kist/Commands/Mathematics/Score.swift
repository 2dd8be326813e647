import ArgumentParser
import Foundation
import KistConversion
import KistCore

struct Score: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Say how well a model foresees a text: cross-entropy and perplexity.",
    discussion: """
      The loss of a token is −log P(token | the tokens before it), in nats; the mean over the text is its \
      cross-entropy, e to that its perplexity. Bits per byte compare models of different vocabularies. The first token \
      has nothing before it and is not scored.

      A text longer than the context is scored in windows that overlap: each token once, with at least context − stride \
      tokens before it. --stride as large as the context gives windows that do not overlap, the first token of each not \
      scored.

      EXAMPLES
        kist score model.kist text.txt
        kist score model.kist text.txt --per-token
        kist score model.kist text.txt --html page.html
        kist score ./hf-dir --tokens 1,403,407,261
        kist score model.kist text.txt --context 1024 --stride 512
        echo "The cat sat on the mat." | kist score model.kist -
      """)

  @Argument(help: "A .kist file, a GGUF or a Hugging Face directory, of a decoder.", completion: .file())
  var source: String

  @Argument(help: "A text file, UTF-8; - reads standard input.", completion: .file())
  var file: String?

  @Option(help: ArgumentHelp("Ids instead of a text, with commas between them; @FILE reads them.", valueName: "ids"))
  var tokens: String?

  @Flag(help: "Show each token's loss, and what the model held likeliest.")
  var perToken = false

  @Option(help: ArgumentHelp("Write a page with the text coloured by loss.", valueName: "file"), completion: .file())
  var html: String?

  @Option(help: ArgumentHelp("Tokens of a window. (default: what the model reaches)", valueName: "n"))
  var context: Int?

  @Option(help: ArgumentHelp("Tokens from one window to the next. (default: half a window)", valueName: "n"))
  var stride: Int?

  @OptionGroup var memory: MemoryOption
  @OptionGroup var global: GlobalOptions

  func validate() throws {
    guard (tokens == nil) != (file == nil) else { throw ValidationError("Give a file or --tokens.") }
  }

  func run() throws {
    if let html, !global.force { try requireAbsent(html) }
    let given = try tokens.map { ids throws(KistError) in try TokenInput.parse(ids) }
    let text = try file.map { file throws(KistError) in try readWholeText(file) } ?? ""
    let model = try LoadedModel.open(path: source, memory: memory.budget)
    let score = try TextScore(
      model, tokens: given ?? model.tokens(of: text), byteCount: given == nil ? text.utf8.count : nil,
      windows: TextScore.Windows(context: context, stride: stride), parallelism: global.parallelism,
      progress: global.progress)
    if let html {
      let name = file.map { $0 == "-" ? "standard input" : $0 } ?? "tokens"
      try score.page(model: source, text: name).write(to: html, replacingExisting: global.force)
    }
    if global.json { return try Output.json(Report(score, perToken: perToken, html: html)) }
    if perToken { Output.lines(tokens(score) + [""]) }
    Output.lines(totals(score))
    if let html { Output.line("page        \(html.escapedForTerminal)") }
  }

  private func totals(_ score: TextScore) -> [String] {
    var table = TextTable([.left, .left])
    table.add(["tokens", "\(Quantity.count(score.tokens.count)), \(Quantity.count(score.scoredCount)) of them scored"])
    if score.tokens.count > score.context {
      table.add(["windows", "of \(score.context) tokens, \(score.stride) from one to the next"])
    }
    table.add(["loss", "\(Quantity.decimal(score.loss, places: 4)) nats a token"])
    table.add(["perplexity", Quantity.decimal(score.perplexity, places: 3)])
    if let bits = score.bitsPerByte { table.add(["bits/byte", Quantity.decimal(bits, places: 4)]) }
    return table.lines()
  }

  private func tokens(_ score: TextScore) -> [String] {
    var table = TextTable(
      [.right, .right, .left, .right, .right, .right, .left, .left],
      titles: ["", "token", "", "loss", "P", "rank", "", "likeliest"])
    // A bar as long as the loss: a whole one stands for 8 nats.
    for token in score.tokens {
      guard let loss = token.loss, let probability = token.probability, let best = token.best else {
        table.add(["\(token.position)", "\(token.token)", "'\(token.text)'", "", "", "", "", ""])
        continue
      }
      table.add([
        "\(token.position)", "\(token.token)", "'\(token.text)'", Quantity.decimal(loss, places: 3),
        Quantity.percentage(probability), "\(token.rank ?? 0)", Bar.text(loss / 8, width: 12),
        best.token == token.token ? "" : "'\(best.text)' \(Quantity.percentage(best.probability))",
      ])
    }
    return table.lines(emphasis: Terminal.bold)
  }

  /// What is printed with `--json`.
  private struct Report: Encodable {
    var tokens: Int
    var scored: Int
    var context: Int
    var stride: Int
    var loss: Double
    var perplexity: Double
    var bitsPerByte: Double?
    var bytes: Int
    var perToken: [TextScore.Token]?
    var output: String?

    enum CodingKeys: String, CodingKey {
      case tokens, scored, context, stride, loss, perplexity, bytes, output
      case bitsPerByte = "bits_per_byte"
      case perToken = "per_token"
    }

    init(_ score: TextScore, perToken: Bool, html: String?) {
      tokens = score.tokens.count
      scored = score.scoredCount
      context = score.context
      stride = score.stride
      loss = score.loss
      perplexity = score.perplexity
      bitsPerByte = score.bitsPerByte
      bytes = score.byteCount
      self.perToken = perToken ? score.tokens : nil
      output = html
    }
  }
}
