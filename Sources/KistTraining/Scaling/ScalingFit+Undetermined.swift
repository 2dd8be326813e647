extension ScalingFit {
  /// A constant that the runs do not determine: laws with very different values of it explain them alike.
  public struct Undetermined: Sendable, Equatable, Codable {
    public var constant: String
    /// 95 % of the samples.
    public var low: Double
    public var high: Double
    /// The runs that would determine it.
    public var missing: String
  }

  /// How far apart the ends of an exponent's interval may lie.
  private static let widestExponents = 3.0
  /// How wide the interval of the floor may be, as a part of the least loss.
  private static let widestFloor = 0.25

  /// Looks at exponents and floor: a coefficient follows from its exponent.
  static func undetermined(_ form: ScalingForm, _ samples: [ScalingLaw], _ runs: [ScalingRun]) -> [Undetermined] {
    let leastLoss = runs.map(\.loss).min() ?? 0
    let constants: [(index: Int, missing: String)] = [
      (1, "models of more different sizes, each on the most text"),
      (3, "more different amounts of text, for the largest model"),
      (4, "larger models on more text"),
    ]
    return constants.filter { $0.index < form.constantNames.count }.compactMap { index, missing in
      let interval = Interval(of: samples.map { $0.constants[index] })
      let isDetermined =
        index == 4
        ? interval.high - interval.low <= widestFloor * leastLoss : interval.high <= widestExponents * interval.low
      guard !isDetermined else { return nil }
      return Undetermined(
        constant: form.constantNames[index], low: interval.low, high: interval.high, missing: missing)
    }
  }
}
