import KistCore

extension TokenizerJSON {
  /// Writes a whole tokenizer.json, in the order and the words of the library.
  ///
  /// - Throws: `unsupported` when a part has no word there: what SentencePiece and tiktoken do in their own ways.
  package static func encode(_ definition: TokenizerDefinition) throws(KistError) -> [UInt8] {
    if let part = definition.partUnknownToTokenizers {
      throw KistError(.unsupported, field: part, "can't be said in a tokenizer.json")
    }
    let names = definition.tokenNames
    let model = definition.model
    var writer = ComponentWriter.tokenizers
    writer.object(
      [("version", ComponentWriter.string("1.0"))]
        + ComponentWriter.pipelineMembers(definition, nameOf: { names[$0] })
        + [("model", { $0.model(model, names: names) })])
    return writer.text.bytes
  }
}

extension TokenizerDefinition {
  /// Tokens by id, added ones first.
  fileprivate var tokenNames: [UInt32: [UInt8]] {
    var names: [UInt32: [UInt8]] = [:]
    for token in model.vocabulary.tokens { names[token.id] = token.bytes }
    for token in addedTokens { names[token.id] = token.content }
    return names
  }

  /// The first part that only SentencePiece or tiktoken has.
  fileprivate var partUnknownToTokenizers: String? {
    if case .bpe(let bpe) = model, case .pairs = bpe.merges {
    } else if case .bpe = model {
      return "model.merges"
    }
    if case .unigram(let unigram) = model, !unigram.scores.allSatisfy(\.isFinite) { return "model.vocab" }
    if normalizer?.isKnownToTokenizers == false { return "normalizer" }
    if preTokenizer?.isKnownToTokenizers == false { return "pre_tokenizer" }
    if decoder?.isKnownToTokenizers == false { return "decoder" }
    let isText = model.vocabulary.tokens.allSatisfy { String(validating: $0.bytes, as: UTF8.self) != nil }
    return isText ? nil : "model.vocab"
  }
}

extension Pattern {
  fileprivate var isKnownToTokenizers: Bool {
    switch self {
    case .literal, .regex(_, .oniguruma): true
    case .regex: false
    }
  }
}

extension Normalizer {
  fileprivate var isKnownToTokenizers: Bool {
    switch self {
    case .sequence(let normalizers): normalizers.allSatisfy(\.isKnownToTokenizers)
    case .replace(let pattern, _): pattern.isKnownToTokenizers
    case .sentencePiece, .llamaBert: false
    default: true
    }
  }
}

extension PreTokenizer {
  fileprivate var isKnownToTokenizers: Bool {
    switch self {
    case .sequence(let preTokenizers): preTokenizers.allSatisfy(\.isKnownToTokenizers)
    case .split(let pattern, _, _): pattern.isKnownToTokenizers
    default: true
    }
  }
}

extension Decoder {
  fileprivate var isKnownToTokenizers: Bool {
    switch self {
    case .sequence(let decoders): decoders.allSatisfy(\.isKnownToTokenizers)
    case .replace(let pattern, _): pattern.isKnownToTokenizers
    case .sentencePiece, .bytes: false
    default: true
    }
  }
}

extension ModelDefinition {
  package var vocabulary: Vocabulary {
    switch self {
    case .bpe(let bpe): bpe.vocabulary
    case .unigram(let unigram): unigram.vocabulary
    case .wordPiece(let wordPiece): wordPiece.vocabulary
    case .wordLevel(let vocabulary, _): vocabulary
    }
  }
}

extension ComponentWriter {
  fileprivate mutating func model(_ model: ModelDefinition, names: [UInt32: [UInt8]]) {
    let unknownName = { (id: UInt32?) -> [UInt8]? in id.flatMap { names[$0] } }
    let token = { (id: UInt32?) -> Write in Self.optional(unknownName(id)) { $0.bytes($1) } }
    switch model {
    case .bpe(let bpe): component("BPE", Self.bpeMembers(bpe, names: names, unknown: token(bpe.unknown)))
    case .unigram(let unigram):
      let pieces = Array(zip(unigram.vocabulary.tokens, unigram.scores))
      component(
        "Unigram",
        [
          ("unk_id", Self.number(unigram.unknown)),
          (
            "vocab",
            Self.list(pieces) { writer, piece in
              writer.literal("[")
              writer.bytes(piece.0.bytes)
              writer.literal(",\(piece.1)]")
            }
          ), ("byte_fallback", Self.bool(unigram.byteFallback)),
        ])
    case .wordPiece(let wordPiece):
      component(
        "WordPiece",
        [
          ("unk_token", Self.bytes(unknownName(wordPiece.unknown) ?? Array("[UNK]".utf8))),
          ("continuing_subword_prefix", Self.bytes(wordPiece.continuingSubwordPrefix)),
          ("max_input_chars_per_word", Self.number(wordPiece.maximumCharactersPerWord)),
          ("vocab", Self.vocabulary(wordPiece.vocabulary)),
        ])
    case .wordLevel(let vocabulary, let unknown):
      component(
        "WordLevel",
        [
          ("vocab", Self.vocabulary(vocabulary)),
          ("unk_token", Self.bytes(unknownName(unknown) ?? Array("<unk>".utf8))),
        ])
    }
  }

  private static func bpeMembers(
    _ bpe: BPEDefinition, names: [UInt32: [UInt8]], unknown: @escaping Write
  ) -> [(String, Write)] {
    let affix = { (bytes: [UInt8]) -> Write in bytes.isEmpty ? literalNull : Self.bytes(bytes) }
    guard case .pairs(let merges) = bpe.merges else { return [] }
    return [
      ("dropout", number(bpe.dropout)), ("unk_token", unknown),
      ("continuing_subword_prefix", affix(bpe.continuingSubwordPrefix)),
      ("end_of_word_suffix", affix(bpe.endOfWordSuffix)), ("fuse_unk", bool(bpe.fusesUnknown)),
      ("byte_fallback", bool(bpe.byteFallback)), ("ignore_merges", bool(bpe.ignoresMerges)),
      ("vocab", vocabulary(bpe.vocabulary)),
      (
        "merges",
        list(merges) { writer, merge in
          writer.array([merge.left, merge.right]) { $0.bytes(names[$1] ?? []) }
        }
      ),
    ]
  }

  private static var literalNull: Write { { $0.literal("null") } }

  /// `{"token": id, …}` by id.
  private static func vocabulary(_ vocabulary: Vocabulary) -> Write {
    { writer in
      writer.literal("{")
      for (index, token) in vocabulary.tokens.enumerated() {
        if index > 0 { writer.literal(",") }
        writer.bytes(token.bytes)
        writer.literal(":\(token.id)")
      }
      writer.literal("}")
    }
  }
}
