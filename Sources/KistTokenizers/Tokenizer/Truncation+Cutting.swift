import KistCore

// Which tokens truncation keeps. Source: tokenizers, `utils/truncation.rs`, and `tokenizer/encoding.rs`, `truncate`.

extension Truncation {
  /// How many tokens of the texts there is room for.
  ///
  /// - Throws: `invalid` when there is none even for the added tokens. (There the library's subtraction wraps, and it cuts nothing.)
  func room(besides addedTokenCount: Int) throws(KistError) -> Int {
    guard maximumLength >= addedTokenCount else {
      throw wrong("leaves no room: \(maximumLength) tokens, and \(addedTokenCount) are added to each text")
    }
    return maximumLength - addedTokenCount
  }

  /// Which tokens of a single text each window has. What is kept is the first of them; there is always one.
  ///
  /// - Throws: `invalid` when the stride is not less than the room, or only a second text may be cut.
  func windows(of count: Int, room: Int) throws(KistError) -> [Range<Int>] {
    guard count > room else { return [0..<count] }
    guard room > 0 else { return [0..<0, 0..<count] }
    if strategy == .onlySecond { throw wrong("may only cut a second text, and there is none") }
    guard stride >= 0, stride < room else {
      throw wrong("has a stride of \(stride), which has to be less than the \(room) tokens that a window has room for")
    }
    var windows: [Range<Int>] = []
    var done = 0
    // Counted from the end that is kept.
    repeat {
      let end = min(done + room, count)
      windows.append(side == .right ? done..<end : count - end..<count - done)
      if end == count { break }
      done += room - stride
    } while true
    return windows
  }

  /// How many tokens of each of two texts are kept.
  ///
  /// - Throws: `invalid` when the text that may be cut is too short, or windows are asked for.
  func counts(_ first: Int, _ second: Int, room: Int) throws(KistError) -> (Int, Int) {
    guard stride == 0 else { throw wrong("has a stride: windows are made of single texts, not of pairs") }
    guard first + second > room else { return (first, second) }
    guard room > 0 else { return (0, 0) }
    let excess = first + second - room
    switch strategy {
    case .longestFirst:
      let (short, long) = (min(first, second), max(first, second))
      var kept = (short: short, long: max(short, room - min(short, room)))
      if kept.short + kept.long > room { kept = (room / 2, room / 2 + room % 2) }
      return first > second ? (min(kept.long, long), kept.short) : (kept.short, min(kept.long, long))
    case .onlyFirst:
      guard first > excess else { throw wrong("may only cut the first text, which has only \(first) tokens") }
      return (first - excess, second)
    case .onlySecond:
      guard second > excess else { throw wrong("may only cut the second text, which has only \(second) tokens") }
      return (first, second - excess)
    }
  }

  /// The tokens that are kept.
  func cut(_ ids: [UInt32], to count: Int) -> [UInt32] {
    Array(side == .right ? ids.prefix(count) : ids.suffix(count))
  }

  private func wrong(_ problem: String) -> KistError { KistError(.invalid, field: "truncation", problem) }
}
