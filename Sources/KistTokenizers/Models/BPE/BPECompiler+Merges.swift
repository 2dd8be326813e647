import KistCore

extension BPECompiler {
  /// Writes the pairs that merge, and what unused pieces are cut into.
  ///
  /// - Parameter symbols: By character or byte.
  /// - Returns: The pairs.
  func compileMerges(_ symbols: [UInt32: UInt32], into writer: inout RecordWriter) throws(KistError) -> MergedPairs {
    let table: PairTableBuilder
    switch definition.merges {
    case .pairs(let pairs):
      try compile(pairs, into: &writer)
      return .list(pairs)
    case .byRank:
      table = concatenations(rank: { $0 }, begin: { $0.map { symbols[UInt32($0)] ?? 0 } }).table
    case .byScore(let scores):
      let ranks = try ranks(of: scores)
      let found = concatenations(
        rank: { ranks[Int($0)] },
        begin: { Self.units(of: $0).map { symbols[$0] ?? $0 | Symbol.unknown } })
      table = found.table
      compileUnused(found.pairs, into: &writer)
    }
    try table.compile(entries: .merges, index: .mergeIndex, into: &writer)
    return .table(table)
  }

  /// Writes the pairs of a list, which merge in its order; of the same pair twice the last counts, as in tokenizers.
  private func compile(_ pairs: [BPEDefinition.Pair], into writer: inout RecordWriter) throws(KistError) {
    guard pairs.count <= PairTable.highestCount else {
      throw KistError(.unsupported, field: "merges", "are \(pairs.count); \(PairTable.highestCount) are supported")
    }
    try check(pairs)
    let entries = unsafe [UInt64](unsafeUninitializedCapacity: 2 * pairs.count) { entries, count in
      for (rank, pair) in pairs.enumerated() {
        unsafe entries[2 * rank] = PairTable.key(pair.left, pair.right)
        unsafe entries[2 * rank + 1] = Merging.value(rank: UInt32(rank), merged: pair.merged)
      }
      count = 2 * pairs.count
    }
    if let slots = try PairTableBuilder.slots(of: entries) {
      writer.add(.merges, entries)
      writer.add(.mergeIndex, slots)
      return
    }
    var table = PairTableBuilder(minimumCapacity: pairs.count)
    for (rank, pair) in pairs.enumerated() {
      table.insert(pair.left, pair.right, Merging.value(rank: UInt32(rank), merged: pair.merged))
    }
    try table.compile(entries: .merges, index: .mergeIndex, into: &writer)
  }

  private func check(_ pairs: [BPEDefinition.Pair]) throws(KistError) {
    // Higher ids are refused where the vocabulary is compiled.
    let ids = vocabulary.tokens.lazy.map(\.id).filter { $0 <= VocabularyTable.highestID }
    var isToken = [Bool](repeating: false, count: Int(ids.max() ?? 0) + 1)
    for id in ids { isToken[Int(id)] = true }
    let has = { (id: UInt32) in Int(id) < isToken.count && isToken[Int(id)] }
    for (rank, pair) in pairs.enumerated() {
      guard has(pair.left), has(pair.right), has(pair.merged) else {
        throw KistError(
          .invalid, field: "merges",
          "number \(rank + 1) merges \(name(pair.left)) and \(name(pair.right)) into \(name(pair.merged)); not all are in the vocabulary"
        )
      }
    }
  }

  private func name(_ id: UInt32) -> String {
    guard let token = definition.vocabulary.tokens.first(where: { $0.id == id }) else { return "id \(id)" }
    return "'\(String(decoding: token.bytes, as: UTF8.self))'"
  }

  /// Ranks by id: the place of a score among all different scores, the highest first.
  private func ranks(of scores: [Float]) throws(KistError) -> [UInt32] {
    guard let highest = vocabulary.tokens.last?.id, highest < scores.count, definition.unknown != nil else {
      throw KistError(.invalid, field: "pieces", "need a score each, and one of them to be the unknown piece")
    }
    guard !scores.contains(where: \.isNaN) else {
      throw KistError(.invalid, field: "pieces", "have a score that is not a number")
    }
    var ranks = [UInt32](repeating: 0, count: scores.count)
    var rank: UInt32 = 0
    let order = scores.indices.sorted { scores[$0] > scores[$1] }
    for (place, id) in order.enumerated() {
      if place > 0, scores[id] != scores[order[place - 1]] { rank += 1 }
      ranks[id] = rank
    }
    return ranks
  }

