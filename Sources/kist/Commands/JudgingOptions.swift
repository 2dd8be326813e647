import ArgumentParser
import KistConversion
import KistCore
import KistInference

/// `kist verify --against` and `--golden`: whether a model computes what another does.
struct JudgingOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("Compare with what this model computes on the same tokens.", valueName: "ref"),
    completion: .file())
  var against: String?

  @Option(
    help: ArgumentHelp("Compare with logits that another program recorded.", valueName: "file.safetensors"),
    completion: .file())
  var golden: String?

  @Option(
    name: .customLong("with"),
    help: ArgumentHelp("Compare with what this program computes: llama.cpp or transformers.", valueName: "program"))
  var engine: ExternalEngine?

  @Option(
    help: ArgumentHelp(
      "The Python that has that program. (default: KIST_PYTHON, else python3; for llama.cpp also its llama-results)",
      valueName: "path"), completion: .file())
  var python: String?

  @Option(
    help: ArgumentHelp("Keep the logits that --with computed, for --golden.", valueName: "file.safetensors"),
    completion: .file())
  var saveLogits: String?

  @Option(
    help: ArgumentHelp("Compare on the text of a file instead of the usual prompts.", valueName: "file"),
    completion: .file())
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

  var isAsked: Bool { against != nil || golden != nil || engine != nil }

  var tolerance: Tolerance? {
    guard difference != nil || maxKl != nil else { return nil }
    return Tolerance(reason: "as asked", difference: difference, meanDivergence: maxKl)
  }

  func validate() throws {
    guard [against, golden, engine?.rawValue].count(where: { $0 != nil }) <= 1 else {
      throw ValidationError("Give one of --against, --golden and --with.")
    }
    guard engine != nil || (python == nil && saveLogits == nil) else {
      throw ValidationError("--python and --save-logits go with --with.")
    }
    guard engine == nil || !bisect else { throw ValidationError("--with gives logits, and no steps to bisect.") }
    guard isAsked || (text == nil && tokens == nil && !bisect) else {
      throw ValidationError("--text, --tokens and --bisect go with --against, the first two with --with.")
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
    if let engine {
      verdict = try judge(model, by: engine, global, comparison)
    } else if let golden {
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

  /// One sequence of tokens: of the usual prompts, or what was asked for.
  private func judge(
    _ model: LoadedModel, by engine: ExternalEngine, _ global: GlobalOptions, _ comparison: ModelComparison
  ) throws(KistError) -> Verdict {
    let texts = try texts(for: model)
    let tokens = text == nil ? Array(texts.joined().prefix(model.model.mostTokens ?? .max)) : texts[0]
    let input = ExternalJudge.Input(tokens: tokens, isExact: self.tokens != nil)
    let judge = ExternalJudge(engine: engine, python: python, parallelism: global.parallelism)
    return try judge.verdict(on: model, input, savingTo: saveLogits, replacing: global.force, comparison)
  }

  private func texts(for reference: LoadedModel) throws(KistError) -> [[Int]] {
    if let tokens { return [try TokenInput.parse(tokens)] }
    return try VerificationTexts.texts(for: reference, of: try text.map(readWholeText))
  }
}
