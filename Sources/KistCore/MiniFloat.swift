/// A binary floating point format of at most 16 bits, as data.
///
/// - Source: IEEE 754-2019 (F16); OCP 8-bit Floating Point Specification 1.0; OCP Microscaling Formats 1.0; for the FNUZ
///   kinds, "8-bit Numerical Formats for Deep Neural Networks" (arXiv 2206.02915) as ml_dtypes implements it.
public struct MiniFloat: Sendable, Hashable {
  /// Which bit patterns are not numbers.
  public enum Specials: Sendable, Hashable {
    /// An exponent of all ones: infinity when the mantissa is 0, else NaN.
    case ieee
    /// Only all ones in exponent and mantissa: NaN. No infinity.
    case nanAtAllOnes
    /// Only the pattern of −0: NaN. No infinity.
    case nanAtNegativeZero
    /// Every pattern is a number.
    case none
  }

  public let exponentBits: Int
  public let mantissaBits: Int
  public let bias: Int
  public let isSigned: Bool
  public let specials: Specials

  init(e exponentBits: Int, m mantissaBits: Int, bias: Int, signed: Bool = true, _ specials: Specials) {
    self.exponentBits = exponentBits
    self.mantissaBits = mantissaBits
    self.bias = bias
    self.isSigned = signed
    self.specials = specials
  }

  public static let f16 = MiniFloat(e: 5, m: 10, bias: 15, .ieee)
  public static let bf16 = MiniFloat(e: 8, m: 7, bias: 127, .ieee)
  public static let f8e4m3 = MiniFloat(e: 4, m: 3, bias: 7, .nanAtAllOnes)
  public static let f8e5m2 = MiniFloat(e: 5, m: 2, bias: 15, .ieee)
  public static let f8e8m0 = MiniFloat(e: 8, m: 0, bias: 127, signed: false, .nanAtAllOnes)
  public static let f8e4m3fnuz = MiniFloat(e: 4, m: 3, bias: 8, .nanAtNegativeZero)
  public static let f8e5m2fnuz = MiniFloat(e: 5, m: 2, bias: 16, .nanAtNegativeZero)
  public static let f6e2m3 = MiniFloat(e: 2, m: 3, bias: 1, .none)
  public static let f6e3m2 = MiniFloat(e: 3, m: 2, bias: 3, .none)
  public static let f4 = MiniFloat(e: 2, m: 1, bias: 1, .none)

  /// The number that a bit pattern stands for, exactly.
  public func decode(_ pattern: UInt16) -> Float {
    let bits = Int(pattern)
    let exponentMask = (1 << exponentBits) - 1
    let mantissaMask = (1 << mantissaBits) - 1
    let exponent = (bits >> mantissaBits) & exponentMask
    let mantissa = bits & mantissaMask
    let isNegative = isSigned && (bits >> (exponentBits + mantissaBits)) & 1 == 1

    switch specials {
    case .ieee where exponent == exponentMask:
      return mantissa == 0 ? (isNegative ? -Float.infinity : .infinity) : .nan
    case .nanAtAllOnes where exponent == exponentMask && mantissa == mantissaMask:
      return .nan
    case .nanAtNegativeZero where isNegative && exponent == 0 && mantissa == 0:
      return .nan
    default: break
    }
    // Without a mantissa there are no subnormals: E8M0's 0 is 2^-127.
    let isSubnormal = exponent == 0 && mantissaBits > 0
    let significand = isSubnormal ? mantissa : mantissa | 1 << mantissaBits
    let power = max(exponent, isSubnormal ? 1 : 0) - bias - mantissaBits
    return Float(sign: isNegative ? .minus : .plus, exponent: power, significand: Float(significand))
  }
}
