import ArgumentParser
import KistConversion
import KistCore

struct Predict: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show which tokens come next, or continue a text.",
    discussion: """
      Prints the likeliest next tokens with their probabilities. -n continues the text by as many tokens, always \
      taking the likeliest; with --temperature it draws, the same for the same --seed.

      EXAMPLES
        kist predict model.kist "Once upon a time" -k 10
        kist predict model.kist "Once upon a time" -n 50
        kist predict model.kist "Once upon a time" -n 50 --temperature 0.8 --top-p 0.95 --seed 7
      """)

  @Argument(help: "A .kist file or a Hugging Face directory.", completion: .file())
  var source: String

  @Argument(help: "The text; - reads standard input.")
  var text: String

  @Option(name: .short, help: ArgumentHelp("How many of the likeliest tokens to show.", valueName: "count"))
  var k: Int = 10

  @Option(name: .short, help: ArgumentHelp("Continue by this many tokens.", valueName: "count"))
  var n: Int = 0

  @Option(help: "0 takes the likeliest; 1 draws by the model's own probabilities.")
  var temperature: Double?

  @Option(help: ArgumentHelp("Draw from the k likeliest only.", valueName: "k"))
  var topK: Int?

  @Option(help: ArgumentHelp("Draw from the likeliest that make up this probability only.", valueName: "p"))
  var topP: Double?

  @Option(help: "Makes drawing repeatable.")
  var seed: UInt64 = 0

  @OptionGroup var memory: MemoryOption
  @OptionGroup var global: GlobalOptions

  func validate() throws {
    guard k > 0, n >= 0 else { throw ValidationError("-k is a number from 1 on, -n from 0 on.") }
    guard topK ?? 1 > 0, (topP ?? 1) > 0, (temperature ?? 0) >= 0 else {
      throw ValidationError("--top-k and --top-p are positive, --temperature is not negative.")
    }
  }

  func run() throws {
    let model = try LoadedModel.open(path: source, memory: memory.budget)
    // Who asks for a part of the tokens wants to draw.
    let heat = temperature ?? (topK != nil || topP != nil ? 1 : 0)
    let prediction = try Prediction(
      model, text: try readArgument(text),
      sampling: Sampling(temperature: heat, topK: topK, topP: topP, seed: seed), parallelism: global.parallelism)
    if n > 0 { return try continueText(prediction) }
    let likeliest = prediction.likeliest(k)
    if global.json { return try Output.json(Report(tokens: prediction.tokens, next: likeliest)) }
    var table = TextTable([.right, .right, .left, .left], titles: ["token", "P(next)", "", ""])
    for token in likeliest {
      table.add([
        "\(token.token)", Quantity.percentage(token.probability), "'\(token.text)'", Bar.text(token.probability),
      ])
    }
    Output.lines(table.lines(emphasis: Terminal.bold))
  }

  private func continueText(_ prediction: Prediction) throws {
    let prompt = prediction.tokens.count
    if !global.json { Output.text(try readArgument(text)) }
    var bytes: [UInt8] = []
    let cancellation = Interruption.shared.stoppable()
    for _ in 0..<n {
      guard !cancellation.isCancelled, let piece = try prediction.next() else { break }
      bytes += piece
      if !global.json {
        Output.bytes(piece)
        try Output.flush()
      }
    }
    if global.json {
      let new = Array(prediction.tokens.dropFirst(prompt))
      try Output.json(Continuation(tokens: new, text: String(decoding: bytes, as: UTF8.self)))
    } else {
      Output.line()
    }
  }

  /// What is printed with `--json`.
  private struct Report: Encodable {
    var tokens: [Int]
    var next: [TokenProbability]
  }

  private struct Continuation: Encodable {
    var tokens: [Int]
    var text: String
  }
}
