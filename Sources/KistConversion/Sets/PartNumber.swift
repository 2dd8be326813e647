import KistCore

/// Which part of a conversion is done here, when several machines share one: `3/8`.
public struct PartNumber: Sendable, Equatable {
  /// From 1.
  public var number: Int
  public var count: Int

  static let maximumCount = 99_999

  public init?(_ text: String) {
    let numbers = text.split(separator: "/", omittingEmptySubsequences: false)
    guard numbers.count == 2, let number = Int(numbers[0]), let count = Int(numbers[1]), count >= 1, number >= 1,
      number <= count, count <= PartNumber.maximumCount
    else { return nil }
    (self.number, self.count) = (number, count)
  }

  /// Which of some items, side by side, are this part's: those whose middle byte lies in it. It follows from the sizes alone.
  package func range(ofItems byteCounts: [Int]) -> Range<Int> {
    let total = byteCounts.reduce(0, +)
    var start = 0
    var range = byteCounts.count..<byteCounts.count
    for (index, byteCount) in byteCounts.enumerated() {
      let doubledMiddle = UInt128(2 * start + byteCount)
      start += byteCount
      let part = total > 0 ? min(Int(doubledMiddle * UInt128(count) / UInt128(2 * total)), count - 1) : 0
      guard part >= number - 1 else { continue }
      if range.isEmpty { range = index..<index }
      guard part == number - 1 else { break }
      range = range.lowerBound..<index + 1
    }
    return range
  }
}

/// The name of a file of a set: `big-00001-of-00003.kist`; of a part of a conversion `big-part-00003-of-00008.kist`.
struct SetFileName: Equatable {
  /// With the folder, up to the number.
  var prefix: String
  /// From 1.
  var number: Int
  var count: Int
  var suffix: String

  var path: String { "\(prefix)-\(Self.digits(number))-of-\(Self.digits(count)).\(suffix)" }

  init(prefix: String, number: Int, count: Int, suffix: String) {
    (self.prefix, self.number, self.count, self.suffix) = (prefix, number, count, suffix)
  }

  /// Nil when the path does not end that way.
  init?(_ path: String) {
    guard let match = path.wholeMatch(of: #/(.+)-([0-9]{5})-of-([0-9]{5})\.([a-z]+)/#),
      let number = Int(match.2), let count = Int(match.3)
    else { return nil }
    self.init(prefix: String(match.1), number: number, count: count, suffix: String(match.4))
  }

  private static func digits(_ number: Int) -> String {
    let text = String(number)
    return String(repeating: "0", count: max(0, 5 - text.count)) + text
  }
}
