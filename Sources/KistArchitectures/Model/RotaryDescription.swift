import Foundation
import KistCore

/// How queries and keys are turned by their positions.
/// Source: Su et al. 2021; the scalings: transformers 5.23, modeling_rope_utils.py.
public struct RotaryDescription: Sendable, Equatable {
  public var pairs: Attention.RotaryPairs
  /// Numbers of a head that are rotated, from the first.
  public var size: Int
  /// Pairs that are rotated; of an odd size, the last takes one number more.
  public var pairCount: Int { (size + 1) / 2 }
  public var base: Double
  public var scaling: Scaling
  /// Factor of GGUF's `rope_freqs` for each pair; nil without.
  public var frequencyFactors: [Float]?

  public enum Scaling: Sendable, Equatable {
    case none
    /// Positions divided by the factor. Source: Chen et al. 2023.
    case linear(factor: Double)
    /// The base grows with the text, past the context.
    case dynamic(factor: Double, context: Int)
    case llama3(factor: Double, low: Double, high: Double, context: Int)
    /// Source: Peng et al. 2023.
    case yarn(factor: Double, context: Int, fast: Double, slow: Double, truncates: Bool, attention: Double)
    /// Source: Ding et al. 2024.
    case longrope(short: [Double], long: [Double], context: Int, attention: Double)
  }

  /// What cosines and sines are multiplied with.
  public var attentionFactor: Float {
    switch scaling {
    case .yarn(_, _, _, _, _, let attention), .longrope(_, _, _, let attention): Float(attention)
    default: 1
    }
  }

  /// Whether tokens turn otherwise in a longer text, so that texts are best taken at once.
  public var dependsOnTokenCount: Bool {
    switch scaling {
    case .dynamic, .longrope: true
    default: false
    }
  }

  /// Angle of each pair for one position step, when the text has so many tokens in all.
  public func frequencies(tokenCount: Int) -> [Float] {
    let frequencies = scaledFrequencies(tokenCount: tokenCount)
    return frequencyFactors.map { zip(frequencies, $0).map { $0 / $1 } } ?? frequencies
  }

  private func scaledFrequencies(tokenCount: Int) -> [Float] {
    func plain(base: Double) -> [Float] {
      (0..<pairCount).map { 1 / Float(pow(Float(base), Float(2 * $0) / Float(size))) }
    }
    switch scaling {
    case .none: return plain(base: base)
    case .linear(let factor): return plain(base: base).map { $0 / Float(factor) }
    case .dynamic(let factor, let context):
      let length = Double(max(tokenCount, context))
      let growth = factor * length / Double(context) - (factor - 1)
      return plain(base: base * pow(growth, Double(size) / Double(size - 2)))
    case .llama3(let factor, let low, let high, let context):
      return plain(base: base).map { RotaryDescription.llama3($0, factor, low, high, context) }
    case .yarn(let factor, let context, let fast, let slow, let truncates, _):
      let ramp = yarnRamp(context, fast, slow, truncates)
      return zip(plain(base: base), ramp).map { $0 / Float(factor) * $1 + $0 * (1 - $1) }
    case .longrope(let short, let long, let context, _):
      let factors = tokenCount > context ? long : short
      return zip(plain(base: base), factors).map { $0 / Float($1) }
    }
  }

  private static func llama3(
    _ frequency: Float, _ factor: Double, _ low: Double, _ high: Double, _ context: Int
  ) -> Float {
    let length = 2 * Float.pi / frequency
    if length > Float(context) / Float(low) { return frequency / Float(factor) }
    if length < Float(context) / Float(high) { return frequency }
    let smooth = (Float(context) / length - Float(low)) / Float(high - low)
    return (1 - smooth) * frequency / Float(factor) + smooth * frequency
  }

  /// How far each pair is interpolated: 0 for those that turn often within the context, 1 for those that turn rarely.
  private func yarnRamp(_ context: Int, _ fast: Double, _ slow: Double, _ truncates: Bool) -> [Float] {
    func pair(turning rotations: Double) -> Double {
      Double(size) * log(Double(context) / (rotations * 2 * .pi)) / (2 * log(base))
    }
    var (low, high) = (pair(turning: fast), pair(turning: slow))
    if truncates { (low, high) = (low.rounded(.down), high.rounded(.up)) }
    (low, high) = (max(low, 0), min(high, Double(size - 1)))
    if low == high { high += 0.001 }
    return (0..<pairCount).map { Float(min(max((Double($0) - low) / (high - low), 0), 1)) }
  }
}

