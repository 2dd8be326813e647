import KistCore

/// `(?i)`.
extension RegexDialect {
  /// A set with all that differs from its members by case only.
  func caseClosed(_ set: ScalarSet) -> ScalarSet {
    var added: [ClosedRange<UInt32>] = []
    for orbit in UnicodeTable.orbits where orbit.contains(where: set.contains) { added += orbit.map { $0...$0 } }
    // Python's regex also has I with a dot for i, as Turkish does.
    let dotted: UInt32 = 0x130
    if self == .python, set.contains(0x49) || set.contains(0x69) { added.append(dotted...dotted) }
    return added.isEmpty ? set : set.union(ScalarSet(added))
  }

  /// Whether Oniguruma would, without case, find more than one character in a character's place (`ss` for `ß`), or one for several.
  /// Such patterns are refused. Source: CaseFolding.txt, status F; oniguruma, `INTERNAL_ONIGENC_CASE_FOLD_MULTI_CHAR`.
  func foldsToSeveral(_ set: ScalarSet) -> Bool {
    self == .oniguruma && !set.intersection(Self.foldedToSeveral).ranges.isEmpty
  }

  /// Whether two characters side by side may be found, without case, in one (see ``foldsToSeveral(_:)``).
  func foldsToOne(_ first: UInt32, _ second: UInt32) -> Bool {
    guard self == .oniguruma else { return false }
    let firsts = [first] + UnicodeTable.caseVariants(of: first)
    let seconds = [second] + UnicodeTable.caseVariants(of: second)
    return Self.pairs.contains { firstSet, second in
      seconds.contains(second) && firsts.contains(where: firstSet.contains)
    }
  }

  private static let foldedToSeveral = ScalarSet([
    0xDF...0xDF, 0x130...0x130, 0x149...0x149, 0x1F0...0x1F0, 0x390...0x390, 0x3B0...0x3B0, 0x587...0x587,
    0x1E96...0x1E9A, 0x1E9E...0x1E9E, 0x1F50...0x1F50, 0x1F52...0x1F52, 0x1F54...0x1F54, 0x1F56...0x1F56,
    0x1F80...0x1FAF, 0x1FB2...0x1FB4, 0x1FB6...0x1FB7, 0x1FBC...0x1FBC, 0x1FC2...0x1FC4, 0x1FC6...0x1FC7,
    0x1FCC...0x1FCC, 0x1FD2...0x1FD3, 0x1FD6...0x1FD7, 0x1FE2...0x1FE4, 0x1FE6...0x1FE7, 0x1FF2...0x1FF4,
    0x1FF6...0x1FF7, 0x1FFC...0x1FFC, 0xFB00...0xFB06, 0xFB13...0xFB17,
  ])

  /// How the foldings of those begin: their first two characters. Before an iota any Greek letter is taken to be one.
  private static let pairs: [(firsts: ScalarSet, second: UInt32)] = [
    (ScalarSet(0x66), 0x66), (ScalarSet(0x66), 0x69), (ScalarSet(0x66), 0x6C), (ScalarSet(0x2BC), 0x6E),
    (ScalarSet(0x73), 0x73), (ScalarSet(0x73), 0x74), (ScalarSet(0x61), 0x2BE), (ScalarSet(0x69), 0x307),
    (ScalarSet(0x74, 0x3B9, 0x3C5), 0x308), (ScalarSet(0x77, 0x79), 0x30A), (ScalarSet(0x6A), 0x30C),
    (ScalarSet(0x3C1, 0x3C5), 0x313), (ScalarSet(0x68), 0x331), (ScalarSet([0x3B1...0x3C9]), 0x342),
    (ScalarSet([0x370...0x3FF, 0x1F00...0x1FFF]), 0x3B9), (ScalarSet(0x574), 0x565), (ScalarSet(0x574), 0x56B),
    (ScalarSet(0x574), 0x56D), (ScalarSet(0x574, 0x57E), 0x576), (ScalarSet(0x565), 0x582),
  ]
}
