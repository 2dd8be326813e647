/// The last of DeepSeek V3's three patterns:
/// ``[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+``
///
/// It does not find everything (digits alone, control characters): what lies between matches is a piece too.
struct DeepSeekScanner: PieceScanner {
  @inline(__always) func nextEnd<Text: ScanText>(in text: Text, from start: Int) -> Int {
    if let end = endOfMatch(in: text, from: start) { return end }
    var position = start &+ text.scalar(at: start).length
    while position < text.count, endOfMatch(in: text, from: position) == nil {
      position &+= text.scalar(at: position).length
    }
    return position
  }

  @inline(__always) private func endOfMatch<Text: ScanText>(in text: Text, from start: Int) -> Int? {
    let (classes, length) = text.scalar(at: start)
    let second = start &+ length
    if classes.overlaps(Self.letters) { return text.end(of: Self.letters, from: second) }
    if classes.overlaps(.symbol) {
      if length == 1, Self.isASCIILetter(text.byte(second)) {
        var end = second &+ 1
        while Self.isASCIILetter(text.byte(end)) { end &+= 1 }
        return end
      }
      return endOfSymbols(in: text, from: second)
    }
    if !classes.overlaps(.newline) {
      let (next, nextLength) = text.scalar(at: second)
      if next.overlaps(Self.letters) { return text.end(of: Self.letters, from: second &+ nextLength) }
      if text.byte(start) == UInt8(ascii: " "), next.overlaps(.symbol) {
        return endOfSymbols(in: text, from: second &+ nextLength)
      }
    }
    return classes.overlaps(.space) ? text.endOfWhiteSpace(from: start) : nil
  }

  @inline(__always) private static var letters: ScalarClasses { .letter | .mark }

  @inline(__always) private static func isASCIILetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- 0x61 < 26 }

  @inline(__always) private func endOfSymbols<Text: ScanText>(in text: Text, from position: Int) -> Int {
    text.end(of: .newline, from: text.end(of: .symbol, from: position))
  }
}

/// `\p{N}{1,3}` (and with another limit), and what lies between.
struct NumberScanner: PieceScanner {
  var maximumDigits: Int

  @inline(__always) func nextEnd<Text: ScanText>(in text: Text, from start: Int) -> Int {
    let (classes, length) = text.scalar(at: start)
    guard classes.overlaps(.number) else { return text.end(without: .number, from: start &+ length) }
    return text.endOfNumber(from: start &+ length, maximumDigits: maximumDigits)
  }
}

/// `[一-龥぀-ゟ゠-ヿ]+`, DeepSeek V3's second pattern, and what lies between.
struct CJKScanner: PieceScanner {
  @inline(__always) func nextEnd<Text: ScanText>(in text: Text, from start: Int) -> Int {
    let isInside = isCJK(in: text, at: start)
    var position = start
    repeat {
      position &+= max(1, text.scalar(at: position).length)
    } while position < text.count && isCJK(in: text, at: position) == isInside
    return position
  }

  /// U+3040…30FF and U+4E00…9FA5, by their bytes.
  @inline(__always) private func isCJK<Text: ScanText>(in text: Text, at position: Int) -> Bool {
    let lead = text.byte(position)
    guard lead >= 0xE3, lead <= 0xE9 else { return false }
    let (second, third) = (UInt32(text.byte(position &+ 1)), UInt32(text.byte(position &+ 2)))
    let scalar = UInt32(lead & 0x0F) &<< 12 | (second & 0x3F) &<< 6 | third & 0x3F
    return (0x3040...0x30FF).contains(scalar) || (0x4E00...0x9FA5).contains(scalar)
  }
}
