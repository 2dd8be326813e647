import ArgumentParser
import Foundation
import KistArchitectures
import KistConversion
import KistCore
import KistTokenizers
import KistTraining

struct Train: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train a small model on text, from random weights.",
    discussion: """
      The architecture is a Hugging Face config.json: decoders of embeddings, RMS or layer norms, attention with rotary \
      or learned positions, and plain or gated feed-forward, such as GPT-2, Llama, Mistral, Qwen 2 and Qwen 3. Without \
      --tokenizer, a byte-level BPE of the configuration's vocab_size is learned from the corpus, with <|endoftext|> \
      as its first token.

      Forward and backward pass are f32. AdamW by default; norms and biases have no weight decay; no dropout, whatever \
      the configuration says. The result hangs on the settings, the seed and the text, not on --threads.

      The output is an ordinary model, written whole at each --save-every, with what is needed to go on: --resume comes \
      to the same bits as a training that was never stopped. Ctrl-C saves. --no-state leaves that out of the result.

      EXAMPLES
        kist train --config config.json --corpus corpus.txt -o tiny.kist
        kist train --config config.json --corpus corpus.txt --tokenizer tokenizer.json -o tiny.kist --steps 2400 \
      --batch 4 --lr 0.002 --curve loss.svg
        kist train --corpus corpus.txt -o tiny.kist --resume
      """)

  @Option(help: ArgumentHelp("The model's config.json; not with --resume.", valueName: "file"), completion: .file())
  var config: String?

  @Option(help: ArgumentHelp("A text to train on; repeat for several.", valueName: "file"), completion: .file())
  var corpus: [String]

  @Option(
    help: ArgumentHelp("A tokenizer.json; learned from the corpus without.", valueName: "file"), completion: .file())
  var tokenizer: String?

  @Option(name: .shortAndLong, help: ArgumentHelp("The .kist file to write.", valueName: "file"), completion: .file())
  var output: String

  @Flag(help: "Go on with the training that the output holds.")
  var resume = false

  @OptionGroup(title: "Training") var training: TrainingOptions

  @Option(help: ArgumentHelp("Steps from one checkpoint to the next.", valueName: "steps"))
  var saveEvery = 500

  @Option(help: ArgumentHelp("Draw the losses as SVG.", valueName: "file.svg"), completion: .file())
  var curve: String?

  @Flag(help: "Leave out of the result what is needed to go on: a third of the size.")
  var noState = false

  @OptionGroup var global: GlobalOptions

  func validate() throws {
    guard !corpus.isEmpty else { throw ValidationError("Give a --corpus.") }
    guard resume == (config == nil) else {
      throw ValidationError(
        resume ? "--resume has its configuration: give no --config." : "Give a --config, or --resume.")
    }
    guard !resume || tokenizer == nil else { throw ValidationError("--resume has its tokenizer: give no --tokenizer.") }
    guard saveEvery > 0 else { throw ValidationError("--save-every is a number from 1 on.") }
  }

  func run() throws {
    if !resume, !global.force { try requireAbsent(output) }
    if let curve, !global.force { try requireAbsent(curve) }
    let setup = try resume ? TrainingSetup(resuming: self) : TrainingSetup(beginning: self)
    let (trainer, container) = (setup.trainer, setup.container)
    for notice in setup.notices { global.notice(notice) }
    let (parallelism, firstStep) = (Parallelism(threads: global.threads), trainer.step)
    let line = TrainingLine(trainer.settings, isQuiet: global.quiet)
    let clock = ContinuousClock()
    let start = clock.now
    defer { line.end() }
    do throws(KistError) {
      try trainer.run(
        saveInterval: saveEvery, cancellation: Interruption.shared.stoppable(), observer: line
      ) { () throws(KistError) in
        let isDone = trainer.step >= trainer.settings.steps
        try container.write(trainer, to: output, keepsState: !(noState && isDone), parallelism: parallelism)
        line.saved(trainer.step, output)
      }
    } catch {
      line.end()
      throw error.kind == .interrupted ? error : error.inFile(output)
    }
    line.end()
    let seconds = (clock.now - start) / .seconds(1)
    try TrainingContainer.recordProbes(in: output, parallelism: parallelism)
    if let curve { try LossCurve(trainer).write(to: curve, replacing: global.force) }
    try show(TrainingReport(trainer, output: output, steps: trainer.step - firstStep, seconds: seconds))
  }

  private func show(_ report: TrainingReport) throws {
    if global.json { return try Output.json(report) }
    let heldOut = report.heldOutLoss.map { ", held-out loss \(TrainingLine.loss(Double($0)))" } ?? ""
    Output.line(
      "\(output.escapedForTerminal): \(Quantity.count(report.parameters)) parameters, \(Quantity.count(report.steps)) steps, "
        + "\(Quantity.count(report.tokens)) tokens; loss \(TrainingLine.loss(Double(report.loss)))\(heldOut); "
        + "\(Quantity.seconds(report.seconds)), \(Quantity.count(Int(report.tokensPerSecond))) tokens/s")
  }
}

/// What a training comes to.
struct TrainingReport: Encodable {
  var schema = 1
  var output: String
  var parameters: Int
  var parametersWithoutEmbeddings: Int
  /// Of the whole training.
  var steps: Int
  var tokens: Int
  /// Mean of the last steps'.
  var loss: Float
  var heldOutLoss: Float?
  var losses: [Float]
  var seconds: Double
  var tokensPerSecond: Double

  enum CodingKeys: String, CodingKey {
    case schema, output, parameters, steps, tokens, loss, losses, seconds
    case parametersWithoutEmbeddings = "parameters_without_embeddings"
    case heldOutLoss = "held_out_loss"
    case tokensPerSecond = "tokens_per_second"
  }

  /// - Parameters:
  ///   - steps: Those of this run,
  ///   - seconds: which took so long.
  init(_ trainer: Trainer, output: String, steps: Int, seconds: Double) {
    self.output = output
    parameters = trainer.parameterCount
    parametersWithoutEmbeddings = trainer.parameterCountWithoutEmbeddings
    self.steps = trainer.step
    tokens = trainer.step * trainer.settings.tokensPerStep
    let last = trainer.losses.suffix(20)
    loss = last.reduce(0, +) / Float(max(1, last.count))
    heldOutLoss = trainer.heldOutLosses.last?.loss
    losses = trainer.losses
    self.seconds = seconds
    tokensPerSecond = seconds > 0 ? Double(steps * trainer.settings.tokensPerStep) / seconds : 0
  }
}
