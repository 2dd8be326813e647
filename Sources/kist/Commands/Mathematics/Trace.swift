import ArgumentParser
import KistConversion
import KistCore

struct Trace: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Follow a text through a model: shapes and norms, and what each layer would predict.",
    discussion: """
      Prints each step of the forward pass with the shape of what it gives, the mean length of a token's row (norm), \
      √(mean x²) and max |x|; then the residual stream after each layer, and through the logit lens (the final norm and \
      the head, on that layer's state) the next token that the model would predict if it ended there.

      EXAMPLES
        kist trace model.kist "The cat sat"
        kist trace model.kist "The cat sat" --position 1 -k 5
        kist trace model.kist "The cat sat" --json
      """)

  @Argument(help: "A .kist file, a GGUF or a Hugging Face directory.", completion: .file())
  var source: String

  @OptionGroup var input: RunInput

  @Option(help: ArgumentHelp("The token whose next is predicted, from 0 on. (default: the last)", valueName: "n"))
  var position: Int?

  @Option(name: .short, help: ArgumentHelp("How many tokens each layer predicts.", valueName: "count"))
  var k: Int = 3

  @OptionGroup var memory: MemoryOption
  @OptionGroup var global: GlobalOptions

  func validate() throws {
    guard k > 0 else { throw ValidationError("-k is a number from 1 on.") }
  }

  func run() throws {
    let model = try LoadedModel.open(path: source, memory: memory.budget)
    let trace = try ModelTrace(
      model, tokens: try input.tokens(for: model), position: position, count: k, parallelism: global.parallelism)
    if global.json { return try Output.json(Report(trace)) }
    Output.lines(steps(trace) + [""] + stream(trace))
  }

  private func steps(_ trace: ModelTrace) -> [String] {
    var table = TextTable([.left, .left, .right, .right, .right], titles: ["step", "shape", "norm", "rms", "max"])
    for step in trace.steps {
      table.add([step.step, "\(step.shape)"] + [step.norm, step.rms, step.max].map(Quantity.number))
    }
    return table.lines(width: Terminal.width, emphasis: Terminal.bold)
  }

  private func stream(_ trace: ModelTrace) -> [String] {
    let label = trace.labels[trace.position]
    var lines = ["residual stream at token \(trace.position) '\(label)', and what each layer would predict next"]
    var table = TextTable(
      [.left, .right, .right, .left, .left, .left], titles: ["after", "norm", "P(next)", "", "", ""])
    for row in trace.stream {
      let best = row.lens.first
      table.add([
        row.layer.map { "layer \($0)" } ?? "embedding", Quantity.number(row.norms[trace.position]),
        best.map { Quantity.percentage($0.probability) } ?? "", best.map { "'\($0.text)'" } ?? "",
        best.map { Bar.text($0.probability, width: 16) } ?? "",
        row.lens.dropFirst().map { "'\($0.text)' \(Quantity.percentage($0.probability))" }.joined(separator: ", "),
      ])
    }
    lines[0] = Terminal.bold(lines[0].escapedForTerminal)
    return lines + table.lines(emphasis: Terminal.bold)
  }

  /// What is printed with `--json`.
  private struct Report: Encodable {
    var tokens: [Int]
    var texts: [String]
    var position: Int
    var steps: [ModelTrace.StepRow]
    var stream: [ModelTrace.StreamRow]

    init(_ trace: ModelTrace) {
      tokens = trace.tokens
      texts = trace.labels
      position = trace.position
      steps = trace.steps
      stream = trace.stream
    }
  }
}
