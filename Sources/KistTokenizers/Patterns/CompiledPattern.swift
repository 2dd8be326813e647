import KistCore

/// A pattern, ready to find its matches: as the library finds them whose dialect it is written in, on every text, or not at all.
package struct CompiledPattern: Sendable {
  private enum Finder: Sendable {
    case literal([UInt8])
    case regex(PCRE2Code, ScalarAtoms)
  }

  private let finder: Finder

  /// - Throws: `unsupported` naming the construct that can't be translated exactly; `damaged` for what is no regular expression.
  package init(_ pattern: Pattern) throws(KistError) {
    switch pattern {
    case .literal([]): finder = try Self.regex(.empty)
    case .literal(let bytes): finder = .literal(bytes)
    case .regex(let text, let dialect):
      let node = try RegexParser.parse(text, dialect)
      // Python's finditer goes on from an empty match in another way than the others.
      guard dialect != .python || !node.matchesEmpty else {
        throw KistError(
          .unsupported, field: "pattern", "can match nothing at all, which Python's patterns must not here")
      }
      finder = try Self.regex(node)
    }
  }

  private static func regex(_ node: RegexNode) throws(KistError) -> Finder {
    let atoms = try ScalarAtoms(node.sets)
    return .regex(try PCRE2Code(PCRE2Emitter(atoms: atoms).pattern(node)), atoms)
  }

  /// All matches in a text, from the left, not overlapping; also empty ones.
  package func matches(in text: [UInt8]) throws(KistError) -> [Range<Int>] {
    var matches: [Range<Int>] = []
    try forEachMatch(in: text, 0..<text.count) { start, end throws(KistError) in matches.append(start..<end) }
    return matches
  }

  /// Calls `body` with the bounds of each match in a part of some bytes, as offsets in all of them. Anchors and what looks around see the
  /// part only.
  ///
  /// - Throws: `unsupported` when a match takes too long or too much memory.
  /// - Complexity: for the usual patterns linear in the part; what backtracks is bounded for each match.
  package func forEachMatch(
    in bytes: [UInt8], _ range: Range<Int>, _ body: (_ start: Int, _ end: Int) throws(KistError) -> Void
  ) throws(KistError) {
    let range = range.clamped(to: 0..<bytes.count)
    // A typed error does not pass through the standard library's closure.
    let result = unsafe bytes.withUnsafeBufferPointer { buffer -> Result<Void, KistError> in
      let part = unsafe UnsafeBufferPointer(rebasing: buffer[range])
      return Result { () throws(KistError) in
        unsafe try forEachMatch(in: part) { start, end throws(KistError) in
          try body(range.lowerBound + start, range.lowerBound + end)
        }
      }
    }
    try result.get()
  }

  /// Calls `body` with the bounds of each match in a text.
  @unsafe package func forEachMatch(
    in text: UnsafeBufferPointer<UInt8>, _ body: (_ start: Int, _ end: Int) throws(KistError) -> Void
  ) throws(KistError) {
    switch finder {
    case .literal(let literal): unsafe try Self.forEachOccurrence(of: literal, in: text, body)
    case .regex(let code, let atoms): unsafe try Self.forEachMatch(of: code, atoms, in: text, body)
    }
  }

  private static func forEachOccurrence(
    of literal: [UInt8], in text: UnsafeBufferPointer<UInt8>,
    _ body: (_ start: Int, _ end: Int) throws(KistError) -> Void
  ) throws(KistError) {
    var position = 0
    while position <= text.count - literal.count {
      let isHere = literal.indices.allSatisfy { unsafe text[position + $0] == literal[$0] }
      if isHere { try body(position, position + literal.count) }
      position += isHere ? literal.count : 1
    }
  }

  private static func forEachMatch(
    of code: PCRE2Code, _ atoms: ScalarAtoms, in text: UnsafeBufferPointer<UInt8>,
    _ body: (_ start: Int, _ end: Int) throws(KistError) -> Void
  ) throws(KistError) {
    var subject: [UInt8] = []
    subject.reserveCapacity(text.count)
    let isASCII = unsafe atoms.append(text, to: &subject)
    // Where the last bound lies: as a character and as a byte.
    var (character, byte) = (0, 0)
    func offset(of target: Int) -> Int {
      guard !isASCII else { return target }
      while character < target, byte < text.count {
        unsafe byte += UTF8Walk.scalar(in: text, at: byte).length
        character += 1
      }
      return byte
    }
    let result = unsafe subject.withUnsafeBufferPointer { buffer -> Result<Void, KistError> in
      Result { () throws(KistError) in
        unsafe try code.forEachMatch(in: buffer) { start, end throws(KistError) in
          let start = offset(of: start)
          try body(start, offset(of: end))
        }
      }
    }
    try result.get()
  }
}
