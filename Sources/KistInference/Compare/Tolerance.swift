import KistCore

/// What a verdict allows.
public struct Tolerance: Sendable, Equatable {
  /// Why it is what it is, for a person.
  public var reason: String
  /// Most that a logit may differ, as a part of the reference's range.
  public var difference: Double?
  /// Largest mean KL divergence in nats.
  public var meanDivergence: Double?

  public init(reason: String, difference: Double? = nil, meanDivergence: Double? = nil) {
    self.reason = reason
    self.difference = difference
    self.meanDivergence = meanDivergence
  }

  /// The same numbers, computed in another order.
  public static let exact = Tolerance(reason: "the same values", difference: 1e-4)

  /// What rounding to a dtype explains. CLI.md, "Default tolerances".
  public static func rounding(to dtype: DType) -> Tolerance {
    switch dtype {
    case .f32, .f64: exact
    case .f16: Tolerance(reason: "rounded to F16", meanDivergence: 1e-4)
    case .bf16: Tolerance(reason: "rounded to BF16", meanDivergence: 2e-3)
    case .q8_0: Tolerance(reason: "quantized to Q8_0", meanDivergence: 5e-3)
    default: Tolerance(reason: "quantized to \(dtype)")
    }
  }

  /// Whether one allows more than another.
  package func isLooser(than other: Tolerance) -> Bool { rank > other.rank }

  private var rank: Double { difference == nil ? meanDivergence ?? .infinity : 0 }

  /// What two models' dtypes explain, tensor by tensor: the loosest of what any of the candidate's was rounded to.
  public static func between(_ candidate: WeightTable, _ reference: WeightTable) -> Tolerance {
    var loosest = exact
    for key in candidate.model.tensorKeys {
      guard let own = candidate.dtype(of: key), let other = reference.dtype(of: key), own != other else { continue }
      let tolerance = rounding(to: own)
      if tolerance.isLooser(than: loosest) { loosest = tolerance }
    }
    return loosest
  }

  /// Whether logits stay within it.
  public func allows(_ comparison: LogitComparison) -> Bool {
    if comparison.hasNonfinite { return false }
    if let difference {
      let disagreements = comparison.positionCount - comparison.sameTopOne - comparison.tiedTopOne
      guard comparison.largestDifference <= difference * comparison.range, disagreements == 0 else { return false }
    }
    if let meanDivergence { return comparison.meanDivergence <= meanDivergence }
    return true
  }
}
