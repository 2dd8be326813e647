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
