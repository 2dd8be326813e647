import KistCore
import KistFormat

extension SetJoin {
  /// Throws `invalid` when what the joined model computes is not what probes are for: of a quantized one they say what its source computes.
  public func check(_ probes: ConversionOptions.ProbeSource) throws(KistError) {
    guard probes == .computed, manifest.isQuantized else { return }
    throw KistError(
      .invalid, file: paths[0], "is quantized, and probes say what the source computes",
      advice: "name it with --probes-of")
  }

  /// Lets the joined container say what its model computes.
  public func recordProbes(
    _ probes: ConversionOptions.ProbeSource, parallelism: Parallelism, _ outcome: inout Outcome
  ) throws(KistError) {
    guard probes != .none else { return }
    try recordProbes(probes, computedBy: try Checkpoint.open(path: target), parallelism, &outcome)
  }

  /// What the parts were made from.
  ///
  /// - Throws: `invalid` when it is something else.
  public func openSource(_ path: String) throws(KistError) -> Checkpoint {
    let source = try Checkpoint.open(path: path, includingAllFiles: manifest.takesAllFiles)
    guard try SourceFingerprint(of: source).digest.hexadecimal == manifest.source else {
      throw KistError(.invalid, file: path, "is not what \(paths[0]) was made from")
    }
    return source
  }

  /// Lets the joined container say what its source computes.
  public func recordProbes(
    of source: Checkpoint, parallelism: Parallelism, _ outcome: inout Outcome
  ) throws(KistError) {
    if let recorded = try source.recordedProbes() {
      outcome.byteCount += try ProbeSet.record(recorded, into: target, parallelism)
    } else {
      try recordProbes(.computed, computedBy: try source.plain(), parallelism, &outcome)
    }
  }

  private func recordProbes(
    _ probes: ConversionOptions.ProbeSource, computedBy model: Checkpoint, _ parallelism: Parallelism,
    _ outcome: inout Outcome
  ) throws(KistError) {
    let (computed, notices) = try probes.compute(of: model, parallelism)
    outcome.notices += notices
    guard let computed else { return }
    outcome.byteCount += try ProbeSet.record(try computed.encoded(), into: target, parallelism)
  }
}