  /// The pair that each token arises from, where any two merge whose concatenation is a token, by byte count of the token.
  private func concatenations(
    rank: (UInt32) -> UInt32, begin: ([UInt8]) -> [UInt32]
  ) -> (table: PairTableBuilder, pairs: [BPEDefinition.Pair]) {
    var table = PairTableBuilder(minimumCapacity: vocabulary.tokens.count)
    var pairs: [BPEDefinition.Pair] = []
    var memory = MergeMemory()
    let mergeable = vocabulary.tokens.filter { [.normal, .userDefined, .unused].contains(kind(of: $0.id)) }
    // Shorter tokens first: those inside a token are shorter than it.
    for token in mergeable.sorted(by: { ($0.bytes.count, $0.id) < ($1.bytes.count, $1.id) }) {
      var symbols = begin(token.bytes)
      Merging.merge(&symbols, table, &memory)
      guard symbols.count == 2 else { continue }
      table.insert(symbols[0], symbols[1], Merging.value(rank: rank(token.id), merged: token.id))
      pairs.append(BPEDefinition.Pair(left: symbols[0], right: symbols[1], merged: token.id))
    }
    return (table, pairs)
  }

  /// Writes the symbols that unused pieces are cut into, again and again until none is unused.
  ///
  /// - Parameter pairs: By byte count of the merged piece.
  private func compileUnused(_ pairs: [BPEDefinition.Pair], into writer: inout RecordWriter) {
    var parts: [UInt32: [UInt32]] = [:]
    for pair in pairs where kind(of: pair.merged) == .unused {
      parts[pair.merged] = (parts[pair.left] ?? [pair.left]) + (parts[pair.right] ?? [pair.right])
    }
    guard !parts.isEmpty else { return }
    var (pieces, symbols): ([UInt32], [UInt32]) = ([], [])
    for (id, part) in parts.sorted(by: { $0.key < $1.key }) {
      symbols += part
      pieces += [id, UInt32(symbols.count)]
    }
    writer.add(.unusedPieces, pieces)
    writer.add(.unusedSymbols, symbols)
  }

  /// Whether texts can be cut before each ▁ that follows another character, because no token that merging gives has such a place in it.
  func canSplitAtMarkers(_ symbols: [UInt32: UInt32], hasAffixes: Bool) -> Bool {
    let reaching = vocabulary.tokens.filter { Self.hasMarkerInside($0.bytes) }
    switch definition.merges {
    case .byRank:
      return false
    case .byScore:
      return !reaching.contains { [.normal, .userDefined, .unused].contains(kind(of: $0.id)) }
    case .pairs(let pairs):
      let unknown = vocabulary.tokens.first { $0.id == definition.unknown }?.bytes ?? []
      // A ▁ that is a symbol of its own keeps unknown characters on its two sides apart.
      guard units == .scalars, !hasAffixes, !definition.ignoresMerges, symbols[0x2581] != nil,
        unknown.suffix(3) != Self.marker[...], !dropsCharacters
      else { return false }
      let ids = Set(reaching.map(\.id))
      return ids.isEmpty || !pairs.contains { ids.contains($0.merged) }
    }
  }

  /// Whether unknown characters leave nothing behind, so that those on their two sides may merge.
  private var dropsCharacters: Bool {
    guard definition.unknown == nil else { return false }
    return !definition.byteFallback || byteTokens().contains(0)
  }

  private static let marker: [UInt8] = [0xE2, 0x96, 0x81]

  /// Whether another character stands somewhere before a ▁.
  private static func hasMarkerInside(_ bytes: [UInt8]) -> Bool {
    let isMarker = { (place: Int) in
      place + 3 <= bytes.count && bytes[place] == 0xE2 && bytes[place + 1] == 0x96 && bytes[place + 2] == 0x81
    }
    var place = 0
    while isMarker(place) { place += 3 }
    guard place + 3 < bytes.count else { return false }
    return (place + 1...bytes.count - 3).contains(where: isMarker)
  }
}
