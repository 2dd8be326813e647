import KistCore

/// Classes in brackets.
extension RegexParser {
  /// `[…]`, with what it excludes applied.
  ///
  /// - Parameter level: How many brackets enclose it.
  mutating func bracket(level: Int = 0) throws(KistError) -> ScalarSet {
    guard level < 50 else { throw refusal("brackets nested more than 50 deep") }
    position += 1
    let isNegated = take("^")
    var (set, isFirst) = (ScalarSet(), true)
    // The sets before each '&&'.
    var intersected: ScalarSet?
    while !looksAt("]") || isFirst {
      guard let scalar = next else { throw damage("has a '[' without its ']'") }
      if isFirst, scalar == "]", dialect == .python || hasNoOtherClose {
        throw refusal("an empty bracket, or a ']' in one")
      }
      isFirst = false
      if dialect != .python, take("&&") {
        intersected = intersected.map { $0.intersection(set) } ?? set
        set = ScalarSet()
        continue
      }
      set = set.union(try bracketItem(scalar, level: level))
    }
    position += 1
    if let intersected { set = intersected.intersection(set) }
    return try closed(set, isNegated: isNegated)
  }

  /// Whether a `]` that comes first would have to be the bracket's end.
  private var hasNoOtherClose: Bool { !pattern[(position + 1)...].contains(0x5D) }

  /// Case is ignored before negation. Source: oniguruma, `i_apply_case_fold`; regex-syntax, `unicode_fold_and_negate`.
  private func closed(_ set: ScalarSet, isNegated: Bool) throws(KistError) -> ScalarSet {
    guard flags.ignoresCase else { return isNegated ? set.inverted : set }
    let closed = dialect.caseClosed(set)
    guard isNegated || !dialect.foldsToSeveral(closed) else {
      throw refusal("(?i) on a bracket with letters that fold to several")
    }
    return isNegated ? closed.inverted : closed
  }

  private mutating func bracketItem(_ scalar: Unicode.Scalar, level: Int) throws(KistError) -> ScalarSet {
    if looksAt("[:") {
      if let set = try posixBracket() { return set }
      guard dialect != .rust else { throw refusal("a '[:' that begins no class") }
    }
    if scalar == "[" {
      guard dialect != .python else { throw refusal("a '[' in a bracket") }
      return try bracket(level: level + 1)
    }
    if scalar == "\\", let set = try classEscape(inBracket: true) {
      guard !looksAt("-") || looksAt("-]") else { throw refusal("a range from a class") }
      return set
    }
    try refuseSetOperators()
    if flags.isExtended, dialect == .rust, UnicodeTable.isWhiteSpace(scalar.value) || scalar == "#" {
      throw refusal("white space in a bracket under (?x)")
    }
    let first = try bracketCharacter()
    guard looksAt("-"), !looksAt("-]") else { return ScalarSet(first) }
    let dash = position
    position += 1
    if looksAt("[") || looksAt("&&") {
      position = dash
      throw refusal("a '-' before a set")
    }
    try refuseSetOperators()
    guard !looksAt("\\d"), !looksAt("\\s"), !looksAt("\\w"), !looksAt("\\p") else {
      throw refusal("a range to a class")
    }
    let last = try bracketCharacter()
    guard first <= last else { throw damage("has a range from a greater to a smaller character") }
    return ScalarSet([first...last])
  }

  /// Rust and Python have more operators on sets.
  private func refuseSetOperators() throws(KistError) {
    guard dialect != .oniguruma else { return }
    for symbol in ["--", "~~", "||", "&&"] as [StaticString] where looksAt(symbol) {
      throw refusal("the set operator '\(symbol)'")
    }
  }

  private mutating func bracketCharacter() throws(KistError) -> UInt32 {
    guard let scalar = next else { throw damage("has a '[' without its ']'") }
    guard scalar == "\\" else {
      position += 1
      return scalar.value
    }
    if dialect != .rust, take("\\b") { return 0x08 }
    return try characterEscape()
  }

  /// `[:alpha:]`, `[:^alpha:]`; nil when it is none.
  private mutating func posixBracket() throws(KistError) -> ScalarSet? {
    let start = position
    position += 2
    let isNegated = take("^")
    let nameStart = position
    while let scalar = next, scalar.properties.isAlphabetic { position += 1 }
    let name = text(from: nameStart, count: position - nameStart)
    guard take(":]") else {
      position = start
      return nil
    }
    guard let set = dialect.posixClass(name) else { throw refusal("the class '[:\(name):]'") }
    return isNegated ? set.inverted : set
  }
}
