/// Words and white space around a place in a text, as Rust's `regex` has them: `\w` and `\s` of Unicode.
/// Source: regex-syntax, `unicode.rs`, `is_word_character`; UTS #18, annex C.
enum TextBoundary {
  /// Whether a word character stands before or after a range.
  static func isWithinWord(_ range: Range<Int>, in text: UnsafeRawBufferPointer) -> Bool {
    unsafe scalar(before: range.lowerBound, in: text).map { isWordCharacter($0.scalar) } ?? false
      || scalar(after: range.upperBound, in: text).map { isWordCharacter($0.scalar) } ?? false
  }

  /// Where the white space begins that ends at a place.
  ///
  /// - Parameter isASCII: Only ASCII's counts: C's `isspace`.
  static func startOfSpace(
    before place: Int, in text: UnsafeRawBufferPointer, notBefore limit: Int, isASCII: Bool
  ) -> Int {
    var start = place
    while start > limit, let (scalar, byteCount) = unsafe scalar(before: start, in: text),
      UnicodeTable.isWhiteSpace(scalar), !isASCII || scalar < 0x80
    {
      start -= byteCount
    }
    return start
  }

  /// Where the white space ends that begins at a place.
  static func endOfSpace(after place: Int, in text: UnsafeRawBufferPointer, isASCII: Bool) -> Int {
    var end = place
    while let (scalar, byteCount) = unsafe scalar(after: end, in: text), UnicodeTable.isWhiteSpace(scalar),
      !isASCII || scalar < 0x80
    {
      end += byteCount
    }
    return end
  }

  static func isWordCharacter(_ scalar: UInt32) -> Bool {
    switch UnicodeTable.category(scalar) {
    case .mn, .mc, .me, .nd, .pc: return true
    default: break
    }
    // Join_Control.
    if scalar == 0x200C || scalar == 0x200D { return true }
    let ranges = alphabetic
    var (low, high) = (0, ranges.count)
    while low < high {
      let middle = (low + high) / 2
      if ranges[middle].contains(scalar) { return true }
      if ranges[middle].lowerBound > scalar { high = middle } else { low = middle + 1 }
    }
    return false
  }

  private static let alphabetic = UnicodeTable.ranges(ofProperty: "Alphabetic") ?? []

  private static func scalar(
    before place: Int, in text: UnsafeRawBufferPointer
  ) -> (scalar: UInt32, byteCount: Int)? {
    guard place > 0 else { return nil }
    var start = place - 1
    while start > 0, place - start < 4, unsafe text[start] & 0xC0 == 0x80 { start -= 1 }
    return unsafe scalar(after: start, in: text)
  }

  /// The text is UTF-8; what is cut off by its end counts as the bytes that are there.
  private static func scalar(
    after place: Int, in text: UnsafeRawBufferPointer
  ) -> (scalar: UInt32, byteCount: Int)? {
    guard place < text.count else { return nil }
    let first = unsafe UInt32(text[place])
    let byteCount = first < 0xC0 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
    var scalar = byteCount == 1 ? first : first & (0x7F >> UInt32(byteCount))
    let end = min(place + byteCount, text.count)
    for index in place + 1..<max(place + 1, end) { scalar = unsafe scalar << 6 | UInt32(text[index] & 0x3F) }
    return (scalar, end - place)
  }
}
