/// The patterns of o200k and tekken, which cut words where small letters turn into capitals. With U for `[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`, L for
/// `[\p{Ll}\p{Lm}\p{Lo}\p{M}]` and C for `(?i:'s|'t|'re|'ve|'m|'ll|'d)?` (none in tekken):
/// `[^\r\n\p{L}\p{N}]?U*L+C|[^\r\n\p{L}\p{N}]?U+L*C|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`
struct CasedScanner: PieceScanner {
  var contractions = Contractions.anyCase
  var maximumDigits = 3

  @inline(__always) func nextEnd<Text: ScanText>(in text: Text, from start: Int) -> Int {
    let (classes, length) = text.scalar(at: start)
    let second = start &+ length
    if classes.overlaps(.letter) { return endOfLetters(in: text, from: start) }
    if classes.overlaps(.number) { return text.endOfNumber(from: second, maximumDigits: maximumDigits) }
    if !classes.overlaps(.newline) {
      let (next, nextLength) = text.scalar(at: second)
      if next.overlaps(.upper | .lower) {
        // U*L+ with the first character before it, then (a mark is one of L and U) from the first itself, then U+L*.
        return withContraction(
          in: text,
          endOfLowerWord(in: text, from: second)
            ?? (classes.overlaps(.mark) ? endOfLowerWord(in: text, from: start) : nil)
            ?? text.end(of: .upper, from: second))
      }
      if classes.overlaps(.mark) { return withContraction(in: text, second) }
      if text.byte(start) == UInt8(ascii: " "), nextLength > 0, !next.overlaps(Self.notSymbols) {
        return endOfSymbols(in: text, from: second &+ nextLength)
      }
    }
    if !classes.overlaps(Self.notSymbols) { return endOfSymbols(in: text, from: second) }
    return text.endOfWhiteSpace(from: start)
  }

  /// What `[^\s\p{L}\p{N}]` excludes.
  @inline(__always) private static var notSymbols: ScalarClasses { .space | .letter | .number }

  /// `U*L+C|U+L*C` at a letter.
  @inline(__always) private func endOfLetters<Text: ScanText>(in text: Text, from start: Int) -> Int {
    withContraction(in: text, endOfLowerWord(in: text, from: start) ?? text.end(of: .upper, from: start))
  }

  /// `U*L+`, or nil.
  @inline(__always) private func endOfLowerWord<Text: ScanText>(in text: Text, from start: Int) -> Int? {
    // What of U was read is given back, as far as the last that is of L too.
    var (position, lastBoth) = (start, -1)
    while true {
      let caseless = text.skipCaseless(from: position)
      if caseless > position { (position, lastBoth) = (caseless, caseless) }
      let (classes, length) = text.scalar(at: position)
      if !classes.overlaps(.upper) {
        guard classes.overlaps(.lower) else { return lastBoth >= 0 ? lastBoth : nil }
        return text.end(of: .lower, from: position &+ length)
      }
      position &+= length
      if classes.overlaps(.lower) { lastBoth = position }
    }
  }

  @inline(__always) private func withContraction<Text: ScanText>(in text: Text, _ end: Int) -> Int {
    end &+ text.contraction(at: end, contractions)
  }

  /// `[^\s\p{L}\p{N}]+[\r\n/]*` behind its first.
  @inline(__always) private func endOfSymbols<Text: ScanText>(in text: Text, from position: Int) -> Int {
    var position = text.end(without: Self.notSymbols, from: position)
    while true {
      let byte = text.byte(position)
      guard byte == 0x0A || byte == 0x0D || byte == UInt8(ascii: "/") else { return position }
      position &+= 1
    }
  }
}
