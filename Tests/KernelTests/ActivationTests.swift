import Foundation
import TestSupport
import Testing

/// An activation, the formula that defines it, and how exactly it is computed.
struct Activation: CustomTestStringConvertible, Sendable {
  let testDescription: String
  let kernel: Clone.InPlace
  let formula: @Sendable (Double) -> Double
  var tolerance = 4.0

  static func logistic(_ x: Double) -> Double { x < 0 ? exp(x) / (1 + exp(x)) : 1 / (1 + exp(-x)) }

  static func gelu(_ x: Double) -> Double { x * (0.5 * erfc(-x / 2.0.squareRoot())) }

  static func geluTanh(_ x: Double) -> Double {
    // x/2 (1 + tanh(u)), without the cancellation.
    x * logistic(2 * (2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x))
  }

  static let all: [Activation] = [
    Activation(testDescription: "silu", kernel: .silu, formula: { $0 * logistic($0) }),
    Activation(testDescription: "gelu", kernel: .gelu, formula: gelu),
    Activation(testDescription: "gelu_tanh", kernel: .geluTanh, formula: geluTanh),
    Activation(
      testDescription: "gelu_quick", kernel: .geluQuick, formula: { $0 * logistic(1.702 * $0) }),
    Activation(testDescription: "relu", kernel: .relu, formula: { $0 < 0 ? 0 : $0 }, tolerance: 0),
    Activation(
      testDescription: "relu_squared", kernel: .reluSquared, formula: { $0 < 0 ? 0 : $0 * $0 },
      tolerance: 0.5),
    Activation(testDescription: "tanh", kernel: .tanh, formula: tanh, tolerance: 2),
    Activation(testDescription: "sigmoid", kernel: .sigmoid, formula: logistic, tolerance: 3),
  ]

  func apply(_ clone: Clone, _ values: [Float]) -> [Float] { clone.apply(kernel, values) }

  /// The first value whose result is further from the formula than the tolerance.
  func firstWrong(_ values: [Float], _ results: [Float]) -> String? {
    for (value, result) in zip(values, results) {
      let exact = formula(Double(value))
      // Where the factor of x is subnormal, its rounding shows.
      let least = value.isFinite ? Double(abs(value)) * 0x1p-149 : 0
      guard unitsInLastPlace(result, exact, least: least) <= tolerance else {
        return "\(value): \(result), not \(exact)"
      }
    }
    return nil
  }
}

@Suite struct ActivationTests {
  @Test(arguments: Activation.all, Clone.all)
  func `an activation is its formula over all magnitudes`(activation: Activation, clone: Clone) {
    // Every 65,521st bit pattern: all exponents, both signs, NaNs.
    let values = stride(from: UInt32(0), to: .max - 65_521, by: 65_521).map(Float.init(bitPattern:))
    #expect(activation.firstWrong(values, activation.apply(clone, values)) == nil)
  }

  @Test(arguments: Activation.all, Clone.all)
  func `an activation is its formula where formulas matter`(activation: Activation, clone: Clone) {
    let values = specialValues + stride(from: Float(-20), through: 20, by: 0.001)
    #expect(activation.firstWrong(values, activation.apply(clone, values)) == nil)
  }

  @Test(arguments: Activation.all)
  func `an activation has the same bits on every processor and at every length`(activation: Activation) {
    var random = SeededGenerator(seed: 11)
    let values = random.weights(4099, deviation: 5)
    let expected = bits(activation.apply(Clone.all[0], values))
    for clone in Clone.all {
      for length in edgeLengths {
        #expect(bits(activation.apply(clone, Array(values.prefix(length)))) == Array(expected.prefix(length)))
      }
    }
  }

  @Test(arguments: Clone.all) func `a soft cap is its formula`(clone: Clone) {
    let values = specialValues + stride(from: Float(-200), through: 200, by: 0.01)
    for cap in [50, 30, 1.5] as [Float] {
      for (value, result) in zip(values, clone.apply(.softCap, values, cap)) {
        #expect(
          unitsInLastPlace(result, Double(cap) * tanh(Double(value) / Double(cap)), least: Double(cap) * 0x1p-149) <= 3)
      }
    }
  }

  @Test(arguments: Clone.all) func `a gated activation multiplies and may write over its input`(clone: Clone) {
    var random = SeededGenerator(seed: 12)
    for length in edgeLengths {
      let (gate, up) = (random.weights(length, deviation: 3), random.weights(length, deviation: 2))
      for (gated, plain) in zip(Clone.Gated.allCases, Activation.all) {
        let expected = zip(plain.apply(clone, gate), up).map { $0 * $1 }
        for result in clone.apply(gated, gate: gate, up: up) { #expect(result == expected) }
      }
    }
  }
}
