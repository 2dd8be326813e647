import Foundation

extension RotaryDescription {
  var isScaled: Bool { scaling != .none || frequencyFactors != nil }

  /// The `rope_scaling` whose frequencies are those that GGUF's `rope_freqs` asks for: Llama 3's, which most are made of, else longrope's,
  /// which takes any factors.
  func scaling(_ factors: [Float], contextLength: Int?) -> [String: ParameterValue] {
    if let found = llama3(explaining: factors) { return found }
    let list = ParameterValue.list(factors.map { .number(Double($0)) })
    return [
      "rope_type": "longrope", "short_factor": list, "long_factor": list, "attention_factor": 1.0, "factor": 1.0,
      "original_max_position_embeddings": .integer(contextLength ?? 1),
    ]
  }

  /// Llama 3's scaling that gives these factors: slow pairs have the largest, fast ones 1, and of those between, the inverse lies on a line
  /// over the frequency. Source: Llama 3.1, and llama.cpp's conversion/llama.py, generate_extra_tensors.
  private func llama3(explaining factors: [Float]) -> [String: ParameterValue]? {
    guard let largest = factors.max(), largest > 1 else { return nil }
    let factor = Double(largest)
    var plain = self
    plain.frequencyFactors = nil
    let frequencies = plain.frequencies(tokenCount: 1).map(Double.init)
    // The line through what lies between, as low = 1 and high of the usual form; its scale is free.
    let between = zip(frequencies, factors).filter { $1 > 1.0001 && Double($1) < factor * 0.9999 }
    let points = between.map { frequency, value in
      (frequency / (2 * .pi), (1 / Double(value) - 1 / factor) / (1 - 1 / factor))
    }
    var candidates: [(low: Double, high: Double, context: Double)] = [(1, 4, 8192)]
    if let first = points.first, let last = points.last, first.0 != last.0 {
      let slope = (last.1 - first.1) / (last.0 - first.0)
      let offset = slope * first.0 - first.1
      if offset > 0 { candidates.append((1, ((1 + 1 / offset) * 1000).rounded() / 1000, (slope / offset).rounded())) }
    }
    // Where none lies between, several contexts give the same.
    candidates += (3...20).map { (1, 4, Double(1 << $0)) }
    for (low, high, context) in candidates where high > low && context >= 1 && context < 0x1p31 {
      let members = RotaryDescription.llama3(factor, low, high, Int(context))
      var scaled = plain
      scaled.scaling = .llama3(factor: factor, low: low, high: high, context: Int(context))
      let explains = zip(scaled.frequencies(tokenCount: 1), zip(frequencies, factors)).allSatisfy { own, wanted in
        abs(Double(own) * Double(wanted.1) / wanted.0 - 1) < 1e-5
      }
      if explains { return Dictionary(members) { first, _ in first } }
    }
    return nil
  }

  static func llama3(
    _ factor: Double, _ low: Double, _ high: Double, _ context: Int
  ) -> [(String, ParameterValue)] {
    [
      ("rope_type", "llama3"), ("factor", .number(factor)), ("low_freq_factor", .number(low)),
      ("high_freq_factor", .number(high)), ("original_max_position_embeddings", .integer(context)),
    ]
  }
}
