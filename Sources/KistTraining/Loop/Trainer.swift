import KistArchitectures
import KistCore
import KistInference

/// A model in training: takes steps, and can be saved after any of them.
///
/// All that a step does follows from the settings, the tokens, the parameters and what the optimizer remembers: a training that was saved
/// and goes on comes to the same numbers as one that was not.
public final class Trainer {
  public let settings: TrainingSettings
  public let corpus: TokenCorpus
  package let store: ParameterStore
  /// Steps that were taken.
  public private(set) var step = 0
  /// The mean loss of each step's tokens, before the step.
  public private(set) var losses: [Float] = []
  public private(set) var heldOutLosses: [HeldOutLoss] = []

  private let gradient: LossGradient
  private let optimizer: OptimizerSteps
  private var sampler: BatchSampler
  /// Where held-out windows begin.
  private let heldOutStarts: [Int]

  public struct HeldOutLoss: Sendable, Equatable {
    public var step: Int
    public var loss: Float

    public init(step: Int, loss: Float) { (self.step, self.loss) = (step, loss) }
  }

  /// What a step did.
  public struct StepReport: Sendable {
    /// From 1.
    public var step: Int
    public var loss: Double
    public var gradientNorm: Double
    public var rate: Double
  }

  /// Begins a training from random weights.
  ///
  /// - Parameter deviation: Of the normal distribution that matrices begin with: the configuration's `initializer_range`.
  /// - Throws: `unsupported` for what can't be trained; `invalid` for settings that make no sense or a corpus smaller than a batch.
  public convenience init(
    _ model: ModelDescription, settings: TrainingSettings, corpus: TokenCorpus, deviation: Double, threads: Int?,
    file: String
  ) throws(KistError) {
    let layout = try ParameterLayout(model, file: file)
    let store = ParameterStore(layout, stateNames: OptimizerSteps.stateNames(settings.optimizer))
    store.initialize(seed: settings.seed, deviation: deviation)
    try self.init(store, settings: settings, corpus: corpus, threads: threads)
  }

  package init(
    _ store: ParameterStore, settings: TrainingSettings, corpus: TokenCorpus, threads: Int?
  ) throws(KistError) {
    try settings.check()
    self.settings = settings
    self.corpus = corpus
    self.store = store
    let workers = Workers(threads: threads)
    gradient = try LossGradient(store, sequences: settings.batch, context: settings.context, workers: workers)
    optimizer = OptimizerSteps(settings, store, workers)
    let trained = corpus.tokenCount - Int(Double(corpus.tokenCount) * settings.heldOut)
    sampler = try BatchSampler(
      tokenCount: trained, context: settings.context, batch: settings.batch, seed: settings.seed)
    heldOutStarts = Self.windows(in: trained..<corpus.tokenCount, context: settings.context)
  }

  /// Goes on where a training was saved.
  package func resume(step: Int, losses: [Float], heldOutLosses: [HeldOutLoss]) {
    (self.step, self.losses, self.heldOutLosses) = (step, losses, heldOutLosses)
  }

  /// Windows one after the other; of many, some that are evenly spread.
  private static func windows(in range: Range<Int>, context: Int) -> [Int] {
    let count = max(0, range.count - 1) / context
    let wanted = min(count, 256)
    return (0..<wanted).map { range.lowerBound + $0 * count / wanted * context }
  }

  public var hasHeldOut: Bool { !heldOutStarts.isEmpty }
  public var parameterCount: Int { store.layout.parameterCount }
  public var parameterCountWithoutEmbeddings: Int { store.layout.parameterCountWithoutEmbeddings }

  /// Takes a step.
  ///
  /// - Throws: `invalid` when the loss or the gradient is not finite: nothing was changed then.
  public func advance() throws(KistError) -> StepReport {
    store.clearGradients()
    var loss = 0.0
    for part in 0..<settings.accumulation {
      let number = step * settings.accumulation + part
      let texts = sampler.starts(ofBatch: number, size: settings.batch).map(window)
      loss += try gradient.addGradient(of: texts, share: 1 / Double(settings.accumulation))
    }
    loss /= Double(settings.accumulation)
    let norm = try optimizer.gradientNorm()
    guard loss.isFinite, norm.isFinite else {
      throw KistError(
        .invalid, field: "step \(step + 1)",
        "the loss is \(loss) and the gradient's norm \(norm): the training blew up",
        advice: "a lower --lr, a longer --warmup or --clip keep it together")
    }
    let rate = settings.rate(at: step)
    try optimizer.step(step + 1, rate: rate, norm: norm)
    step += 1
    losses.append(Float(loss))
    return StepReport(step: step, loss: loss, gradientNorm: norm, rate: rate)
  }

  /// The loss on the part of the corpus that is not trained on; nil when that is shorter than a window.
  @discardableResult
  public func evaluate() throws(KistError) -> Double? {
    guard hasHeldOut else { return nil }
    var sum = 0.0
    for start in stride(from: 0, to: heldOutStarts.count, by: settings.batch) {
      let starts = heldOutStarts[start..<min(start + settings.batch, heldOutStarts.count)]
      sum += try gradient.loss(of: starts.map(window)) * Double(starts.count)
    }
    let loss = sum / Double(heldOutStarts.count)
    heldOutLosses.append(HeldOutLoss(step: step, loss: Float(loss)))
    return loss
  }

  private func window(_ start: Int) -> [Int] { corpus.tokens(start..<start + settings.context + 1) }
}