extension RotaryDescription {
  /// What an architecture's parameters say; `isLocal` for layers with a base of their own, which know no scaling.
  init(_ pairs: Attention.RotaryPairs, _ parameters: Parameters, isLocal: Bool) throws(KistError) {
    self.pairs = pairs
    size = try parameters.integer(.rotarySize)
    base = try parameters.number(isLocal ? .localRopeBase : .ropeBase)
    scaling = isLocal ? .none : try Scaling(parameters)
    frequencyFactors = isLocal ? nil : try parameters.numbers(.ropeFrequencyFactors)?.map { Float($0) }
    if let frequencyFactors, frequencyFactors.count != pairCount || !frequencyFactors.allSatisfy({ $0 > 0 }) {
      throw parameters.unsupported(
        .ropeFrequencyFactors, "does not have a positive factor for each of \(pairCount) pairs")
    }
    guard base > 0, size >= 2 else { throw parameters.unsupported(.ropeBase, "no rotary embedding has it") }
    if case .longrope(let short, let long, _, _) = scaling {
      guard short.count == pairCount, long.count == pairCount, (short + long).allSatisfy({ $0 > 0 }) else {
        throw parameters.unsupported(
          .ropeShortFactors, "does not have a positive factor for each of \(pairCount) pairs")
      }
    }
  }
}

extension RotaryDescription.Scaling {
  init(_ parameters: Parameters) throws(KistError) {
    let type = try parameters.text(.ropeType)
    switch type {
    case "default", "none": self = .none
    case "linear": self = .linear(factor: try parameters.positive(.ropeFactor))
    case "dynamic":
      guard try parameters.integer(.rotarySize) > 3 else {
        throw parameters.unsupported(.ropeType, "'dynamic' needs more than one pair")
      }
      self = .dynamic(
        factor: try parameters.positive(.ropeFactor), context: try parameters.integer(.contextLength))
    case "llama3":
      self = .llama3(
        factor: try parameters.positive(.ropeFactor), low: try parameters.positive(.ropeLowFrequencyFactor),
        high: try parameters.positive(.ropeHighFrequencyFactor),
        context: try parameters.integer(.ropeOriginalContext))
    case "yarn":
      let factor = try Self.factor(parameters)
      self = .yarn(
        factor: factor, context: try parameters.integer(.ropeOriginalContext),
        fast: try Self.nonZero(parameters, .ropeFastBeta, or: 32),
        slow: try Self.nonZero(parameters, .ropeSlowBeta, or: 1),
        truncates: try parameters.flag(.ropeTruncates), attention: try Self.yarnAttention(parameters, factor))
    case "longrope", "su":
      let (context, factor) = (try parameters.integer(.ropeOriginalContext), try Self.factor(parameters))
      let usual = factor <= 1 ? 1 : (1 + log(factor) / log(Double(context))).squareRoot()
      guard let short = try parameters.numbers(.ropeShortFactors), let long = try parameters.numbers(.ropeLongFactors)
      else { throw parameters.unsupported(.ropeShortFactors, "is missing") }
      self = .longrope(
        short: short, long: long, context: context,
        attention: try parameters.optionalNumber(.ropeAttentionFactor) ?? usual)
    default: throw parameters.unsupported(.ropeType, "'\(type)' is no scaling that this version knows")
    }
  }

  private static func factor(_ parameters: Parameters) throws(KistError) -> Double {
    if parameters[.ropeFactor] != nil { return try parameters.positive(.ropeFactor) }
    return Double(try parameters.integer(.contextLength)) / Double(try parameters.integer(.ropeOriginalContext))
  }

  private static func nonZero(
    _ parameters: Parameters, _ parameter: Parameter, or usual: Double
  ) throws(KistError) -> Double {
    let value = try parameters.optionalNumber(parameter) ?? usual
    return value == 0 ? usual : value
  }

  private static func yarnAttention(_ parameters: Parameters, _ factor: Double) throws(KistError) -> Double {
    if let given = try parameters.optionalNumber(.ropeAttentionFactor) { return given }
    let scale = try parameters.optionalNumber(.ropeMScale) ?? 0
    let allSizes = try parameters.optionalNumber(.ropeMScaleAllSizes) ?? 0
    guard scale != 0, allSizes != 0 else { return yarnScale(factor, 1) }
    return yarnScale(factor, scale) / yarnScale(factor, allSizes)
  }

  /// How YaRN sharpens attention for a longer context.
  static func yarnScale(_ factor: Double, _ scale: Double) -> Double {
    factor <= 1 ? 1 : 0.1 * scale * log(factor) + 1
  }
}

extension Parameters {
  func positive(_ parameter: Parameter) throws(KistError) -> Double {
    let value = try number(parameter)
    guard value > 0 else { throw unsupported(parameter, "must be positive") }
    return value
  }
}
