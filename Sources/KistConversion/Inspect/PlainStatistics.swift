import CKernels

/// The plain twins of the kernels in CKernels/Statistics.c: they define them, to the order of summation.
package enum PlainStatistics {
  private static let laneCount = 8

  private static func sum(_ lanes: [Double]) -> Double {
    ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) + ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]))
  }

  package static func summarize(_ values: [Double]) -> kist_summary {
    var summary = kist_summary()
    let finite = values.filter(\.isFinite)
    summary.finite = UInt64(finite.count)
    summary.nans = UInt64(values.count(where: \.isNaN))
    summary.infinities = UInt64(values.count(where: \.isInfinite))
    summary.zeros = UInt64(values.count(where: \.isZero))
    summary.minimum = finite.min() ?? .infinity
    summary.maximum = finite.max() ?? -.infinity
    guard !finite.isEmpty else { return summary }

    var sums = [Double](repeating: 0, count: laneCount)
    for (index, value) in values.enumerated() where value.isFinite { sums[index % laneCount] += value }
    summary.mean = sum(sums) / Double(finite.count)
    var squares = [Double](repeating: 0, count: laneCount)
    for (index, value) in values.enumerated() where value.isFinite {
      let difference = value - summary.mean
      squares[index % laneCount] += difference * difference
    }
    summary.squares = sum(squares)
    return summary
  }

  package static func compare(_ values: [Double], _ reference: [Double]) -> kist_comparison {
    var comparison = kist_comparison()
    var errors = [Double](repeating: 0, count: laneCount)
    var squares = errors
    for (index, (a, b)) in zip(values, reference).enumerated() {
      let difference = a - b
      let differs = a != b && !(a.isNaN && b.isNaN)
      if differs { comparison.differing += 1 }
      guard difference.isFinite else {
        if differs { comparison.incomparable += 1 }
        continue
      }
      comparison.maximum = max(comparison.maximum, difference.magnitude)
      errors[index % laneCount] += difference * difference
      squares[index % laneCount] += b * b
    }
    comparison.errors = sum(errors)
    comparison.squares = sum(squares)
    return comparison
  }

  package static func measureLoss(_ values: [Float], _ written: [Float], weights: [Float]?) -> kist_loss {
    var loss = kist_loss()
    var errors = [Double](repeating: 0, count: laneCount)
    var (squares, weighted) = (errors, errors)
    for (index, (value, written)) in zip(values, written).enumerated() {
      let lane = index % laneCount
      let (a, difference) = (Double(value), Double(written) - Double(value))
      if !value.isFinite { loss.nonfinite += 1 }
      let square = difference.isFinite ? difference * difference : 0
      errors[lane] += square
      if difference.isFinite {
        loss.maximum = max(loss.maximum, difference.magnitude)
        squares[lane] += a * a
      }
      if let weights { weighted[lane] += Double(weights[index]) * square }
    }
    loss.errors = sum(errors)
    loss.squares = sum(squares)
    loss.weighted = sum(weighted)
    return loss
  }
}
