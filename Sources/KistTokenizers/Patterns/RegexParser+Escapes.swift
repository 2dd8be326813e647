import KistCore

/// What begins with a backslash.
extension RegexParser {
  /// An escape outside brackets.
  mutating func escape() throws(KistError) -> RegexNode {
    if let node = anchorEscape() { return node }
    if let set = try classEscape(inBracket: false) {
      previousLiteral = nil
      return .set(set)
    }
    return .set(try literal(try characterEscape()))
  }

  private mutating func anchorEscape() -> RegexNode? {
    let words = dialect.wordsOutsideBrackets
    if take("\\A") { return .anchor(.textStart) }
    if take("\\b") { return .boundary(of: words, negated: false) }
    if take("\\B") { return .boundary(of: words, negated: true) }
    switch dialect {
    case .oniguruma:
      if take("\\z") { return .anchor(.textEnd) }
      if take("\\Z") { return beforeFinalNewline }
      if take("\\R") {
        let breaks = ScalarSet([0x0A...0x0D, 0x85...0x85, 0x2028...0x2029])
        let pair = RegexNode.sequence([.set(ScalarSet(0x0D)), .set(ScalarSet(0x0A))])
        return .atomic(.alternation([pair, .set(breaks)]))
      }
    case .rust: if take("\\z") { return .anchor(.textEnd) }
    case .python: if take("\\Z") { return .anchor(.textEnd) }
    }
    return nil
  }

  /// `\d`, `\p{L}` and the like; nil when it is a character.
  mutating func classEscape(inBracket: Bool) throws(KistError) -> ScalarSet? {
    if take("\\d") { return dialect.digits }
    if take("\\D") { return dialect.digits.inverted }
    if take("\\s") { return dialect.spaces }
    if take("\\S") { return dialect.spaces.inverted }
    let words = inBracket ? dialect.words : dialect.wordsOutsideBrackets
    if take("\\w") { return words }
    if take("\\W") { return words.inverted }
    if dialect != .python {
      if take("\\h") { return RegexDialect.hexDigits }
      if take("\\H") { return RegexDialect.hexDigits.inverted }
      if !inBracket, take("\\N") { return ScalarSet(0x0A).inverted }
      if !inBracket, take("\\O") { return .all }
    }
    guard looksAt("\\p") || looksAt("\\P") else { return nil }
    return try property(inBracket: inBracket)
  }

  private mutating func property(inBracket: Bool) throws(KistError) -> ScalarSet {
    var isNegated = looksAt("\\P")
    position += 2
    let name: String
    if take("{") {
      guard let close = pattern[position...].firstIndex(of: 0x7D) else { throw damage("has a '\\p{' without its '}'") }
      if take("^") { isNegated.toggle() }
      name = text(from: position, count: close - position)
      position = close + 1
    } else {
      // Oniguruma takes \pL for a letter p and an L.
      guard dialect != .oniguruma, let letter = next else { throw refusal("'\\p' without braces") }
      name = String(letter)
      position += 1
    }
    guard var set = dialect.property(name, inBracket: inBracket) else { throw refusal("the property '\(name)'") }
    if flags.ignoresCase, !inBracket {
      // Oniguruma ignores case in brackets only; Python has rules of its own.
      if dialect == .rust { set = dialect.caseClosed(set) }
      if dialect == .python, dialect.caseClosed(set) != set { throw refusal("(?i) on the property '\(name)'") }
    }
    return isNegated ? set.inverted : set
  }

  /// An escape that stands for one character.
  mutating func characterEscape() throws(KistError) -> UInt32 {
    let start = position
    position += 1
    guard let scalar = next else { throw damage("ends in a backslash") }
    position += 1
    switch scalar {
    case "t": return 0x09
    case "n": return 0x0A
    case "v": return 0x0B
    case "f": return 0x0C
    case "r": return 0x0D
    case "a": return 0x07
    case "e" where dialect != .python: return 0x1B
    case "x" where dialect != .python && looksAt("{"), "u" where dialect == .rust && looksAt("{"):
      return try bracedNumber(from: start)
    case "x": return try hexNumber(digits: 2, from: start)
    case "u": return try hexNumber(digits: 4, from: start)
    case "U" where dialect != .oniguruma: return try hexNumber(digits: 8, from: start)
    default:
      let isEscapable = (" "..."/").contains(scalar) || ":;=?@[\\]^_`{|}~".unicodeScalars.contains(scalar)
      guard isEscapable else {
        throw refusal("the escape '\\\(scalar)'")
      }
      return scalar.value
    }
  }

  private mutating func bracedNumber(from start: Int) throws(KistError) -> UInt32 {
    guard let close = pattern[position...].firstIndex(of: 0x7D), close - position <= 9 else {
      throw damage("has an escape without its '}'")
    }
    let digits = text(from: position + 1, count: close - position - 1)
    position = close + 1
    return try scalar(UInt32(digits, radix: 16), from: start)
  }

  private mutating func hexNumber(digits count: Int, from start: Int) throws(KistError) -> UInt32 {
    let digits = text(from: position, count: count)
    let value = digits.unicodeScalars.allSatisfy(\.properties.isASCIIHexDigit) ? UInt32(digits, radix: 16) : nil
    guard digits.unicodeScalars.count == count else { throw damage("has an escape that ends too early") }
    position += count
    // In Oniguruma's UTF-8, \xE9 is a byte of a longer character.
    guard count > 2 || dialect != .oniguruma || value ?? 0 < 0x80 else { throw refusal("bytes in escapes") }
    return try scalar(value, from: start)
  }

  private func scalar(_ value: UInt32?, from start: Int) throws(KistError) -> UInt32 {
    guard let value, Unicode.Scalar(value) != nil else {
      throw refusal("the escape '\(text(from: start, count: position - start))'")
    }
    return value
  }
}
