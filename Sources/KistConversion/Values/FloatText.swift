import Foundation
import KistCore

/// Writes floating point numbers in one form and width, as numpy prints an array: with as many digits as tell each
/// number from its neighbours, at most 8 after the point, aligned at it.
struct FloatText {
  private let usesExponent: Bool
  private let fractionWidth: Int
  private let width: Int
  private let dtype: DType
  /// Whether positive numbers get a +, as imaginary parts do.
  private let showsPlus: Bool

  private static let maximumFractionDigits = 8

  /// Settles the form for numbers that are shown together.
  init(for values: [Double], dtype: DType, showsPlus: Bool = false) {
    self.dtype = dtype
    self.showsPlus = showsPlus
    let finite = values.filter(\.isFinite)
    let magnitudes = finite.filter { $0 != 0 }.map(\.magnitude)
    let (least, greatest) = (magnitudes.min() ?? 1, magnitudes.max() ?? 1)
    let usesExponent = greatest >= FloatText.exponentLimit(dtype) || least < 1e-4 || greatest / least > 1000
    let fractionWidth =
      finite.map { value in
        let decimal = Decimal(shortest: value.magnitude, of: dtype)
        return min(
          usesExponent ? decimal.digits.utf8.count - 1 : decimal.fractionDigits, FloatText.maximumFractionDigits)
      }.max() ?? 0
    self.usesExponent = usesExponent
    self.fractionWidth = fractionWidth
    width =
      values.map { value in
        FloatText.text(value, dtype, usesExponent ? fractionWidth : nil, showsPlus, padding: fractionWidth).utf8.count
      }.max() ?? 0
  }

  func callAsFunction(_ value: Double) -> String {
    let text = FloatText.text(value, dtype, usesExponent ? fractionWidth : nil, showsPlus, padding: fractionWidth)
    return String(repeating: " ", count: max(0, width - text.utf8.count)) + text
  }

  /// Numbers from here on are written with an exponent: 10 to the decimal digits that the dtype is sure to hold, at
  /// most 8.
  private static func exponentLimit(_ dtype: DType) -> Double {
    switch dtype {
    case .f64: 1e8
    case .f16: 1e3
    default: 1e6
    }
  }

  /// - Parameters:
  ///   - exponentDigits: Digits after the point of the form with an exponent; nil for the form without.
  ///   - padding: Columns after the point of the form without.
  private static func text(
    _ value: Double, _ dtype: DType, _ exponentDigits: Int?, _ showsPlus: Bool, padding: Int
  ) -> String {
    let sign = value.sign == .minus && !value.isNaN ? "-" : showsPlus ? "+" : ""
    guard value.isFinite else { return sign + (value.isNaN ? "nan" : "inf") }
    if let exponentDigits {
      // 1.e-05: the point stays where nothing follows it.
      return sign + String(format: "%#.\(exponentDigits)e", value.magnitude)
    }
    let decimal = Decimal(shortest: value.magnitude, of: dtype)
    let (whole, fraction) =
      decimal.fractionDigits <= maximumFractionDigits
      ? decimal.positional : rounded(value.magnitude, to: maximumFractionDigits)
    return sign + whole + "." + fraction + String(repeating: " ", count: max(0, padding - fraction.utf8.count))
  }

  private static func rounded(_ magnitude: Double, to digits: Int) -> (whole: String, fraction: String) {
    let parts = String(format: "%.\(digits)f", magnitude).split(separator: ".")
    return (String(parts[0]), String(parts[1].reversed().drop { $0 == "0" }.reversed()))
  }
}

/// Decimal digits and the power of ten of the first: 0.0123 is 123, −2.
private struct Decimal {
  var digits: String
  var exponent: Int

  /// The fewest digits that are read back as the same number of the dtype; of BF16 and smaller floats, of F32.
  init(shortest magnitude: Double, of dtype: DType) {
    let text =
      switch dtype {
      case .f64: "\(magnitude)"
      // Swift writes whole numbers with all their digits, where 6.55e+04 is enough to tell 65504 from its neighbours.
      case .f16:
        (0..<5).lazy.map { String(format: "%.\($0)e", magnitude) }.first { Float16($0) == Float16(magnitude) }
          ?? "\(magnitude)"
      default: "\(Float(magnitude))"
      }
    let parts = text.split(separator: "e")
    let mantissa = parts[0].split(separator: ".")
    let whole = String(mantissa[0])
    let all = whole + (mantissa.count > 1 ? mantissa[1] : "")
    let significant = all.drop { $0 == "0" }
    let power = parts.count > 1 ? Int(parts[1]) ?? 0 : 0
    digits = significant.isEmpty ? "0" : String(significant.reversed().drop { $0 == "0" }.reversed())
    exponent = significant.isEmpty ? 0 : power + whole.count - 1 - (all.count - significant.count)
  }

  /// Digits after the point, when it is written without an exponent.
  var fractionDigits: Int { max(0, digits.utf8.count - 1 - exponent) }

  var positional: (whole: String, fraction: String) {
    guard exponent >= 0 else {
      return ("0", digits == "0" ? "" : String(repeating: "0", count: -exponent - 1) + digits)
    }
    let padded = digits + String(repeating: "0", count: max(0, exponent + 1 - digits.count))
    return (String(padded.prefix(exponent + 1)), String(padded.dropFirst(exponent + 1)))
  }
}
