import KistCore

/// Reads a regular expression by the rules of its dialect.
///
/// What can't be translated exactly is refused, by name: the reference's ids on every string, or a clear error.
/// Sources: oniguruma, `doc/RE` and `regparse.c` (Ruby's syntax); regex-syntax, `ast/parse.rs` with fancy-regex, `parse.rs`;
/// mrab-regex, `_regex_core.py`; all tried on small patterns (Fixtures/make/pretokenizers.py).
struct RegexParser {
  /// What `(?imsx)` set.
  struct Flags {
    var ignoresCase = false
    var dotMatchesNewline = false
    var isMultiline = false
    var isExtended = false
  }

  let dialect: RegexDialect
  let pattern: [UInt32]
  var position = 0
  var flags = Flags()
  /// The character just before, when it stands for itself and case is ignored; also across the ends of groups.
  var previousLiteral: UInt32?
  private var depth = 0

  /// Deeper nesting is refused: the parser and PCRE2 recurse.
  private static let maximumDepth = 200
  /// Longer patterns are refused: translating one takes a few microseconds a byte, and PCRE2 compiles no more than 64 KiB of code.
  private static let maximumByteCount = 1 << 15

  private init(_ pattern: String, _ dialect: RegexDialect) {
    self.pattern = pattern.unicodeScalars.map(\.value)
    self.dialect = dialect
    // Ruby's ^ and $ always mean lines.
    flags.isMultiline = dialect == .oniguruma
  }

  /// - Throws: `unsupported` naming the construct, or `damaged` for what is no regular expression.
  static func parse(_ pattern: String, _ dialect: RegexDialect) throws(KistError) -> RegexNode {
    guard pattern.utf8.count <= maximumByteCount else {
      throw KistError(.unsupported, field: "pattern", "is longer than \(maximumByteCount) bytes")
    }
    var parser = RegexParser(pattern, dialect)
    let node = try parser.alternation()
    guard parser.atEnd else { throw parser.damage("has a ')' without its '('") }
    return node
  }

  // MARK: Reading

  var atEnd: Bool { position == pattern.count }

  /// The next scalar, or nil at the end.
  var next: Unicode.Scalar? { atEnd ? nil : Unicode.Scalar(pattern[position]) }

  func looksAt(_ text: StaticString) -> Bool {
    let wanted = text.description.unicodeScalars
    return pattern.count - position >= wanted.count && zip(pattern[position...], wanted).allSatisfy { $0 == $1.value }
  }

  mutating func take(_ text: StaticString) -> Bool {
    guard looksAt(text) else { return false }
    position += text.description.unicodeScalars.count
    return true
  }

  func refusal(_ construct: String) -> KistError {
    KistError(
      .unsupported, field: "pattern",
      "uses \(construct), which can't be translated exactly (\(dialect.rawValue) pattern)")
  }

  func damage(_ problem: String) -> KistError {
    KistError(.damaged, field: "pattern", offset: position, "\(problem) (\(dialect.rawValue) pattern)")
  }

  // MARK: Structure

  /// `a|b`, up to a `)` or the end.
  mutating func alternation() throws(KistError) -> RegexNode {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.maximumDepth else { throw refusal("groups nested more than \(Self.maximumDepth) deep") }
    let outer = flags
    defer { flags = outer }
    var branches = [try sequence()]
    while take("|") { branches.append(try sequence()) }
    return branches.count == 1 ? branches[0] : .alternation(branches)
  }

  private mutating func sequence() throws(KistError) -> RegexNode {
    previousLiteral = nil
    var nodes: [RegexNode] = []
    while let scalar = next, scalar != "|", scalar != ")" {
      if skipExtended() { continue }
      let start = position
      guard let setting = try flagSetting() else {
        nodes.append(try quantified(try atom(), from: start))
        continue
      }
      if let group = setting.group {
        flags = setting.outer
        nodes.append(try quantified(group, from: start))
      } else if dialect == .oniguruma {
        // Ruby: what follows, with its alternatives, is a group of its own. a(?i)b|c is a(?i:b|c).
        nodes.append(try alternation())
      }
    }
    return nodes.count == 1 ? nodes[0] : .sequence(nodes)
  }

  /// White space and comments under `(?x)`.
  private mutating func skipExtended() -> Bool {
    guard flags.isExtended, let scalar = next else { return false }
    if scalar == "#" {
      while !atEnd, next != "\n" { position += 1 }
      return true
    }
    guard UnicodeTable.isWhiteSpace(scalar.value) else { return false }
    position += 1
    return true
  }

  private mutating func atom() throws(KistError) -> RegexNode {
    guard let scalar = next else { throw damage("ends too early") }
    if scalar == "(" { return try group() }
    if scalar == "\\" { return try escape() }
    let isSpecial: Bool = ".[^$*+?{".unicodeScalars.contains(scalar)
    if isSpecial { previousLiteral = nil }
    switch scalar {
    case "[": return .set(try bracket())
    case ".":
      position += 1
      return .set(flags.dotMatchesNewline ? .all : ScalarSet(0x0A).inverted)
    case "^":
      position += 1
      return lineStart
    case "$":
      position += 1
      return lineEnd
    case "*", "+", "?": throw damage("repeats nothing")
    default:
      if scalar == "{", dialect != .oniguruma { throw refusal("a '{' that begins no count") }
      position += 1
      return .set(try literal(scalar.value))
    }
  }

  /// A character that stands for itself.
  mutating func literal(_ scalar: UInt32) throws(KistError) -> ScalarSet {
    guard flags.ignoresCase else {
      previousLiteral = nil
      return ScalarSet(scalar)
    }
    let set = dialect.caseClosed(ScalarSet(scalar))
    guard !dialect.foldsToSeveral(set) else { throw refusal("(?i) on a letter that folds to several") }
    if let previousLiteral, dialect.foldsToOne(previousLiteral, scalar) {
      throw refusal("(?i) on letters that fold to one")
    }
    previousLiteral = scalar
    return set
  }

  // MARK: Lines

  private var newline: RegexNode { .set(ScalarSet(0x0A)) }

  private var lineStart: RegexNode {
    guard flags.isMultiline else { return .anchor(.textStart) }
    // In Ruby no line begins at the end of the text. Source: oniguruma, `regexec.c`, OP_BEG_LINE.
    let afterNewline = RegexNode.behind(newline)
    return .alternation([
      .anchor(.textStart),
      dialect == .oniguruma ? .sequence([afterNewline, .ahead(.anchor(.textEnd), negated: true)]) : afterNewline,
    ])
  }

  private var lineEnd: RegexNode {
    if flags.isMultiline { return .alternation([.anchor(.textEnd), .ahead(newline)]) }
    return dialect == .python ? beforeFinalNewline : .anchor(.textEnd)
  }

  /// The end of the text, or just before a newline that is its last character.
  var beforeFinalNewline: RegexNode {
    .ahead(.sequence([.repeat(newline, .init(minimum: 0, maximum: 1)), .anchor(.textEnd)]))
  }
}
