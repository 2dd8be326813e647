import CKernels
import Foundation
import TestSupport
import Testing

@Suite struct AttentionTests {
  struct Kind: CustomTestStringConvertible, Sendable {
    let testDescription: String
    var group = 1
    var headSize = 16
    var valueSize = 16
    var cap: Float = 0
    var slopes: [Float] = []
    var sinks: [Float] = []

    static let all = [
      Kind(testDescription: "plain"),
      Kind(testDescription: "grouped, odd sizes", group: 3, headSize: 37, valueSize: 21),
      Kind(testDescription: "capped", group: 2, headSize: 64, cap: 2),
      Kind(testDescription: "ALiBi", group: 2, headSize: 80, valueSize: 80, slopes: [0.5, 0.0625]),
      Kind(testDescription: "sinks", group: 2, headSize: 64, valueSize: 64, sinks: [-1, 3]),
    ]
  }

  /// The definition, of one query head, in f64.
  private func attend(
    _ kind: Kind, _ g: Int, _ query: ArraySlice<Float>, _ keys: [ArraySlice<Float>], _ values: [ArraySlice<Float>]
  ) -> [Double] {
    var scores = keys.map { key in zip(query, key).reduce(0) { $0 + Double($1.0) * Double($1.1) } * 0.3 }
    if kind.cap != 0 { scores = scores.map { Double(kind.cap) * tanh($0 / Double(kind.cap)) } }
    if !kind.slopes.isEmpty {
      for p in scores.indices { scores[p] += Double(kind.slopes[g]) * Double(p - (scores.count - 1)) }
    }
    let sum = scores.reduce(0) { $0 + exp($1) } + (kind.sinks.isEmpty ? 0 : exp(Double(kind.sinks[g])))
    var out = [Double](repeating: 0, count: kind.valueSize)
    for (score, value) in zip(scores, values) {
      for (i, x) in value.enumerated() { out[i] += exp(score) / sum * Double(x) }
    }
    return out
  }

  @Test(arguments: Kind.all, Clone.all)
  func `attention of one position is its definition`(kind: Kind, clone: Clone) {
    var random = SeededGenerator(seed: 51)
    for positions in [0, 1, 2, 7, 33, 300] {
      // As in a cache of two heads: the other one's numbers lie between.
      let (keyStride, valueStride) = (2 * kind.headSize, 2 * kind.valueSize)
      let queries = random.weights(kind.group * kind.headSize, deviation: 1)
      let keys = random.weights(positions * keyStride, deviation: 1)
      let values = random.weights(positions * valueStride, deviation: 1)
      let shape = unsafe kist_attention_shape(
        positions: positions, group: kind.group, head_size: kind.headSize, key_stride: keyStride,
        value_size: kind.valueSize, value_stride: valueStride, scale: 0.3, cap: kind.cap, slopes: nil, sinks: nil)
      let result = unsafe clone.attend(shape, queries, keys, values, slopes: kind.slopes, sinks: kind.sinks)
      let keyRows = (0..<positions).map { keys[$0 * keyStride..<$0 * keyStride + kind.headSize] }
      let valueRows = (0..<positions).map { values[$0 * valueStride..<$0 * valueStride + kind.valueSize] }
      for g in 0..<kind.group {
        let query = queries[g * kind.headSize..<(g + 1) * kind.headSize]
        let expected = attend(kind, g, query, keyRows, valueRows)
        let out = result.out[g * kind.valueSize..<(g + 1) * kind.valueSize]
        #expect(zip(out, expected).allSatisfy { abs(Double($0) - $1) < 2e-6 })
      }
      let first = unsafe Clone.all[0].attend(shape, queries, keys, values, slopes: kind.slopes, sinks: kind.sinks)
      #expect(result == first)
    }
  }
}
