/// Numbers as serde_json reads them.
///
/// Without its feature `float_roundtrip`, which tokenizers does not ask for, serde_json turns all digits into one integer and multiplies
/// or divides by a power of ten: of the scores of a real vocabulary one in seven comes out one unit in the last place away from what is
/// written, and the segmentation that is best by a hair may differ. Source: serde_json, `de.rs`, `f64_from_parts`.
enum SerdeNumber {
  /// The library's number for a number of the file, whose digits are taken to be the fewest that tell it apart (as serde_json and
  /// Python write them).
  static func value(_ number: Double) -> Double {
    guard number.isFinite, number != 0 else { return number }
    var significand: UInt64 = 0
    var exponent = 0
    var state = Part.integer
    var writtenExponent = 0
    var exponentIsNegative = false
    for byte in number.magnitude.description.utf8 {
      switch byte {
      case UInt8(ascii: "."): state = .fraction
      case UInt8(ascii: "e"): state = .exponent
      case UInt8(ascii: "-"): exponentIsNegative = true
      case UInt8(ascii: "0")...UInt8(ascii: "9"):
        let digit = Int(byte - UInt8(ascii: "0"))
        if state == .exponent {
          writtenExponent = 10 * writtenExponent + digit
        } else {
          significand = 10 &* significand &+ UInt64(digit)
          if state == .fraction { exponent -= 1 }
        }
      default: break
      }
    }
    // Swift writes `1.0` for what others write as `1` or `1.0`: a zero at the end changes neither part's value.
    while exponent < 0, significand % 10 == 0 { (significand, exponent) = (significand / 10, exponent + 1) }
    exponent += exponentIsNegative ? -writtenExponent : writtenExponent
    let magnitude = scaled(Double(significand), exponent)
    return number < 0 ? -magnitude : magnitude
  }

  private enum Part { case integer, fraction, exponent }

  private static func scaled(_ significand: Double, _ exponent: Int) -> Double {
    var (value, exponent) = (significand, exponent)
    while exponent < -308 {
      value /= 1e308
      exponent += 308
    }
    return exponent < 0 ? value / powersOfTen[-exponent] : value * powersOfTen[min(exponent, 308)]
  }

  private static let powersOfTen: [Double] = (0...308).map { Double("1e\($0)") ?? .infinity }
}
