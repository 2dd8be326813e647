import CKernels
import KernelClones
import KistConversion
import TestSupport
import Testing

/// What sums up numbers for reports and tables of damage, beside the plain twins that define it to the bit.
@Suite struct StatisticsTests {
  private static let numbers: [Double] = [.nan, .infinity, -.infinity, 0, -0.0, 1e300, -1e-300, .leastNonzeroMagnitude]

  private func values(_ count: Int, _ random: inout SeededGenerator) -> [Double] {
    (0..<count).map { _ in
      random.next() % 8 == 0
        ? Self.numbers.randomElement(using: &random) ?? 0 : Double.random(in: -1...1, using: &random)
    }
  }

  /// Kinds of input, the first of every kind finite and usual.
  private func weights(_ count: Int, _ random: inout SeededGenerator) -> [[Float]] {
    let normal = random.weights(count, deviation: 1)
    func some(_ special: [Float]) -> [Float] {
      normal.map { random.next() % 4 == 0 ? special.randomElement(using: &random) ?? 0 : $0 }
    }
    return [
      normal, .init(repeating: 0, count: count), .init(repeating: -0.37, count: count), normal.map { $0 * 0x1p-140 },
      normal.map { $0 * 0x1p125 }, some([.greatestFiniteMagnitude, -.greatestFiniteMagnitude]), some([.nan]),
      some([.infinity, -.infinity]), some(specialValues),
    ]
  }

  private func bits(_ loss: kist_loss) -> [UInt64] {
    [loss.maximum, loss.errors, loss.squares, loss.weighted].map { $0.isNaN ? .max : $0.bitPattern } + [loss.nonfinite]
  }

  @Test(arguments: Clone.all) func `a loss is what its plain twin measures`(clone: Clone) {
    var random = SeededGenerator(seed: 71)
    for length in edgeLengths {
      let importance = random.weights(length, deviation: 1).map(\.magnitude)
      for values in weights(length, &random) {
        for written in [values, random.weights(length, deviation: 1)] + weights(length, &random) {
          for weights in [nil, importance] {
            let plain = PlainStatistics.measureLoss(values, written, weights: weights)
            #expect(bits(clone.loss(values, written, weights)) == bits(plain))
          }
        }
      }
    }
  }

  @Test func `a loss is the sum of what its numbers lose`() {
    let values: [Float] = [1, 2, .nan, 3, .infinity, -4, 0.5, 7, 9]
    let written: [Float] = [1.5, 2, 1, .nan, 8, -1, 0.5, 7, 8]
    let loss = PlainStatistics.measureLoss(values, written, weights: [2, 1, 1, 1, 1, 3, 1, 1, 4])
    #expect(loss.maximum == 3 && loss.nonfinite == 2)
    #expect(loss.errors == 10.25)
    #expect(loss.weighted == 31.5)
    #expect(loss.squares == 151.25)
    #expect(PlainStatistics.measureLoss(values, written, weights: nil).weighted == 0)
  }

  @Test(arguments: Clone.all) func `a summary and a comparison are those of their plain twins`(clone: Clone) {
    var random = SeededGenerator(seed: 72)
    for length in edgeLengths {
      let (a, b) = (values(length, &random), values(length, &random))
      let (summary, plain) = (clone.summary(a), PlainStatistics.summarize(a))
      #expect(summary.minimum == plain.minimum && summary.maximum == plain.maximum)
      #expect(summary.mean == plain.mean && summary.squares == plain.squares)
      #expect(
        [summary.finite, summary.nans, summary.infinities, summary.zeros]
          == [plain.finite, plain.nans, plain.infinities, plain.zeros])

      let (comparison, twin) = (clone.comparison(a, b), PlainStatistics.compare(a, b))
      #expect(comparison.maximum == twin.maximum)
      #expect(comparison.errors == twin.errors && comparison.squares == twin.squares)
      #expect(comparison.differing == twin.differing && comparison.incomparable == twin.incomparable)
    }
  }
}

extension Clone {
  func loss(_ values: [Float], _ written: [Float], _ weights: [Float]?) -> kist_loss {
    var loss = kist_loss()
    unsafe kernels.measure_loss(values, written, weights, values.count, &loss)
    return loss
  }

  func summary(_ values: [Double]) -> kist_summary {
    var summary = kist_summary()
    unsafe kernels.summarize(values, values.count, &summary)
    return summary
  }

  func comparison(_ values: [Double], _ reference: [Double]) -> kist_comparison {
    var comparison = kist_comparison()
    unsafe kernels.compare(values, reference, values.count, &comparison)
    return comparison
  }
}
