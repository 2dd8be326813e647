/// What the names of classes mean in each dialect, as explicit sets. All were compared with the libraries over every scalar
/// (Tests: PatternClassTests).
extension RegexDialect {
  /// `\d`.
  var digits: ScalarSet { Self.decimalDigits }

  /// `\s`.
  var spaces: ScalarSet { Self.whiteSpace }

  /// `\w` as it stands in a bracket.
  var words: ScalarSet {
    switch self {
    case .oniguruma: Self.unicodeWords
    case .rust, .python: Self.unicodeWords.union(Self.joinControls)
    }
  }

  /// `\w` on its own, and what `\b` goes by. Oniguruma asks a table of Latin-1 there, which counts `²³¹¼½¾`.
  /// Source: oniguruma, `unicode.c`, `EncUNICODE_ISO_8859_1_CtypeTable`.
  var wordsOutsideBrackets: ScalarSet {
    self == .oniguruma ? words.union(ScalarSet([0xB2...0xB3, 0xB9...0xB9, 0xBC...0xBE])) : words
  }

  /// The set of `\p{name}`; nil when the dialect does not know it, or this module has no table of it.
  func property(_ name: String, inBracket: Bool) -> ScalarSet? {
    if self == .oniguruma {
      // Scripts and categories by name alone; names of POSIX brackets count too, but \p{Punct} is \p{P}, without symbols.
      guard !name.contains("=") else { return nil }
      let loose = UnicodeTable.looseName(name)
      if loose == "word" { return inBracket ? words : wordsOutsideBrackets }
      if loose != "punct", let set = posixClass(loose) { return set }
    }
    return UnicodeTable.ranges(ofProperty: name).map { ScalarSet($0) }
  }

  /// The set of `[:name:]`.
  func posixClass(_ name: String) -> ScalarSet? {
    switch self {
    case .oniguruma: Self.unicodePOSIXClass(name)
    case .rust: Self.asciiPOSIXClass(name)
    case .python:
      ["alpha", "digit", "space", "xdigit", "cntrl", "blank"].contains(name) ? Self.unicodePOSIXClass(name) : nil
    }
  }

  /// Source: oniguruma, `unicode_property_data.c`, `CR_…`.
  private static func unicodePOSIXClass(_ name: String) -> ScalarSet? {
    switch name {
    case "alnum": named("Alphabetic", "Nd")
    case "alpha": named("Alphabetic")
    case "ascii": named("ASCII")
    case "blank": named("Zs").union(ScalarSet(0x09))
    case "cntrl": named("Cc")
    case "digit": decimalDigits
    case "graph": graphic
    case "lower": named("Lowercase")
    case "print": graphic.union(named("Zs"))
    case "punct": named("P", "S")
    case "space": whiteSpace
    case "upper": named("Uppercase")
    case "word": unicodeWords
    case "xdigit": hexDigits
    default: nil
    }
  }

  /// Source: regex-syntax, `ast::ClassAsciiKind`.
  private static func asciiPOSIXClass(_ name: String) -> ScalarSet? {
    switch name {
    case "alnum": ScalarSet([0x30...0x39, 0x41...0x5A, 0x61...0x7A])
    case "alpha": ScalarSet([0x41...0x5A, 0x61...0x7A])
    case "ascii": ScalarSet([0...0x7F])
    case "blank": ScalarSet(0x09, 0x20)
    case "cntrl": ScalarSet([0...0x1F, 0x7F...0x7F])
    case "digit": ScalarSet([0x30...0x39])
    case "graph": ScalarSet([0x21...0x7E])
    case "lower": ScalarSet([0x61...0x7A])
    case "print": ScalarSet([0x20...0x7E])
    case "punct": ScalarSet([0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E])
    case "space": ScalarSet([0x09...0x0D, 0x20...0x20])
    case "upper": ScalarSet([0x41...0x5A])
    case "word": ScalarSet([0x30...0x39, 0x41...0x5A, 0x5F...0x5F, 0x61...0x7A])
    case "xdigit": hexDigits
    default: nil
    }
  }

  static let hexDigits = ScalarSet([0x30...0x39, 0x41...0x46, 0x61...0x66])

  private static let decimalDigits = named("Nd")
  private static let whiteSpace = named("White_Space")
  private static let joinControls = ScalarSet(0x200C, 0x200D)
  private static let unicodeWords = named("Alphabetic", "M", "Nd", "Pc")
  private static let graphic = named("White_Space", "Cc", "Cn", "Cs").union(ScalarSet([0xD800...0xDFFF])).inverted

  private static func named(_ names: String...) -> ScalarSet {
    ScalarSet(names.flatMap { UnicodeTable.ranges(ofProperty: $0) ?? [] })
  }
}
