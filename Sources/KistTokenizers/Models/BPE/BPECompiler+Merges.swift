import KistCore

extension BPECompiler {
  /// Writes the pairs that merge, and what unused pieces are cut into.
  ///
  /// - Parameter symbols: By character or byte.
  func compileMerges(_ symbols: [UInt32: UInt32], into writer: inout RecordWriter) throws(KistError) {
    let table: PairTableBuilder
    switch definition.merges {
    case .pairs(let pairs):
      table = try checked(pairs)
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
    junctions(table, symbols)?.compile(into: &writer)
  }

  /// The pairs of a list; of the same pair twice the last counts, as in tokenizers.
  private func checked(_ pairs: [BPEDefinition.Pair]) throws(KistError) -> PairTableBuilder {
    let ids = Set(vocabulary.tokens.map(\.id))
    var table = PairTableBuilder(minimumCapacity: pairs.count)
    for (rank, pair) in pairs.enumerated() {
      guard ids.contains(pair.left), ids.contains(pair.right), ids.contains(pair.merged), rank < Merging.rankLimit
      else {
        throw KistError(
          .invalid, field: "merges",
          "number \(rank + 1) merges \(name(pair.left)) and \(name(pair.right)) into \(name(pair.merged)); not all are in the vocabulary"
        )
      }
      table.insert(pair.left, pair.right, Merging.value(rank: UInt32(rank), merged: pair.merged))
    }
    return table
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
    let reaching = Set(vocabulary.tokens.filter { Self.hasMarkerInside($0.bytes) }.map(\.id))
    switch definition.merges {
    case .byRank:
      return false
    case .byScore:
      return !reaching.contains { [.normal, .userDefined, .unused].contains(kind(of: $0)) }
    case .pairs(let pairs):
      let unknown = vocabulary.tokens.first { $0.id == definition.unknown }?.bytes ?? []
      // A ▁ that is a symbol of its own keeps unknown characters on its two sides apart.
      return units == .scalars && !hasAffixes && !definition.ignoresMerges && symbols[0x2581] != nil
        && unknown.suffix(3) != Self.marker[...] && !pairs.contains { reaching.contains($0.merged) }
    }
  }

  private static let marker: [UInt8] = [0xE2, 0x96, 0x81]

  /// Whether another character stands somewhere before a ▁.
  private static func hasMarkerInside(_ bytes: [UInt8]) -> Bool {
    var units = units(of: bytes)[...]
    while units.first == 0x2581 { units.removeFirst() }
    return units.contains(0x2581)
  }
}
