/// `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
struct GPT2Scanner: PieceScanner {
  @inline(__always) func nextEnd<Text: ScanText>(in text: Text, from start: Int) -> Int {
    var (classes, length) = text.scalar(at: start)
    var position = start &+ length
    if text.byte(start) == UInt8(ascii: " ") {
      (classes, length) = text.scalar(at: position)
      if length == 0 || classes.overlaps(.space) { return endOfSpaces(in: text, from: start) }
      position &+= length
    }
    if classes.overlaps(.letter) { return text.endOfLetters(from: position) }
    if classes.overlaps(.number) { return text.end(of: .number, from: position) }
    if classes.overlaps(.space) { return endOfSpaces(in: text, from: start) }
    let contraction = text.contraction(at: start, .lowercase)
    if contraction > 0 { return start &+ contraction }
    return text.end(without: .space | .letter | .number, from: position)
  }

  /// `\s+(?!\S)|\s+`
  @inline(__always) private func endOfSpaces<Text: ScanText>(in text: Text, from start: Int) -> Int {
    let (end, last, _) = text.whiteSpace(from: start)
    return end == text.count || last == start ? end : last
  }
}
