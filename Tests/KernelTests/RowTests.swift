import Foundation
import TestSupport
import Testing

/// Norms and softmaxes of one row, beside their definitions in f64.
@Suite struct RowTests {
  private func normalized(_ x: [Float], _ weight: [Float]?, _ bias: [Float]?, centered: Bool) -> [Double] {
    let count = Double(x.count)
    let mean = centered ? x.reduce(0.0) { $0 + Double($1) } / count : 0
    let square = x.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / count
    let scale = 1 / (square + Double(Float(1e-5))).squareRoot()
    return x.indices.map {
      (Double(x[$0]) - mean) * scale * Double(weight?[$0] ?? 1) + Double(bias?[$0] ?? 0)
    }
  }

  /// Whether each element is right to 2e-7 of the largest.
  private func isClose(_ result: [Float], _ expected: [Double]) -> Bool {
    let largest = expected.map(abs).max() ?? 0
    return result.count == expected.count && zip(result, expected).allSatisfy { abs(Double($0) - $1) <= 2e-7 * largest }
  }

  @Test(arguments: Clone.all) func `an RMS norm is its definition, with and without weights`(clone: Clone) {
    var random = SeededGenerator(seed: 21)
    for length in edgeLengths {
      let (x, weight) = (random.weights(length, deviation: 2), random.weights(length, deviation: 1))
      for weight in [weight, nil] {
        let result = clone.rmsNorm(x, weight, epsilon: 1e-5)
        #expect(isClose(result, normalized(x, weight, nil, centered: false)))
      }
    }
  }

  @Test(arguments: Clone.all) func `a layer norm is its definition, also far from 0`(clone: Clone) {
    var random = SeededGenerator(seed: 22)
    for length in edgeLengths where length > 1 {
      let (weight, bias) = (random.weights(length, deviation: 1), random.weights(length, deviation: 1))
      for offset in [0, 1000] as [Float] {
        let x = random.weights(length, deviation: 2).map { $0 + offset }
        for (weight, bias) in [(weight, bias), (weight, nil), (nil, bias), (nil, nil)] {
          let result = clone.layerNorm(x, weight, bias, epsilon: 1e-5)
          #expect(isClose(result, normalized(x, weight, bias, centered: true)))
        }
      }
    }
  }

  private func softmax(_ clone: Clone, _ x: [Float], sink: Float? = nil) -> [Float] {
    guard let sink else { return clone.apply(.softmax, x) }
    return clone.apply(.softmaxSink, x, sink)
  }

  /// The differences from the largest are f32, as in PyTorch; the rest is exact.
  private func isSoftmax(_ result: [Float], of x: [Float], sink: Float? = nil) -> Bool {
    let maximum = max(x.max() ?? -.infinity, sink ?? -.infinity)
    let terms = x.map { exp(Double($0 - maximum)) }
    let sum = terms.reduce(0, +) + (sink.map { exp(Double($0 - maximum)) } ?? 0)
    return zip(result, terms).allSatisfy { unitsInLastPlace($0, $1 / sum, least: 0x1p-148) <= 3 }
  }

  @Test(arguments: Clone.all) func `a softmax is its definition, with masked elements and with a sink`(clone: Clone) {
    var random = SeededGenerator(seed: 23)
    for length in edgeLengths {
      var x = random.weights(length, deviation: 8)
      if length > 3 { x[length / 2] = -.infinity }
      #expect(isSoftmax(softmax(clone, x), of: x))
      for sink in [-30, 0, 30] as [Float] { #expect(isSoftmax(softmax(clone, x, sink: sink), of: x, sink: sink)) }
      let large = x.map { $0 * 1e37 }
      #expect(length == 0 || softmax(clone, large).reduce(0, +) == 1)
    }
  }

  @Test(arguments: Clone.all) func `a softmax of nothing but masked elements is NaN, beside a sink 0`(clone: Clone) {
    for length in [1, 5, 16, 33] {
      let masked = [Float](repeating: -.infinity, count: length)
      #expect(softmax(clone, masked).allSatisfy { $0.isNaN })
      #expect(softmax(clone, masked, sink: 1) == [Float](repeating: 0, count: length))
    }
    for bad in [.nan, .infinity] as [Float] {
      #expect(softmax(clone, [1, 2, bad, 3]).allSatisfy { $0.isNaN })
    }
  }

  @Test(arguments: Clone.all) func `log-sum-exp is its definition`(clone: Clone) {
    var random = SeededGenerator(seed: 24)
    for length in edgeLengths {
      for offset in [0, 1000, -1000] as [Float] {
        let x = random.weights(length, deviation: 8).map { $0 + offset }
        let maximum = Double(x.max() ?? 0)
        let exact = log(x.reduce(0.0) { $0 + exp(Double($1) - maximum) }) + maximum
        #expect(unitsInLastPlace(clone.logSumExp(x), exact, least: 1e-7) <= 1)
      }
    }
    #expect(clone.logSumExp([-.infinity, -.infinity]) == -.infinity)
    #expect(clone.logSumExp([1, .infinity, -.infinity]) == .infinity)
    #expect(clone.logSumExp([1, .nan]).isNaN)
  }

  @Test func `rows have the same bits on every processor`() {
    var random = SeededGenerator(seed: 25)
    for length in edgeLengths {
      let (x, weight) = (random.weights(length, deviation: 4), random.weights(length, deviation: 1))
      let results = Clone.all.map { clone -> [UInt32] in
        let norms = clone.rmsNorm(x, weight, epsilon: 1e-5) + clone.layerNorm(x, weight, weight, epsilon: 1e-5)
        return bits(norms + softmax(clone, x) + softmax(clone, x, sink: 1) + [clone.logSumExp(x)])
      }
      #expect(Set(results).count == 1)
    }
  }
}
