/// The patterns of cl100k, Llama 3 and Qwen 2, which differ in numbers:
/// `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
struct WordScanner: PieceScanner {
  var contractions = Contractions.anyCase
  var maximumDigits = 3
  /// `\s++$` comes before the other rules for white space.
  var takesFinalSpaces = false
  /// `[\p{L}\p{M}]+` instead of `\p{L}+`, and no marks among symbols.
  var marksAreLetters = false

  @inline(__always) func nextEnd<Text: ScanText>(in text: Text, from start: Int) -> Int {
    let (classes, length) = text.scalar(at: start)
    let contraction = text.contraction(at: start, contractions)
    if contraction > 0 { return start &+ contraction }
    let second = start &+ length
    if classes.overlaps(.letter) { return endOfWord(in: text, from: second) }
    if classes.overlaps(.number) { return endOfNumber(in: text, from: second) }
    let isMark = marksAreLetters && classes.overlaps(.mark)
    if !classes.overlaps(.newline) {
      let (next, nextLength) = text.scalar(at: second)
      if next.overlaps(letters) { return endOfWord(in: text, from: second &+ nextLength) }
      if isMark { return second }
      if text.byte(start) == UInt8(ascii: " "), nextLength > 0, !next.overlaps(notSymbols) {
        return endOfSymbols(in: text, from: second &+ nextLength)
      }
    }
    if !classes.overlaps(notSymbols) { return endOfSymbols(in: text, from: second) }
    return text.endOfWhiteSpace(from: start, takesFinalRun: takesFinalSpaces)
  }

  @inline(__always) private var letters: ScalarClasses { marksAreLetters ? .letter | .mark : .letter }

  /// What `[^\s\p{L}\p{N}]` excludes.
  @inline(__always) private var notSymbols: ScalarClasses { letters | .space | .number }

  @inline(__always) private func endOfWord<Text: ScanText>(in text: Text, from position: Int) -> Int {
    marksAreLetters ? text.end(of: letters, from: position) : text.endOfLetters(from: position)
  }

  /// - Parameter position: Behind the first digit.
  @inline(__always) private func endOfNumber<Text: ScanText>(in text: Text, from position: Int) -> Int {
    text.endOfNumber(from: position, maximumDigits: maximumDigits)
  }

  @inline(__always) private func endOfSymbols<Text: ScanText>(in text: Text, from position: Int) -> Int {
    text.end(of: .newline, from: text.end(without: notSymbols, from: position))
  }
}

extension ScanText {
  /// `\p{N}{1,3}` behind its first digit.
  @inline(__always) func endOfNumber(from position: Int, maximumDigits: Int) -> Int {
    var (position, digits) = (position, 1)
    while digits < maximumDigits {
      let (classes, length) = scalar(at: position)
      guard classes.overlaps(.number) else { break }
      position &+= length
      digits &+= 1
    }
    return position
  }
}
