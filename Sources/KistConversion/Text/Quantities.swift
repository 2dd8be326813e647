import Foundation

/// Numbers as a person reads them.
public enum Quantity {
  private static let byteUnits = ["B", "kB", "MB", "GB", "TB", "PB"]

  /// `512 B`, `90.9 MB`, `1.23 GB`: three digits, in powers of 1000 as disks are sold and files are listed.
  public static func bytes(_ count: Int) -> String {
    var value = Double(count)
    var unit = 0
    // 999,500 would be rounded to 1000 kB.
    while value.magnitude >= 999.5, unit + 1 < byteUnits.count {
      value /= 1000
      unit += 1
    }
    let decimals = unit == 0 || value.magnitude >= 99.95 ? 0 : value.magnitude >= 9.995 ? 1 : 2
    return String(format: "%.\(decimals)f", value) + " " + byteUnits[unit]
  }

  /// `1.40 GB/s`
  public static func rate(_ byteCount: Int, in seconds: Double) -> String {
    bytes(Int(seconds > 0 ? Double(byteCount) / seconds : 0)) + "/s"
  }

  /// `22,713,216`
  public static func count(_ count: Int) -> String {
    let digits = String(count.magnitude)
    var text = count < 0 ? "-" : ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index) % 3 == 0 { text += "," }
      text.append(digit)
    }
    return text
  }

  /// `22.7M`, `7.24B`: what model cards write for numbers of parameters.
  public static func parameters(_ count: Int) -> String {
    let units: [(size: Double, name: String)] = [(1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "K")]
    guard let unit = units.first(where: { Double(count) >= $0.size * 0.9995 }) else { return String(count) }
    let value = Double(count) / unit.size
    return String(format: value >= 99.95 ? "%.0f" : value >= 9.995 ? "%.1f" : "%.2f", value) + unit.name
  }

  /// `81.9 %`
  public static func percentage(_ ratio: Double) -> String { String(format: "%.1f %%", 100 * ratio) }

  /// `0.03 s`, `2.4 s`, `3 min 05 s`
  public static func seconds(_ seconds: Double) -> String {
    guard seconds >= 60 else { return String(format: seconds < 1 ? "%.2f s" : "%.1f s", seconds) }
    let whole = Int(min(seconds.rounded(), 1e9))
    if whole >= 3600 { return "\(whole / 3600) h \(String(format: "%02d", whole / 60 % 60)) min" }
    return "\(whole / 60) min \(String(format: "%02d", whole % 60)) s"
  }

  /// `0.502`: so many digits after the point.
  public static func decimal(_ value: Double, places: Int) -> String {
    guard value.isFinite else { return number(value) }
    return String(format: "%.\(places)f", value)
  }

  /// Four significant digits: `0.02371`, `-1.5`, `3.052e-05`.
  public static func number(_ value: Double) -> String {
    guard value.isFinite else { return value.isNaN ? "nan" : value < 0 ? "-inf" : "inf" }
    return String(format: "%.4g", value)
  }
}
