import KistCore

/// Groups and their flags.
extension RegexParser {
  /// `(…)` that sets no flags.
  mutating func group() throws(KistError) -> RegexNode {
    if take("(?:") { return try groupBody() }
    if take("(?=") { return .ahead(try groupBody()) }
    if take("(?!") { return .ahead(try groupBody(), negated: true) }
    if take("(?<=") { return .behind(try groupBody()) }
    if take("(?<!") { return .behind(try groupBody(), negated: true) }
    if take("(?>") { return .atomic(try groupBody()) }
    if take("(?#") { return try comment() }
    if looksAt("(?<") || looksAt("(?P<") {
      // Nothing refers to names here: references are refused.
      guard let close = pattern[position...].firstIndex(of: 0x3E) else { throw damage("has a group name without end") }
      let name = pattern[position..<close].drop { $0 != 0x3C }.dropFirst()
      guard !name.isEmpty, name.allSatisfy(isNamePart), dialect != .oniguruma || looksAt("(?<") else {
        throw refusal("a group named in another way than (?<name>…)")
      }
      position = close + 1
      return try groupBody()
    }
    guard !looksAt("(?"), !looksAt("(*") else {
      throw refusal("the group '\(text(from: position, count: 4))…'")
    }
    position += 1
    return try groupBody()
  }

  private func isNamePart(_ scalar: UInt32) -> Bool {
    switch scalar {
    case 0x30...0x39, 0x41...0x5A, 0x5F, 0x61...0x7A: true
    default: false
    }
  }

  func text(from start: Int, count: Int) -> String {
    var text = String.UnicodeScalarView()
    text.append(contentsOf: pattern[start..<min(start + count, pattern.count)].compactMap(Unicode.Scalar.init))
    return String(text)
  }

  private mutating func groupBody() throws(KistError) -> RegexNode {
    let node = try alternation()
    guard take(")") else { throw damage("has a '(' without its ')'") }
    return node
  }

  private mutating func comment() throws(KistError) -> RegexNode {
    while let scalar = next {
      position += 1
      if scalar == ")" { return .empty }
      if scalar == "\\" { throw refusal("a '\\' in a comment") }
    }
    throw damage("has a comment without end")
  }

  /// What `(?i)` or `(?i:…)` set.
  struct FlagSetting {
    /// The flags before.
    var outer: Flags
    /// What the group holds, when they held for a group only.
    var group: RegexNode?
  }

  /// `(?i-m:…)`, `(?i)`; nil when something else comes next.
  mutating func flagSetting() throws(KistError) -> FlagSetting? {
    guard looksAt("(?"), position + 2 < pattern.count, let first = Unicode.Scalar(pattern[position + 2]),
      first == "-" || first.properties.isAlphabetic, !looksAt("(?P")
    else { return nil }
    let (outer, start) = (flags, position)
    position += 2
    var enables = true
    while let scalar = next, scalar != ":", scalar != ")" {
      position += 1
      if scalar == "-", enables {
        enables = false
      } else {
        try set(scalar, enables)
      }
    }
    if take(")") {
      guard dialect != .python || start == 0 else { throw refusal("a flag that is set in the middle") }
      return FlagSetting(outer: outer)
    }
    guard take(":") else { throw damage("has a '(' without its ')'") }
    return FlagSetting(outer: outer, group: try groupBody())
  }

  /// Ruby's `m` is what others call `s`, and has no name for what they call `m`: it always holds.
  private mutating func set(_ flag: Unicode.Scalar, _ value: Bool) throws(KistError) {
    switch (flag, dialect) {
    case ("i", _): flags.ignoresCase = value
    case ("x", _): flags.isExtended = value
    case ("m", .oniguruma), ("s", .rust), ("s", .python): flags.dotMatchesNewline = value
    case ("m", _): flags.isMultiline = value
    default: throw refusal("the flag '\(flag)'")
    }
  }

  // MARK: Counts

  /// A node with the `*`, `+`, `?`, `{n,m}` that follow it.
  mutating func quantified(_ node: RegexNode, from start: Int) throws(KistError) -> RegexNode {
    guard let (count, isInterval) = try count() else { return node }
    if case .anchor = node { throw refusal("a count of an anchor") }
    if case .look = node { throw refusal("a count of a lookaround") }
    previousLiteral = nil
    var result = RegexNode.repeat(node, count)
    if take("?") {
      // Ruby: a{2}? is (?:a{2})?.
      let isFixed = isInterval && count.minimum == count.maximum && dialect == .oniguruma
      result = isFixed ? .repeat(result, .init(minimum: 0, maximum: 1)) : .repeat(node, with(count, .lazy))
    } else if take("+") {
      // Ruby: a{1,3}+ is (?:a{1,3})+.
      result =
        isInterval && dialect == .oniguruma
        ? .repeat(result, .init(minimum: 1)) : .repeat(node, with(count, .possessive))
    }
    let end = position
    guard try self.count() == nil else {
      throw refusal("counts upon counts, '\(text(from: start, count: end - start + 1))'")
    }
    return result
  }

  private func with(_ count: RegexNode.Repeat, _ mode: RegexNode.Repeat.Mode) -> RegexNode.Repeat {
    .init(minimum: count.minimum, maximum: count.maximum, mode: mode)
  }

  private mutating func count() throws(KistError) -> (RegexNode.Repeat, isInterval: Bool)? {
    if take("*") { return (.init(minimum: 0), false) }
    if take("+") { return (.init(minimum: 1), false) }
    if take("?") { return (.init(minimum: 0, maximum: 1), false) }
    guard looksAt("{") else { return nil }
    let start = position
    position += 1
    let minimum = number()
    let hasComma = take(",")
    let maximum = hasComma ? number() : minimum
    guard take("}"), minimum != nil || maximum != nil else {
      position = start
      // Ruby: a '{' that begins no count stands for itself.
      guard dialect == .oniguruma else { throw refusal("a '{' that begins no count") }
      return nil
    }
    guard (minimum ?? 0) <= (maximum ?? .max) else { throw refusal("a count whose limits are exchanged") }
    guard max(minimum ?? 0, maximum ?? 0) <= 65_535 else { throw refusal("a count above 65535") }
    return (.init(minimum: minimum ?? 0, maximum: maximum), true)
  }

  /// A decimal number; at most seven digits are read.
  private mutating func number() -> Int? {
    var value: Int?
    while let digit = next, ("0"..."9").contains(digit), value ?? 0 < 1_000_000 {
      value = (value ?? 0) * 10 + Int(digit.value - 0x30)
      position += 1
    }
    return value
  }
}
