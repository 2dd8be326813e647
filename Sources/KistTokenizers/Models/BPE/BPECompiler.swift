import KistCore

extension BPEModel {
  /// Writes the sections of a model and its vocabulary.
  ///
  /// - Parameter bytesAlphabet: Pieces will be raw bytes, and the vocabulary is written in GPT-2's alphabet of bytes: the compiled
  ///   vocabulary has the bytes that its tokens stand for. Tokens with characters outside that alphabet keep their own bytes; no text
  ///   gives them, and they are not found by their bytes.
  /// - Throws: `unsupported` for dropout, or more than the record can hold; `invalid` for merges of tokens that are not there, or ranks
  ///   without all 256 bytes.
  package static func compile(
    _ definition: BPEDefinition, bytesAlphabet: Bool, into writer: inout RecordWriter
  ) throws(KistError) {
    let compiler = try BPECompiler(definition, bytesAlphabet: bytesAlphabet)
    try compiler.compile(into: &writer)
  }
}

/// Turns a definition into the sections of ``BPEModel``.
///
/// Where any two neighbours merge whose concatenation is a token, a token has one pair all the same: the two symbols that merging leaves
/// of it when it stands alone and is not itself a token. In any text, as long as no merge reaches over the ends of a stretch, the merges
/// inside it are those of the stretch alone, in the same order, because the next merge of the text, where it lies inside, is also the
/// next merge of the stretch. So no other two symbols ever meet over that stretch.
struct BPECompiler {
  let definition: BPEDefinition
  /// As it is compiled: of raw bytes with a byte alphabet.
  let vocabulary: Vocabulary
  /// Ids of tokens that no text gives.
  let unreachable: Set<UInt32>
  let units: BPEOptions.Units
  let bytesAlphabet: Bool

  init(_ definition: BPEDefinition, bytesAlphabet: Bool) throws(KistError) {
    if let dropout = definition.dropout, dropout != 0 {
      throw KistError(
        .unsupported, field: "dropout", "is \(dropout): ids would differ from one time to the next",
        advice: "set it to null to encode without")
    }
    self.definition = definition
    switch definition.merges {
    case .pairs: units = bytesAlphabet ? .bytes : .scalars
    case .byScore: units = .sentencePiece
    case .byRank: units = .bytes
    }
    if case .pairs = definition.merges, bytesAlphabet {
      self.bytesAlphabet = true
      (vocabulary, unreachable) = Self.translate(definition.vocabulary)
    } else {
      self.bytesAlphabet = false
      (vocabulary, unreachable) = (definition.vocabulary, [])
    }
  }

  /// Tokens of the byte alphabet as the bytes they stand for, and the ids of those that can't be translated.
  private static func translate(_ vocabulary: Vocabulary) -> (Vocabulary, Set<UInt32>) {
    var (translated, unreachable) = (vocabulary, Set<UInt32>())
    for index in translated.tokens.indices {
      if let bytes = ByteAlphabet.bytes(ofSpelling: vocabulary.tokens[index].bytes) {
        translated.tokens[index].bytes = bytes
      } else {
        unreachable.insert(vocabulary.tokens[index].id)
      }
    }
    return (translated, unreachable)
  }

  func compile(into writer: inout RecordWriter) throws(KistError) {
    var tables = RecordWriter()
    try VocabularyTable.checkIDs(of: vocabulary)
    let symbols = try compileSymbols(into: &tables)
    let pairs = try compileMerges(symbols, into: &tables)
    var options = BPEOptions(units: units, flags: flags(symbols), unknown: definition.unknown)
    options.prefix = definition.continuingSubwordPrefix
    options.suffix = definition.endOfWordSuffix

    var whole = WholeTokens(idCount: 0)
    var (vocabularyTables, junctionTables) = (RecordWriter(), RecordWriter())
    let merges = tables
    try Parallelism().forEach(3) { (job) throws(KistError) in
      switch job {
      case 0: whole = try wholeTokens(symbols, merges)
      case 1:
        try VocabularyTable.compile(
          vocabulary, kinds: definition.kinds, unindexed: unreachable, into: &vocabularyTables)
      default: junctions(of: pairs, symbols)?.compile(into: &junctionTables)
      }
    }
    tables.add(vocabularyTables)
    tables.add(junctionTables)
    compileByteTokens(into: &tables)
    try compileUserDefined(into: &tables)

    var draft = tables
    options.compile(into: &draft)
    let wholePieces = try wholePieces(options, whole, draft.storage())
    options.longestToken = wholePieces.longest
    options.compile(into: &tables)
    tables.add(.wholePieces, wholePieces.bits)
    writer.add(tables)
  }

  /// The tokens that are whole without a doubt, when there is a list of merges.
  private func wholeTokens(_ symbols: [UInt32: UInt32], _ merges: RecordWriter) throws(KistError) -> WholeTokens {
    guard case .pairs(let pairs) = definition.merges, let highest = vocabulary.tokens.last?.id,
      highest <= VocabularyTable.highestID, definition.continuingSubwordPrefix.isEmpty,
      definition.endOfWordSuffix.isEmpty, !definition.ignoresMerges
    else { return WholeTokens(idCount: 0) }
    var whole = WholeTokens(idCount: Int(highest) + 1)
    let table = try PairTable(RecordReader(merges.storage()), entries: .merges, index: .mergeIndex)
    for symbol in symbols.values { whole.add(symbol: symbol) }
    for (rank, pair) in pairs.enumerated() { whole.add(pair, rank: UInt32(rank), table) }
    return whole
  }

  /// Which tokens, as pieces, are themselves, as bits by id; and how many bytes the longest of them has.
  private func wholePieces(
    _ options: BPEOptions, _ whole: WholeTokens, _ record: RecordStorage
  ) throws(KistError) -> (bits: [UInt8], longest: Int) {
    let model = try BPEModel(RecordReader(record))
    var bits = [UInt8](repeating: 0, count: (model.vocabulary.idCount + 7) / 8)
    var longest = 0
    guard !options.hasAffixes || definition.ignoresMerges else { return (bits, 0) }
    var scratch = BPEScratch()
    var ids: [UInt32] = []
    for token in vocabulary.tokens where !token.bytes.isEmpty && !unreachable.contains(token.id) {
      if !options.flags.contains(.anyTokenIsWhole), !whole.contains(token.id) {
        ids.removeAll(keepingCapacity: true)
        unsafe token.bytes.withUnsafeBytes { unsafe model.encodeByMerging($0, into: &ids, &scratch) }
        if ids != [token.id] { continue }
      }
      bits[Int(token.id >> 3)] |= 1 << UInt8(token.id & 7)
      longest = max(longest, token.bytes.count)
    }
    return (bits, longest)
  }

  private func flags(_ symbols: [UInt32: UInt32]) -> BPEOptions.Flags {
    var flags: BPEOptions.Flags = []
    if definition.fusesUnknown { flags.insert(.fusesUnknown) }
    if definition.byteFallback { flags.insert(.byteFallback) }
    if definition.ignoresMerges { flags.insert(.anyTokenIsWhole) }
    if case .byRank = definition.merges { flags.insert(.anyTokenIsWhole) }
    if bytesAlphabet { flags.insert(.byteAlphabet) }
    let hasAffixes = !definition.continuingSubwordPrefix.isEmpty || !definition.endOfWordSuffix.isEmpty
    if units == .bytes, !hasAffixes, symbols.count == 256 { flags.insert(.allBytes) }
    if canSplitAtMarkers(symbols, hasAffixes: hasAffixes) { flags.insert(.splitsAtMarkers) }
    return flags
  }
}
