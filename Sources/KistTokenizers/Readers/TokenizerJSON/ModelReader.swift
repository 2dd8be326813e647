import KistCore

/// Reads the `model` of a tokenizer.json. Source: tokenizers, `models/*/serialization.rs`.
struct ModelReader {
  let fields: JSONFields
  /// Filled by the model's vocabulary; added tokens are looked up in it, too.
  private(set) var table = TokenTable(count: 0)

  private enum Word: String, CaseIterable {
    case bpe = "BPE"
    case wordPiece = "WordPiece"
    case wordLevel = "WordLevel"
    case unigram = "Unigram"
  }

  init(_ model: JSONValue) throws(KistError) { fields = try JSONFields(model, path: "model") }

  mutating func read() throws(KistError) -> ModelDefinition {
    switch try word() {
    case .bpe: return .bpe(try bpe())
    case .unigram: return .unigram(try unigram())
    case .wordPiece: return .wordPiece(try wordPiece())
    case .wordLevel:
      let vocabulary = try readVocabulary()
      return .wordLevel(vocabulary: vocabulary, unknown: try unknown())
    }
  }

  /// Old files have no `type`; the library then tries one model after the other.
  private func word() throws(KistError) -> Word {
    guard fields["type"] == nil else { return try fields.word("type") }
    let vocabularyIsList = fields["vocab"]?.elementSequence != nil
    if !vocabularyIsList, fields.has("vocab", "merges") { return .bpe }
    if fields.has("vocab", "unk_token", "continuing_subword_prefix", "max_input_chars_per_word") { return .wordPiece }
    if fields.has("vocab", "unk_token") { return .wordLevel }
    guard vocabularyIsList else {
      throw fields.wrong("type", "is missing, and the fields do not tell which model it is")
    }
    return .unigram
  }

  // MARK: Vocabularies

  private mutating func readVocabulary() throws(KistError) -> Vocabulary {
    table = try Self.readTable(fields.required("vocab"), fields.place("vocab"))
    return try table.vocabulary(fields.place("vocab"))
  }

  /// `{"token": id, …}`; of repeated tokens the last counts.
  static func readTable(_ value: JSONValue, _ place: String) throws(KistError) -> TokenTable {
    guard var members = value.memberSequence else { throw KistError(.damaged, field: place, "is not an object") }
    var table = TokenTable(count: value.childCount)
    try unsafe members.forEachID { (token, id) throws(KistError) in
      guard let id else {
        let name = unsafe String(decoding: token, as: UTF8.self)
        throw KistError(.damaged, field: place, "'\(name)' has an id that is not a number of 32 bits")
      }
      if let position = unsafe table.insert(token, id: id) { table.setID(position, id) }
    }
    return table
  }

  /// The id of `unk_token`, which need not be in the vocabulary as long as no text needs it.
  private func unknown() throws(KistError) -> UInt32 {
    table.id(of: try fields.bytes("unk_token")) ?? ModelDefinition.absentUnknown
  }

  // MARK: Models

  private mutating func bpe() throws(KistError) -> BPEDefinition {
    let vocabulary = try readVocabulary()
    let prefix = try fields.optionalBytes("continuing_subword_prefix") ?? []
    let merges = try MergeReader.read(fields, table: table, prefixLength: prefix.count)
    var bpe = BPEDefinition(vocabulary: vocabulary, merges: .pairs(merges))
    bpe.continuingSubwordPrefix = prefix
    bpe.endOfWordSuffix = try fields.optionalBytes("end_of_word_suffix") ?? []
    bpe.unknown = fields.present("unk_token") == nil ? nil : try unknown()
    bpe.fusesUnknown = try fields.optionalBool("fuse_unk") ?? false
    bpe.byteFallback = try fields.optionalBool("byte_fallback") ?? false
    bpe.ignoresMerges = try fields.optionalBool("ignore_merges") ?? false
    if let dropout = fields.present("dropout") {
      guard let rate = dropout.double, (0...1).contains(rate) else {
        throw fields.wrong("dropout", "is not between 0 and 1")
      }
      bpe.dropout = rate
    }
    return bpe
  }

  private mutating func wordPiece() throws(KistError) -> WordPieceDefinition {
    let vocabulary = try readVocabulary()
    var wordPiece = WordPieceDefinition(vocabulary: vocabulary, unknown: try unknown())
    wordPiece.continuingSubwordPrefix = try fields.bytes("continuing_subword_prefix")
    wordPiece.maximumCharactersPerWord = try fields.count("max_input_chars_per_word")
    return wordPiece
  }

  /// `[["piece", score], …]`; a piece's position is its id.
  private mutating func unigram() throws(KistError) -> UnigramDefinition {
    let vocab = try fields.required("vocab")
    guard let pieces = vocab.elementSequence else { throw fields.wrong("vocab", "is not an array") }
    table = TokenTable(count: vocab.childCount)
    var scores: [Double] = []
    for (_, piece) in pieces {
      guard let pair = piece.array, pair.count == 2, let token = unsafe pair[0].utf8, let score = pair[1].double else {
        throw KistError(.damaged, field: "model.vocab[\(scores.count)]", "is not a piece and its score")
      }
      if let other = unsafe table.insert(token, id: UInt32(truncatingIfNeeded: scores.count)) {
        throw KistError(
          .damaged, field: "model.vocab[\(scores.count)]", "is '\(table.name(other))', as [\(other)] is already")
      }
      scores.append(SerdeNumber.value(score))
    }
    let unknown = try fields.optionalCount("unk_id")
    guard unknown ?? 0 < max(scores.count, unknown == nil ? 1 : 0) else {
      throw fields.wrong("unk_id", "lies outside the vocabulary")
    }
    var unigram = UnigramDefinition(
      vocabulary: try table.vocabulary("model.vocab"), scores: scores, unknown: unknown.map { UInt32($0) })
    unigram.byteFallback = try fields.bool("byte_fallback", default: false)
    return unigram
  }
}
