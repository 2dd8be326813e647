/// A small tensor of a GGUF that is made of the configuration: factors of rotary frequencies.
/// Source: llama.cpp, the classes of conversion/, generate_extra_tensors.
public struct GGUFFactors: Sendable {
  public var name: String
  /// For each pair; nil when the model has none.
  var values: @Sendable (ModelDescription) -> [Float]?
}

extension ModelDescription {
  /// Tensors that a GGUF of the model begins with, of F32.
  public var ggufFactors: [(name: String, values: [Float])] {
    (architecture.gguf?.factors ?? []).compactMap { factors in
      factors.values(self).map { (factors.name, $0) }
    }
  }

  fileprivate var scaledRotary: RotaryDescription? {
    layers.lazy.compactMap(\.attention.rotary).first { $0.scaling != .none }
  }
}

extension [GGUFFactors] {
  /// What Llama 3's scaling divides each frequency by.
  static let llama3 = [
    GGUFFactors(name: "rope_freqs.weight") { $0.scaledRotary?.llama3Factors }
  ]

  static let longrope = [
    GGUFFactors(name: "rope_factors_long.weight") { $0.scaledRotary?.longropeFactors?.long },
    GGUFFactors(name: "rope_factors_short.weight") { $0.scaledRotary?.longropeFactors?.short },
  ]
}

extension RotaryDescription {
  fileprivate var longropeFactors: (short: [Float], long: [Float])? {
    guard case .longrope(let short, let long, _, _) = scaling else { return nil }
    return (short.map { Float($0) }, long.map { Float($0) })
  }

  fileprivate var llama3Factors: [Float]? {
    guard case .llama3(let factor, let low, let high, let context) = scaling else { return nil }
    var plain = self
    plain.scaling = .none
    return plain.frequencies(tokenCount: 1).map { frequency in
      let length = Float(2 * Double.pi) / frequency
      if length < Float(Double(context) / high) { return 1 }
      if length > Float(Double(context) / low) { return Float(factor) }
      let smooth = (Float(context) / length - Float(low)) / Float(high - low)
      return 1 / ((1 - smooth) / Float(factor) + smooth)
    }
  }
}
