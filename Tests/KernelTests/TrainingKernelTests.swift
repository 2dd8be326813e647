import Foundation
import KernelClones
import TestSupport
import Testing

/// Backward kernels beside plain twins in f64, and the twins beside finite differences of the function itself: a twin that is wrong does
/// not pass for right because a kernel is wrong in the same way.
@Suite struct TrainingKernelTests {
  /// (f(x + h) − f(x − h)) / 2h.
  private func slope(_ f: (Double) -> Double, at x: Double) -> Double {
    let h = 1e-6 * max(1, abs(x))
    return (f(x + h) - f(x - h)) / (2 * h)
  }

  /// Whether each element is right to `tolerance` of the largest.
  private func isClose(_ result: [Float], _ expected: [Double], _ tolerance: Double = 5e-7) -> Bool {
    let largest = expected.map(abs).max() ?? 0
    return result.count == expected.count
      && zip(result, expected).allSatisfy { abs(Double($0) - $1) <= tolerance * max(largest, 1e-30) }
  }

  // MARK: - Activations

  private struct Activation {
    var value: (Double) -> Double
    var slope: (Double) -> Double
  }

  private static let tanhFactor = (2 / Double.pi).squareRoot()

  private func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }

  private func activation(_ name: Clone.Backward) -> Activation {
    switch name {
    case .silu:
      Activation(
        value: { x in x * sigmoid(x) }, slope: { x in sigmoid(x) * (1 + x * (1 - sigmoid(x))) })
    case .gelu:
      Activation(
        value: { x in x / 2 * erfc(-x / 2.squareRoot()) },
        slope: { x in erfc(-x / 2.squareRoot()) / 2 + x * exp(-x * x / 2) / (2 * Double.pi).squareRoot() })
    case .geluTanh:
      Activation(
        value: { x in x / 2 * (1 + tanh(Self.tanhFactor * (x + 0.044715 * x * x * x))) },
        slope: { x in
          let t = tanh(Self.tanhFactor * (x + 0.044715 * x * x * x))
          return (1 + t) / 2 + x / 2 * (1 - t * t) * Self.tanhFactor * (1 + 3 * 0.044715 * x * x)
        })
    case .geluQuick:
      Activation(
        value: { x in x * sigmoid(1.702 * x) },
        slope: { x in sigmoid(1.702 * x) * (1 + 1.702 * x * (1 - sigmoid(1.702 * x))) })
    case .relu: Activation(value: { max($0, 0) }, slope: { $0 > 0 ? 1 : 0 })
    case .reluSquared: Activation(value: { max($0, 0) * max($0, 0) }, slope: { 2 * max($0, 0) })
    }
  }

  @Test(arguments: Clone.Backward.allCases) func `an activation's slope is that of finite differences`(
    name: Clone.Backward
  ) {
    let twin = activation(name)
    for x in stride(from: -9.03, through: 9, by: 0.37) {
      #expect(abs(twin.slope(x) - slope(twin.value, at: x)) < 1e-7)
    }
  }

  @Test(arguments: Clone.all) func `activations go back by their slopes`(clone: Clone) {
    var random = SeededGenerator(seed: 31)
    for name in Clone.Backward.allCases {
      let twin = activation(name)
      for length in edgeLengths {
        let (x, dy) = (random.weights(length, deviation: 3), random.weights(length, deviation: 1))
        let expected = zip(x, dy).map { twin.slope(Double($0)) * Double($1) }
        #expect(isClose(clone.backward(name, x, dy), expected, 1e-6), "\(name)")
      }
    }
    #expect(clone.backward(.relu, [0, -1, 1], [5, 5, 5]) == [0, 0, 5])
  }

  @Test(arguments: Clone.all) func `a gate goes back to both of its factors`(clone: Clone) {
    var random = SeededGenerator(seed: 32)
    for (name, plain) in [(Clone.Gated.silu, Clone.Backward.silu), (.gelu, .gelu), (.geluTanh, .geluTanh)] {
      let twin = activation(plain)
      for length in edgeLengths {
        let (gate, up) = (random.weights(length, deviation: 2), random.weights(length, deviation: 1))
        let dy = random.weights(length, deviation: 1)
        let result = clone.gateBackward(name, gate, up, dy)
        #expect(
          isClose(
            result.gate, gate.indices.map { twin.slope(Double(gate[$0])) * Double(up[$0]) * Double(dy[$0]) }, 1e-6))
        #expect(isClose(result.up, gate.indices.map { twin.value(Double(gate[$0])) * Double(dy[$0]) }, 1e-6))
      }
    }
  }

  // MARK: - Norms

  /// Σ dy · norm(x).
  private func normed(_ x: [Double], _ weight: [Double], _ dy: [Double], centered: Bool) -> Double {
    let mean = centered ? x.reduce(0, +) / Double(x.count) : 0
    let square = x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(x.count)
    let scale = 1 / (square + Double(Float(1e-5))).squareRoot()
    return x.indices.reduce(0) { $0 + dy[$1] * weight[$1] * (x[$1] - mean) * scale }
  }

  private func normGradient(_ x: [Double], _ weight: [Double], _ dy: [Double], centered: Bool) -> [Double] {
    let count = Double(x.count)
    let mean = centered ? x.reduce(0, +) / count : 0
    let square = x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count
    let scale = 1 / (square + Double(Float(1e-5))).squareRoot()
    let g = zip(weight, dy).map { $0 * $1 }
    let unit = x.map { ($0 - mean) * scale }
    let first = centered ? g.reduce(0, +) / count : 0
    let second = zip(g, unit).reduce(0) { $0 + $1.0 * $1.1 } / count
    return x.indices.map { scale * (g[$0] - first - unit[$0] * second) }
  }

  @Test(arguments: [false, true]) func `a norm's gradient is that of finite differences`(centered: Bool) {
    var random = SeededGenerator(seed: 33)
    let (x, weight) = (
      random.weights(9, deviation: 2).map(Double.init), random.weights(9, deviation: 1).map(Double.init)
    )
    let dy = random.weights(9, deviation: 1).map(Double.init)
    let gradient = normGradient(x, weight, dy, centered: centered)
    for index in x.indices {
      let difference = slope(
        { value in
          var moved = x
          moved[index] = value
          return normed(moved, weight, dy, centered: centered)
        }, at: x[index])
      #expect(abs(difference - gradient[index]) < 1e-7)
    }
  }

  @Test(arguments: Clone.all) func `norms go back as their twins do, writing and adding`(clone: Clone) {
    var random = SeededGenerator(seed: 34)
    for centered in [false, true] {
      // Of two numbers, a layer norm leaves the sign alone: its gradient is nothing but rounding.
      for length in edgeLengths where length > 2 {
        let (x, weight) = (random.weights(length, deviation: 2), random.weights(length, deviation: 1))
        let (dy, before) = (random.weights(length, deviation: 1), random.weights(length, deviation: 1))
        for weight in [weight, nil] {
          let factors = (weight ?? x.map { _ in 1 }).map(Double.init)
          let expected = normGradient(x.map(Double.init), factors, dy.map(Double.init), centered: centered)
          let result = clone.normBackward(centered: centered, x, weight, dy, epsilon: 1e-5, before: nil)
          #expect(isClose(result.dx, expected, 2e-6))
          let added = clone.normBackward(centered: centered, x, weight, dy, epsilon: 1e-5, before: before)
          #expect(isClose(added.dx, zip(expected, before).map { $0 + Double($1) }, 2e-6))
        }
      }
    }
  }

  @Test(arguments: Clone.all) func `weights and biases get the sums over rows`(clone: Clone) {
    var random = SeededGenerator(seed: 35)
    for count in [1, 5, 16, 33] {
      for (rows, gap) in [(0, 0), (1, 0), (7, 3), (40, 1)] {
        let stride = count + gap
        let (x, dy) = (random.weights(rows * stride, deviation: 1), random.weights(rows * stride, deviation: 1))
        let statistics = random.weights(rows * 2, deviation: 1)
        let result = clone.normWeightsBackward(x, dy, statistics, rows: rows, stride: stride, count: count)
        func sum(_ column: Int, _ factor: (Int) -> Double) -> Double {
          (0..<rows).reduce(1) { $0 + Double(dy[$1 * stride + column]) * factor($1) }
        }
        let weights = (0..<count).map { column in
          sum(column) { row in
            (Double(x[row * stride + column]) - Double(statistics[2 * row])) * Double(statistics[2 * row + 1])
          }
        }
        #expect(isClose(result.weight, weights, 1e-6))
        #expect(isClose(result.bias, (0..<count).map { sum($0) { _ in 1 } }, 1e-6))
        #expect(
          isClose(clone.columnSums(dy, count: count, stride: stride), (0..<count).map { sum($0) { _ in 1 } }, 1e-6))
      }
    }
  }

  // MARK: - Loss

  private func softmax(_ x: [Double]) -> [Double] {
    let terms = x.map { exp($0 - (x.max() ?? 0)) }
    return terms.map { $0 / terms.reduce(0, +) }
  }

  @Test(arguments: Clone.all) func `a softmax goes back as finite differences say`(clone: Clone) {
    var random = SeededGenerator(seed: 36)
    for length in [1, 2, 16, 17, 50] {
      let (x, dy) = (random.weights(length, deviation: 2), random.weights(length, deviation: 1))
      let weights = softmax(x.map(Double.init))
      let expected = x.indices.map { index in
        0.125
          * slope(
            { value in
              var moved = x.map(Double.init)
              moved[index] = value
              return zip(softmax(moved), dy).reduce(0) { $0 + $1.0 * Double($1.1) }
            }, at: Double(x[index]))
      }
      let result = clone.softmaxBackward(weights.map { Float($0) }, scale: 0.125, dy)
      #expect(zip(result, expected).allSatisfy { abs(Double($0) - $1) < 1e-7 })
    }
  }

  @Test(arguments: Clone.all) func `cross-entropy is −ln P, and its gradient P less 1 at the target`(clone: Clone) {
    var random = SeededGenerator(seed: 37)
    for length in edgeLengths where length > 0 {
      let logits = random.weights(length, deviation: 4)
      let target = length / 3
      let probabilities = softmax(logits.map(Double.init))
      let result = clone.crossEntropy(logits, target: target, scale: 0.5)
      #expect(abs(Double(result.loss) + log(probabilities[target])) < 3e-6)
      let expected = probabilities.enumerated().map { 0.5 * ($1 - ($0 == target ? 1 : 0)) }
      #expect(zip(result.gradient, expected).allSatisfy { abs(Double($0) - $1) < 1e-6 })
    }
  }

  @Test(arguments: Clone.all) func `a soft cap goes back by its slope`(clone: Clone) {
    let x = stride(from: -40.0, through: 40, by: 1.7).map { $0 }
    let y = x.map { Float(10 * tanh($0 / 10)) }
    let result = clone.softCapBackward(y, cap: 10, y.map { _ in 2 })
    for (value, x) in zip(result, x) { #expect(abs(Double(value) - 2 * slope({ 10 * tanh($0 / 10) }, at: x)) < 1e-5) }
  }

  // MARK: - Optimizers

  @Test(arguments: Clone.all) func `Adam and descent do what their formulas say`(clone: Clone) {
    var random = SeededGenerator(seed: 38)
    for length in edgeLengths {
      let (p, g) = (random.weights(length, deviation: 1), random.weights(length, deviation: 1))
      let (m, v) = (random.weights(length, deviation: 1), random.weights(length, deviation: 1).map { $0 * $0 })
      let step = kist_adam_step(
        gradient_scale: 0.5, decay: 0.01, shrink: 0.99, mean_weight: 0.1, square_kept: 0.95, square_weight: 0.05,
        step: 0.01, root_correction: 0.3, epsilon: 1e-8)
      let expected = p.indices.map { index -> [Double] in
        let parameter = Double(p[index]) * 0.99
        let gradient = Double(g[index]) * 0.5 + parameter * 0.01
        let mean = 0.9 * Double(m[index]) + 0.1 * gradient
        let square = 0.95 * Double(v[index]) + 0.05 * gradient * gradient
        return [parameter - 0.01 * mean / (square.squareRoot() / 0.3 + 1e-8), mean, square]
      }
      for (part, result) in clone.adam(p, g, m, v, step).enumerated() {
        #expect(isClose(result, expected.map { $0[part] }, 1e-6))
      }
      let descended = clone.descend(p, g, m, scale: 0.5, decay: 0.01, momentum: 0.9, rate: 0.1)
      let velocity = p.indices.map { 0.9 * Double(m[$0]) + 0.5 * Double(g[$0]) + 0.01 * Double(p[$0]) }
      #expect(isClose(descended[1], velocity, 1e-6))
      #expect(isClose(descended[0], p.indices.map { Double(p[$0]) - 0.1 * velocity[$0] }, 1e-6))
      #expect(abs(clone.sumOfSquares(p) - p.reduce(0) { $0 + Double($1) * Double($1) }) <= 1e-12 * Double(length))
    }
  }

  @Test func `every clone gives the same bits`() {
    var random = SeededGenerator(seed: 39)
    let (x, dy) = (random.weights(1000, deviation: 3), random.weights(1000, deviation: 1))
    for name in Clone.Backward.allCases {
      let results = Clone.all.map { bits($0.backward(name, x, dy)) }
      #expect(results.allSatisfy { $0 == results[0] })
    }
    let norms = Clone.all.map {
      bits($0.normBackward(centered: true, x, dy, dy, epsilon: 1e-5, before: x).dx)
    }
    #expect(norms.allSatisfy { $0 == norms[0] })
    let losses = Clone.all.map { bits($0.crossEntropy(x, target: 7, scale: 0.1).gradient) }
    #expect(losses.allSatisfy { $0 == losses[0] })
  }
}
