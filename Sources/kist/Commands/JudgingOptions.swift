import ArgumentParser
import KistConversion
import KistCore
import KistInference

/// `kist verify --against` and `--golden`: whether a model computes what another does.
struct JudgingOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Compare with what this model computes on the same tokens.", valueName: "ref"))
  var against: String?

  @Option(help: ArgumentHelp("Compare with logits that another program recorded.", valueName: "file.safetensors"))
  var golden: String?

  @Option(help: ArgumentHelp("Compare on the text of a file instead of the usual prompts.", valueName: "file"))
  var text: String?

  @Option(help: ArgumentHelp("Compare on these ids; @FILE reads them from a file.", valueName: "ids"))
  var tokens: String?

  @Flag(help: "Name the first step that computes something else, and its tensor.")
  var bisect = false

  @Option(
    name: .customLong("tolerance"),
    help: ArgumentHelp("Allow logits to differ by this part of their range.", valueName: "part"))
  var difference: Double?

  @Option(help: ArgumentHelp("Allow this mean KL divergence, in nats.", valueName: "nats"))
  var maxKl: Double?

  @OptionGroup var memory: MemoryOption

  var isAsked: Bool { against != nil || golden != nil }

  var tolerance: Tolerance? {
    guard difference != nil || maxKl != nil else { return nil }
    return Tolerance(reason: "as asked", difference: difference, meanDivergence: maxKl)
  }

  func validate() throws {
    guard against == nil || golden == nil else { throw ValidationError("Give --against or --golden, not both.") }
    guard isAsked || (text == nil && tokens == nil && !bisect) else {
      throw ValidationError("--text, --tokens and --bisect go with --against.")
    }
    guard golden == nil || (text == nil && tokens == nil && !bisect) else {
      throw ValidationError("--golden has its own tokens, and no steps to bisect.")
    }
    guard text == nil || tokens == nil else { throw ValidationError("Give --text or --tokens, not both.") }
    guard (difference ?? 0) >= 0, (maxKl ?? 0) >= 0 else { throw ValidationError("Tolerances are not negative.") }
  }

  func run(_ path: String, _ global: GlobalOptions) throws {
    let clock = ContinuousClock()
    let start = clock.now
    let comparison = ModelComparison(parallelism: global.parallelism, tolerance: tolerance)
    let budget = memory.budget
    let model = try LoadedModel.open(path: path, memory: budget)
    let verdict: Verdict
    var bisection: BisectionReport?
    if let golden {
      verdict = try comparison.compare(model, with: try LogitFile(path: golden))
    } else {
      let reference = try LoadedModel.open(path: against ?? "", memory: budget)
      let texts = try texts(for: reference)
      verdict = try comparison.compare(model, with: reference, texts: texts)
      if bisect {
        bisection = BisectionReport(
          try Bisection(
            model.weights, against: reference.weights, tokens: texts[0], parallelism: global.parallelism))
      }
    }
    let report = JudgmentReport(
      path: path, verdict: verdict, bisection: bisection, seconds: (clock.now - start) / .seconds(1))
    if global.json {
      try Output.json(report)
    } else {
      Output.lines(JudgmentText(report).lines)
    }
    guard verdict.matches else { throw ExitStatus.differs }
  }

  private func texts(for reference: LoadedModel) throws(KistError) -> [[Int]] {
    if let tokens { return [try TokenInput.parse(tokens)] }
    return try VerificationTexts.texts(for: reference, of: try text.map(readWholeText))
  }
}
