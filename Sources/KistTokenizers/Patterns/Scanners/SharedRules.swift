/// What the patterns have in common.
extension ScanText {
  /// `'s|'t|'re|'ve|'m|'ll|'d` at an apostrophe: the length, or 0.
  @inline(__always) func contraction(at position: Int, _ casing: Contractions) -> Int {
    guard byte(position) == UInt8(ascii: "'") else { return 0 }
    var (first, second) = (byte(position &+ 1), byte(position &+ 2))
    switch casing {
    case .none: return 0
    case .lowercase: break
    case .anyCase, .anyASCIICase:
      // ſ folds to s.
      if casing == .anyCase, first == 0xC5, second == 0xBF { return 3 }
      // A letter in lower case; nothing else becomes one of those looked for.
      (first, second) = (first | 0x20, second | 0x20)
    }
    switch first {
    case UInt8(ascii: "s"), UInt8(ascii: "t"), UInt8(ascii: "m"), UInt8(ascii: "d"): return 2
    case UInt8(ascii: "r"), UInt8(ascii: "v"): return second == UInt8(ascii: "e") ? 3 : 0
    case UInt8(ascii: "l"): return second == UInt8(ascii: "l") ? 3 : 0
    default: return 0
    }
  }

  /// The white space at a position: where it ends, where its last scalar begins, and where its last newline ends (-1 without one).
  @inline(__always) func whiteSpace(from start: Int) -> (end: Int, last: Int, newlineEnd: Int) {
    var (end, last, newlineEnd) = (start, start, -1)
    while true {
      let (classes, length) = scalar(at: end)
      guard length > 0, classes.overlaps(.space) else { return (end, last, newlineEnd) }
      last = end
      end &+= length
      if classes.overlaps(.newline) { newlineEnd = end }
    }
  }

  /// `\s*[\r\n]+|\s+(?!\S)|\s+`, or with `\s++$` before.
  @inline(__always) func endOfWhiteSpace(from start: Int, takesFinalRun: Bool = false) -> Int {
    let (end, last, newlineEnd) = whiteSpace(from: start)
    if takesFinalRun, end == count { return end }
    if newlineEnd >= 0 { return newlineEnd }
    return end == count || last == start ? end : last
  }
}

/// How a pattern finds `'s|'t|'re|'ve|'m|'ll|'d`.
enum Contractions: Sendable {
  case none, lowercase
  /// `(?i)`, which finds ſ too.
  case anyCase
  /// `[sS]` and the like.
  case anyASCIICase
}

/// Where the pieces end that a pattern finds. Every rule looks ahead only, so that a piece depends on where it begins and what follows.
protocol PieceScanner: Sendable {
  /// The end of the piece that begins at a position, which lies within the text.
  func nextEnd<Text: ScanText>(in text: Text, from start: Int) -> Int

  /// The kernel that finds the same in ASCII.
  var asciiKernel: ASCIIKernel { get }
}
