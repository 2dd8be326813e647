import KistCore
import KistFormat
import KistInference

extension CheckpointVerification {
  /// Runs a container's model on its probes and compares with what was recorded.
  ///
  /// - Parameters:
  ///   - asked: Whether not being able to is an error, and not just a note.
  ///   - memory: Weights that may stay in memory.
  /// - Throws: what computing throws; `missing` when there are no probes and they were asked for.
  public mutating func checkProbes(
    asked: Bool, tolerance: Tolerance?, memory: MemoryBudget, parallelism: Parallelism
  ) throws(KistError) {
    let clock = ContinuousClock()
    let start = clock.now
    do throws(KistError) {
      let checkpoint = try Checkpoint.open(path: path)
      guard let container = checkpoint.container, let probes = try ProbeSet.recorded(in: container) else {
        guard asked else { return }
        throw KistError(
          .missing, file: path, "has no probes",
          advice: "they are recorded when a whole model is converted; --against and --golden need none")
      }
      verdict = try probes.check(
        try LoadedModel(checkpoint, memory: memory), tolerance: tolerance, parallelism: parallelism)
    } catch {
      guard !asked, error.kind != .interrupted else { throw error }
      // A model that contradicts its configuration is damage like any other; all else is no fault of the file.
      if error.kind == .damaged {
        problems.append(Problem(kind: nil, name: nil, problem: CheckpointVerification.words(error, path)))
        isSound = false
      } else {
        notes.append("the probes were not run: \(error)")
      }
      return
    }
    level = "probes"
    seconds += (clock.now - start) / .seconds(1)
    isSound = isSound && verdict?.matches != false
  }
}
