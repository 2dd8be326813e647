/// Properties by the names that patterns use.
extension UnicodeTable {
  /// The scalars that have a property, as sorted ranges that do not touch each other; nil when the name is not known.
  ///
  /// Known are general categories and scripts, by their long and short names, `Any`, `Assigned`, `ASCII`, `Alphabetic`, `Uppercase`,
  /// `Lowercase` and `White_Space`, each in any case and with or without `_`, `-` and spaces; `gc=` and `sc=` may precede.
  /// Surrogates are in none: they do not occur in text.
  package static func ranges(ofProperty name: String) -> [ClosedRange<UInt32>]? {
    let loose = looseName(name)
    let parts = loose.split(separator: "=", omittingEmptySubsequences: false).map(String.init)
    switch parts.count {
    case 1:
      return categoryRanges(loose) ?? binaryRanges(loose) ?? scriptRanges(loose)
    case 2 where parts[0] == "gc" || parts[0] == "generalcategory":
      return categoryRanges(parts[1])
    case 2 where parts[0] == "sc" || parts[0] == "script":
      return scriptRanges(parts[1])
    default:
      return nil
    }
  }

  /// Scalars of any of some categories, as sorted ranges that do not touch each other. Surrogates are left out.
  package static func ranges(of categories: Set<GeneralCategory>) -> [ClosedRange<UInt32>] {
    let values = Set(categories.filter { $0 != .cs }.map { UInt32($0.rawValue) })
    return joined(PackedRuns(categoryRuns).lazy.filter { values.contains($0.value) }.map(\.scalars))
  }

  /// Lower case, without what loose matching ignores. Source: UAX #44, LM3, as Oniguruma and regex-syntax do it.
  static func looseName(_ name: String) -> String {
    let ignored: [Unicode.Scalar] = ["_", "-", " "]
    var loose = String.UnicodeScalarView()
    loose.append(contentsOf: name.unicodeScalars.filter { !ignored.contains($0) })
    return String(loose).lowercased()
  }

  private static func binaryRanges(_ loose: String) -> [ClosedRange<UInt32>]? {
    switch loose {
    case "any": [0...0xD7FF, 0xE000...0x10FFFF]
    case "ascii": [0...0x7F]
    case "assigned": ranges(of: Set(GeneralCategory.allCases).subtracting([.cn]))
    case "whitespace", "wspace", "space":
      joined((0...0x3000).lazy.filter { isWhiteSpace($0) }.map { $0..<$0 + 1 })
    case "alphabetic", "alpha": Array(PackedSet(alphabeticRuns))
    case "uppercase", "upper": Array(PackedSet(uppercaseRuns))
    case "lowercase", "lower": Array(PackedSet(lowercaseRuns))
    default: nil
    }
  }

  private static func categoryRanges(_ loose: String) -> [ClosedRange<UInt32>]? {
    categoriesByName[loose].map(ranges(of:))
  }

  private static func scriptRanges(_ loose: String) -> [ClosedRange<UInt32>]? {
    guard let index = scriptsByName[loose] else { return nil }
    let runs = joined(PackedRuns(scriptRuns).lazy.filter { $0.value == index }.map(\.scalars))
    // Only `Unknown` holds the surrogates, in a run with the private use area after them.
    return runs.flatMap { run -> [ClosedRange<UInt32>] in
      guard run.contains(0xD800) else { return [run] }
      return (run.lowerBound < 0xD800 ? [run.lowerBound...0xD7FF] : [])
        + (run.upperBound > 0xDFFF ? [0xE000...run.upperBound] : [])
    }
  }

  /// Closed ranges of half-open ones, those that touch made one.
  private static func joined(_ ranges: some Sequence<Range<UInt32>>) -> [ClosedRange<UInt32>] {
    var joined: [ClosedRange<UInt32>] = []
    for range in ranges where !range.isEmpty {
      if let last = joined.last, last.upperBound + 1 == range.lowerBound {
        joined[joined.count - 1] = last.lowerBound...range.upperBound - 1
      } else {
        joined.append(range.lowerBound...range.upperBound - 1)
      }
    }
    return joined
  }
}

/// Names.
extension UnicodeTable {
  /// Long names of the scripts, by the values of the script table.
  static let scriptLongNames = scriptNamesByIndex.map { $0.first ?? "" }

  private static let scriptNamesByIndex: [[String]] = scriptNames.description.split { $0.isWhitespace }
    .map { $0.split(separator: ",").map(String.init) }

  private static let scriptsByName: [String: UInt32] = {
    var indices: [String: UInt32] = [:]
    for (index, names) in scriptNamesByIndex.enumerated() {
      for name in names { indices[looseName(name)] = UInt32(index) }
    }
    return indices
  }()

  /// Source: PropertyValueAliases.txt, gc.
  private static let categoriesByName: [String: Set<GeneralCategory>] = {
    let single: [(GeneralCategory, String)] = [
      (.lu, "Lu Uppercase_Letter"), (.ll, "Ll Lowercase_Letter"), (.lt, "Lt Titlecase_Letter"),
      (.lm, "Lm Modifier_Letter"), (.lo, "Lo Other_Letter"), (.mn, "Mn Nonspacing_Mark"), (.mc, "Mc Spacing_Mark"),
      (.me, "Me Enclosing_Mark"), (.nd, "Nd Decimal_Number digit"), (.nl, "Nl Letter_Number"), (.no, "No Other_Number"),
      (.pc, "Pc Connector_Punctuation"), (.pd, "Pd Dash_Punctuation"), (.ps, "Ps Open_Punctuation"),
      (.pe, "Pe Close_Punctuation"), (.pi, "Pi Initial_Punctuation"), (.pf, "Pf Final_Punctuation"),
      (.po, "Po Other_Punctuation"), (.sm, "Sm Math_Symbol"), (.sc, "Sc Currency_Symbol"), (.sk, "Sk Modifier_Symbol"),
      (.so, "So Other_Symbol"), (.zs, "Zs Space_Separator"), (.zl, "Zl Line_Separator"),
      (.zp, "Zp Paragraph_Separator"), (.cc, "Cc Control cntrl"), (.cf, "Cf Format"), (.cs, "Cs Surrogate"),
      (.co, "Co Private_Use"), (.cn, "Cn Unassigned"),
    ]
    let groups: [(Set<GeneralCategory>, String)] = [
      ([.lu, .ll, .lt], "LC L& Cased_Letter"), ([.lu, .ll, .lt, .lm, .lo], "L Letter"),
      ([.mn, .mc, .me], "M Mark Combining_Mark"), ([.nd, .nl, .no], "N Number"),
      ([.pc, .pd, .ps, .pe, .pi, .pf, .po], "P Punctuation punct"), ([.sm, .sc, .sk, .so], "S Symbol"),
      ([.zs, .zl, .zp], "Z Separator"), ([.cc, .cf, .cs, .co, .cn], "C Other"),
    ]
    var categories: [String: Set<GeneralCategory>] = [:]
    for (set, names) in single.map({ ([$0.0], $0.1) }) + groups {
      for name in names.split(separator: " ") { categories[looseName(String(name))] = set }
    }
    return categories
  }()
}
