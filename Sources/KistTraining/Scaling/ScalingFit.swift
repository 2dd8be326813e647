import Foundation
import KistCore

/// A law that was fitted to runs, with what is sure about it.
public struct ScalingFit: Sendable, Equatable {
  public let law: ScalingLaw
  /// Laws fitted to runs that were drawn again from these runs: how far the constants spread. Source: Efron 1979.
  public let samples: [ScalingLaw]
  public let runCount: Int
  /// Mean of |ln L − ln of the loss|: how far the law is from the runs.
  public let meanError: Double
  /// Constants that are not to be relied on.
  public let undetermined: [Undetermined]

  /// What lies between: 95 % of the samples.
  public struct Interval: Sendable, Equatable {
    public var low: Double
    public var high: Double
  }

  /// Fits a form.
  ///
  /// - Parameters:
  ///   - sampleCount: How many times runs are drawn again.
  ///   - seed: Makes the drawing repeatable.
  /// - Throws: `invalid` for runs that are too few or can't tell the constants; `interrupted`.
  public init(
    _ form: ScalingForm, runs: [ScalingRun], file: String, sampleCount: Int = 400, seed: UInt64 = 0,
    parallelism: Parallelism = Parallelism()
  ) throws(KistError) {
    try runs.checkEnough(for: form, file: file)
    let curve = ScalingCurve(form, runs)
    guard let best = ScalingSearch(curve: curve, runs: runs).fromAnywhere() else {
      throw KistError(.invalid, file: file, "no constants of the \(form.rawValue) form come near these runs")
    }
    law = curve.law(best.theta)
    guard law.constants.allSatisfy({ $0.isFinite && $0 >= 0 }) else {
      throw KistError(
        .invalid, file: file,
        "the runs do not tell the constants of the \(form.rawValue) form: they run off to infinity",
        advice: "try another --form, or train on more sizes and amounts of text")
    }
    runCount = runs.count
    let law = law
    meanError =
      runs.reduce(0) { $0 + abs(log(law.loss(parameters: $1.parameters, tokens: $1.tokens) / $1.loss)) }
      / Double(runs.count)
    let laws = try Self.samples(curve, runs, best.theta, sampleCount, seed, parallelism)
    undetermined = Self.undetermined(form, laws, runs)
    samples = laws.filter { $0.constants.allSatisfy(\.isFinite) }
  }

  package init(
    law: ScalingLaw, samples: [ScalingLaw], runCount: Int, meanError: Double, undetermined: [Undetermined] = []
  ) {
    (self.law, self.samples, self.runCount, self.meanError) = (law, samples, runCount, meanError)
    self.undetermined = undetermined
  }

  private static func samples(
    _ curve: ScalingCurve, _ runs: [ScalingRun], _ theta: [Double], _ count: Int, _ seed: UInt64,
    _ parallelism: Parallelism
  ) throws(KistError) -> [ScalingLaw] {
    var numbers = (0..<count).makeIterator()
    var laws: [ScalingLaw] = []
    try parallelism.inOrder(
      next: { () throws(KistError) in numbers.next() },
      produce: { number throws(KistError) in
        var random = RandomNumbers(seed: seed, stream: UInt64(number))
        let drawn = runs.map { _ in runs[random.below(runs.count)] }
        return curve.law(ScalingSearch(curve: curve, runs: drawn).descend(from: theta, iterations: 200).theta)
      },
      consume: { _, law throws(KistError) in laws.append(law) })
    return laws
  }

  /// The interval of a number that follows from the law.
  public func interval(_ value: (ScalingLaw) -> Double) -> Interval { Interval(of: samples.map(value)) }

  public func interval(ofConstant index: Int) -> Interval { interval { $0.constants[index] } }
}

extension ScalingFit {
  /// The best allocation of each sample.
  public struct Allocations: Sendable {
    private let allocations: [ScalingLaw.Allocation]

    public init(_ fit: ScalingFit, compute: Double) {
      allocations = fit.samples.map { $0.allocation(compute: compute) }
    }

    public func interval(_ value: (ScalingLaw.Allocation) -> Double) -> Interval {
      Interval(of: allocations.map(value))
    }
  }
}

extension ScalingFit.Interval {
  /// The middle 95 % of numbers.
  init(of numbers: [Double]) {
    let values = numbers.filter(\.isFinite).sorted()
    func quantile(_ part: Double) -> Double {
      guard let last = values.last else { return .nan }
      let place = part * Double(values.count - 1)
      let index = Int(place)
      let next = index + 1 < values.count ? values[index + 1] : last
      return values[index] + (next - values[index]) * (place - Double(index))
    }
    self.init(low: quantile(0.025), high: quantile(0.975))
  }
}
