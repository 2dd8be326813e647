import Foundation
import KistCore
import KistFormat
import KistInference
import KistQuantization

extension Quantization {
  /// What a quantization did.
  public struct Outcome: Sendable {
    /// Bytes of the target.
    public var byteCount: Int
    public var notices: [String]
    /// How far the result is from the source; nil when nobody wanted to know, or it can't be computed.
    public var verdict: Verdict?
    /// Where the result is, when the verdict failed.
    public var rejectedPath: String?
    /// Seconds for writing, and for everything after.
    public var writingSeconds = 0.0
    public var judgingSeconds = 0.0
  }

  /// Writes the target under a provisional name, and gives it its own when it computes about what the source computes.
  public func run(progress: any ProgressObserver) throws(KistError) -> Outcome {
    let provisional = Conversion.provisionalPath(for: target)
    // Only a process that was killed leaves one.
    try? FileManager.default.removeItem(atPath: provisional)
    defer { try? FileManager.default.removeItem(atPath: provisional) }
    let clock = ContinuousClock()
    let start = clock.now
    do throws(KistError) {
      var outcome = try write(to: provisional, progress)
      let written = clock.now
      outcome.writingSeconds = (written - start) / .seconds(1)
      try recordProbes(in: provisional, &outcome)
      if options.verifies, options.conversion.part == nil { outcome.verdict = try judge(provisional, &outcome.notices) }
      outcome.judgingSeconds = (clock.now - written) / .seconds(1)
      let isRejected = outcome.verdict?.matches == false
      let path = isRejected ? target + ".rejected" : target
      try moveFile(provisional, to: path, replacing: isRejected || options.conversion.replacesExisting)
      outcome.rejectedPath = isRejected ? path : nil
      return outcome
    } catch {
      var error = error
      if error.file == provisional { error.file = target }
      throw error
    }
  }

  private func write(to path: String, _ progress: any ProgressObserver) throws(KistError) -> Outcome {
    var settings = options.conversion
    settings.probes = .none
    settings.verifies = false
    settings.leastResumedByteCount = .max
    settings.replacesExisting = true
    var conversion = conversion
    conversion.target = path
    conversion.options = settings
    let outcome = try conversion.run(progress: progress)
    return Outcome(byteCount: outcome.byteCount, notices: notices + outcome.notices)
  }

  /// Lets a container say what its source computes; of a part that waits until all are joined.
  private func recordProbes(in path: String, _ outcome: inout Outcome) throws(KistError) {
    guard conversion.targetFormat == .kist, options.conversion.probes != .none, options.conversion.part == nil else {
      return
    }
    let wanted: [UInt8]?
    do throws(KistError) {
      if let probes { wanted = probes } else { wanted = try options.probes(of: source) }
    } catch {
      // What nobody asked for is no obstacle.
      guard options.conversion.probes == .computed, error.kind != .interrupted else { throw error }
      outcome.notices.append("no probes: \(error)")
      return
    }
    guard let wanted else { return }
    outcome.byteCount += try ProbeSet.record(wanted, into: path, options.conversion.parallelism)
  }

  /// A source that can't be computed is no obstacle: a line says why there is no verdict.
  private func judge(_ path: String, _ notices: inout [String]) throws(KistError) -> Verdict? {
    let reference: LoadedModel
    do throws(KistError) {
      reference = try LoadedModel(source, memory: options.memory)
      try reference.weights.requireFinite(options.conversion.parallelism)
    } catch {
      notices.append("no verdict: \(error)")
      return nil
    }
    let texts = try VerificationTexts.texts(for: reference, of: options.text)
    let candidate = try LoadedModel(try Checkpoint.open(path: path), memory: options.memory, nonfinite: .computed)
    let tolerance = options.maximumDivergence.map { Tolerance(reason: "as asked", meanDivergence: $0) }
    return try ModelComparison(
      parallelism: options.conversion.parallelism, tolerance: tolerance ?? DamageLimits.tolerance(of: scheme)
    ).compare(candidate, with: reference, texts: texts)
  }
}

extension QuantizationOptions {
  /// What a container is to say that its source computes; nil when it is to say nothing.
  func probes(of source: Checkpoint) throws(KistError) -> [UInt8]? {
    switch conversion.probes {
    case .none: return nil
    case .golden(let path):
      return try ProbeSet(try LogitFile(path: path), of: try LoadedModel(source, memory: memory)).encoded()
    case .computed:
      if let recorded = try source.recordedProbes() { return recorded }
      return try ProbeSet(of: try LoadedModel(source, memory: memory), parallelism: conversion.parallelism).encoded()
    }
  }
}

/// How much a quantization may change what a model computes: the table in docs/quantization.md.
enum DamageLimits {
  /// Mean KL divergence in nats by the bits of a weight: about ten times what good models lose.
  private static let byBits: [(bits: Double, meanDivergence: Double)] = [
    (8.5, 5e-3), (6.6, 0.03), (5.5, 0.1), (4.5, 0.3), (3.5, 1), (2.7, 3),
  ]
  /// Types that only models made for them survive.
  private static let unjudged: Set<DType> = [.q1_0, .q2_0, .tq1_0, .tq2_0, .iq1_s, .iq1_m]

  static func tolerance(of scheme: QuantizationScheme) -> Tolerance? {
    let dtype: DType
    switch scheme {
    case .mixture(let mixture): dtype = mixture.defaultType
    case .uniform(let uniform): dtype = uniform
    }
    guard dtype.isBlockType, dtype != .q8_0 else { return nil }
    let limit = unjudged.contains(dtype) ? nil : byBits.last { dtype.meanBitsPerElement <= $0.bits }
    return Tolerance(reason: "quantized to \(scheme.name)", meanDivergence: limit?.meanDivergence)
  }
}
