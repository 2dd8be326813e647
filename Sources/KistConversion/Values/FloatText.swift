import Foundation
import KistCore

/// Writes floating point numbers in one form and width, as numpy prints an array: the fewest digits that tell a number from its
/// neighbours, at most 8 after the point, aligned at it.
struct FloatText {
  private let usesExponent: Bool
  private let fractionWidth: Int
  private let width: Int
  private let dtype: DType
  /// Whether positive numbers get a +, as imaginary parts do.
  private let showsPlus: Bool

  /// Settles the form for numbers that are shown together.
  init(for values: [Double], dtype: DType, showsPlus: Bool = false) {
    self.dtype = dtype
    self.showsPlus = showsPlus
    let magnitudes = values.filter { $0.isFinite && $0 != 0 }.map(\.magnitude)
    let (least, greatest) = (magnitudes.min() ?? 1, magnitudes.max() ?? 1)
    let usesExponent = greatest >= 1e8 || least < 1e-4 || greatest / least > 1000
    let parts = values.map { FloatText.parts($0, dtype, usesExponent: usesExponent, showsPlus: showsPlus) }
    let fractionWidth = parts.map { $0.fraction.utf8.count }.max() ?? 0
    self.usesExponent = usesExponent
    self.fractionWidth = fractionWidth
    width = zip(parts, values).map { part, value in
      value.isFinite ? part.whole.utf8.count + 1 + fractionWidth + part.exponent.utf8.count : part.whole.utf8.count
    }.max() ?? 0
  }

  func callAsFunction(_ value: Double) -> String {
    let parts = FloatText.parts(value, dtype, usesExponent: usesExponent, showsPlus: showsPlus)
    guard value.isFinite else { return padded(parts.whole) }
    // 1.50e-05 lines up with 1.25e-05, but 1.5 is not 1.50.
    let fill = String(repeating: usesExponent ? "0" : " ", count: fractionWidth - parts.fraction.utf8.count)
    return padded(parts.whole + "." + parts.fraction + fill + parts.exponent)
  }

  private func padded(_ text: String) -> String { String(repeating: " ", count: max(0, width - text.utf8.count)) + text }

  private struct Parts {
    var whole: String
    var fraction = ""
    var exponent = ""
  }

  private static func parts(_ value: Double, _ dtype: DType, usesExponent: Bool, showsPlus: Bool) -> Parts {
    let sign = value.sign == .minus && !value.isNaN ? "-" : showsPlus ? "+" : ""
    guard value.isFinite else { return Parts(whole: sign + (value.isNaN ? "nan" : "inf")) }
    let decimal = Decimal(shortest: value.magnitude, of: dtype)
    if usesExponent {
      var text = decimal.digits
      var exponent = decimal.exponent
      if text.count > 9 {
        let rounded = String(format: "%.8e", value.magnitude).split(separator: "e")
        text = rounded[0].filter { $0 != "." }
        exponent = Int(rounded[1]) ?? exponent
      }
      let power = String(exponent.magnitude)
      return Parts(
        whole: sign + text.prefix(1), fraction: trimmed(text.dropFirst()),
        exponent: "e" + (exponent < 0 ? "-" : "+") + (power.count < 2 ? "0" : "") + power)
    }
    guard decimal.digits.count - 1 - decimal.exponent <= 8 else {
      let rounded = String(format: "%.8f", value.magnitude).split(separator: ".")
      return Parts(whole: sign + rounded[0], fraction: trimmed(rounded[1]))
    }
    let (whole, fraction) = decimal.positional
    return Parts(whole: sign + whole, fraction: trimmed(fraction[...]))
  }

  private static func trimmed(_ digits: Substring) -> String { String(digits.reversed().drop { $0 == "0" }.reversed()) }
}

/// Decimal digits and the power of ten of the first: 0.0123 is 123, −2.
private struct Decimal {
  var digits: String
  var exponent: Int

  /// The fewest digits that are read back as the same number of the dtype. Of floats below F16's size, as of F32.
  init(shortest magnitude: Double, of dtype: DType) {
    let text =
      switch dtype {
      case .f64: "\(magnitude)"
      case .f16: "\(Float16(magnitude))"
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

  var positional: (whole: String, fraction: String) {
    guard exponent >= 0 else { return ("0", String(repeating: "0", count: -exponent - 1) + digits) }
    let padded = digits + String(repeating: "0", count: max(0, exponent + 1 - digits.count))
    return (String(padded.prefix(exponent + 1)), String(padded.dropFirst(exponent + 1)))
  }
}
