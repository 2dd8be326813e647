import KistCore

/// Sees a training go on.
public protocol TrainingObserver {
  /// After each step.
  func advanced(_ report: Trainer.StepReport)
  /// After each evaluation.
  func evaluated(step: Int, heldOutLoss: Double)
}

extension Trainer {
  /// Takes the steps that are left.
  ///
  /// - Parameters:
  ///   - saveInterval: Steps from one checkpoint to the next.
  ///   - cancellation: Looked at between steps: what was reached is saved then.
  ///   - save: Writes a checkpoint; also called at the end.
  /// - Throws: `interrupted`; `invalid` when the training blows up: the last checkpoint stays as it is.
  public func run(
    saveInterval: Int, cancellation: Cancellation, observer: any TrainingObserver,
    save: () throws(KistError) -> Void
  ) throws(KistError) {
    while step < settings.steps {
      guard !cancellation.isCancelled else {
        try save()
        throw KistError(.interrupted, "interrupted")
      }
      observer.advanced(try advance())
      if step % settings.evaluationInterval == 0 || step == settings.steps, let loss = try evaluate() {
        observer.evaluated(step: step, heldOutLoss: loss)
      }
      if step % saveInterval == 0 && step < settings.steps { try save() }
    }
    try save()
  }
}
