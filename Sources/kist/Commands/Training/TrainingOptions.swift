import ArgumentParser
import KistCore
import KistTraining

/// How a model is trained, as options. What is not given is as usual, or as it was saved.
struct TrainingOptions: ParsableArguments {
  @Option(help: "Steps of the optimizer. (default: 1000)")
  var steps: Int?

  @Option(help: "Sequences of a step. (default: 8)")
  var batch: Int?

  @Option(help: "Tokens of a sequence. (default: 256, or what the model reaches)")
  var context: Int?

  @Option(help: "Batches whose gradients are added up before a step. (default: 1)")
  var accumulate: Int?

  @Option(help: "adamw, adam or sgd (with momentum). (default: adamw)")
  var optimizer: TrainingSettings.Optimizer?

  @Option(name: .customLong("lr"), help: "Learning rate at its peak. (default: 0.001)")
  var rate: Double?

  @Option(name: .customLong("min-lr"), help: "Learning rate at the end of the cosine. (default: a tenth of --lr)")
  var minimumRate: Double?

  @Option(
    name: .customLong("warmup"),
    help: "Steps in which the learning rate rises. (default: 100, at most a tenth of --steps)")
  var warmUp: Int?

  @Option(help: "Weight decay, of matrices and tables; norms and biases have none. (default: 0.1)")
  var weightDecay: Double?

  @Option(help: "Cut the gradient's norm to this; 0 never does. (default: 1)")
  var clip: Double?

  @Option(help: "How slowly Adam's average of gradients follows. (default: 0.9)")
  var beta1: Double?

  @Option(help: "How slowly Adam's average of squares follows. (default: 0.95)")
  var beta2: Double?

  @Option(help: "How slowly the velocity of sgd follows. (default: 0.9)")
  var momentum: Double?

  @Option(help: "Makes weights and batches repeatable. (default: 0)")
  var seed: UInt64?

  @Option(
    help: ArgumentHelp("Part of the text, at its end, that is not trained on. (default: 0.05)", valueName: "part"))
  var heldOut: Double?

  @Option(help: ArgumentHelp("Steps from one held-out loss to the next. (default: 250)", valueName: "steps"))
  var evalEvery: Int?

  /// Settings of a new training.
  ///
  /// - Parameter reach: Most tokens of a text of the model; nil when nothing bounds them.
  func settings(reach: Int?) -> TrainingSettings {
    var settings = TrainingSettings()
    settings.context = min(settings.context, reach ?? .max)
    settings = applied(to: settings)
    if warmUp == nil { settings.warmUp = min(settings.warmUp, settings.steps / 10) }
    if minimumRate == nil { settings.minimumRate = settings.rate / 10 }
    return settings
  }

  /// Those settings with what was given instead.
  func applied(to settings: TrainingSettings) -> TrainingSettings {
    var result = settings
    result.steps = steps ?? result.steps
    result.batch = batch ?? result.batch
    result.context = context ?? result.context
    result.accumulation = accumulate ?? result.accumulation
    result.optimizer = optimizer ?? result.optimizer
    result.rate = rate ?? result.rate
    result.minimumRate = minimumRate ?? result.minimumRate
    result.warmUp = warmUp ?? result.warmUp
    result.weightDecay = weightDecay ?? result.weightDecay
    if let clip { result.clip = clip == 0 ? nil : clip }
    result.beta1 = beta1 ?? result.beta1
    result.beta2 = beta2 ?? result.beta2
    result.momentum = momentum ?? result.momentum
    result.seed = seed ?? result.seed
    result.heldOut = heldOut ?? result.heldOut
    result.evaluationInterval = evalEvery ?? result.evaluationInterval
    return result
  }

  /// Settings of a training that goes on: those that were saved, perhaps with more steps.
  ///
  /// - Throws: `invalid` for another setting that is not as it was.
  func settings(resuming saved: TrainingSettings, file: String) throws(KistError) -> TrainingSettings {
    let wanted = applied(to: saved)
    var same = wanted
    (same.steps, same.evaluationInterval) = (saved.steps, saved.evaluationInterval)
    guard same == saved else {
      throw KistError(
        .invalid, file: file, "was trained with other settings, and the result would be neither training's",
        advice: "with --resume give only --steps and --eval-every, or the same settings as before")
    }
    return wanted
  }
}

extension TrainingSettings.Optimizer: ExpressibleByArgument {}
