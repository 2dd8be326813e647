import KistCore

/// A definition without its vocabulary and merges, as a compiled tokenizer holds it: JSON in the words of tokenizer.json, with a few more.
///
/// ```
/// "reference"                 whose ids are right: tokenizers, sentencepiece, tiktoken, llama.cpp
/// "model"                     settings; "merges" says how pairs are chosen, "unk_id" stands for the unknown token's name
/// "normalizer": SentencePiece what a model's NormalizerSpec says
/// "decoder": SentencePiece, Bytes
/// {"Regex": …, "dialect": …}  rules other than Oniguruma's
/// "precompiled_charsmap"      {"offset", "count"} in the section of character maps
/// {"base64": …}               bytes that are not UTF-8
/// ```
package enum TokenizerPipeline {
  /// - Returns: The JSON, and the character maps that it refers to.
  package static func encode(_ definition: TokenizerDefinition) -> (json: [UInt8], charsmaps: [UInt8]) {
    var writer = ComponentWriter.compiled
    let model = definition.model
    writer.object(
      [("reference", ComponentWriter.string(definition.reference.rawValue))]
        + ComponentWriter.pipelineMembers(definition, nameOf: { _ in nil }) + [("model", { $0.settings(of: model) })])
    return (writer.text.bytes, writer.charsmaps ?? [])
  }

  /// - Returns: The definition with an empty vocabulary and no merges.
  /// - Throws: `damaged` or `unsupported`, naming the field.
  package static func decode(_ json: RawSpan, charsmaps: [UInt8]) throws(KistError) -> TokenizerDefinition {
    let fields = try JSONFields(JSONDocument(json, depth: TokenizerJSON.maximumDepth).root, path: "")
    let components = ComponentReader(words: .compiled(charsmaps: charsmaps))
    let model = try JSONFields(fields.required("model"), path: "model")
    var definition = TokenizerDefinition(
      reference: try fields.word("reference"), model: try components.modelSettings(model))
    try components.readPipeline(fields, into: &definition)
    definition.addedTokens = try fields.elements("added_tokens") { (value, place) throws(KistError) in
      let fields = try JSONFields(value, path: place)
      var token = try AddedTokenReader.flags(fields)
      token.content = try components.rawBytes(fields.required("content"), fields.place("content"))
      token.id = try fields.id("id")
      return token
    }
    return definition
  }
}

extension TokenizerDefinition.Reference: CaseIterable {
  package static let allCases: [Self] = [.tokenizers, .sentencePiece, .tiktoken, .llamaCPP]
}

private enum ModelWord: String, CaseIterable {
  case bpe = "BPE"
  case unigram = "Unigram"
  case wordPiece = "WordPiece"
  case wordLevel = "WordLevel"
}

private enum MergeWord: String, CaseIterable { case pairs, scores, ranks }

extension ComponentWriter {
  fileprivate mutating func settings(of model: ModelDefinition) {
    switch model {
    case .bpe(let bpe):
      let merges: MergeWord =
        switch bpe.merges {
        case .pairs: .pairs
        case .byScore: .scores
        case .byRank: .ranks
        }
      component(
        ModelWord.bpe.rawValue,
        [
          ("merges", Self.string(merges.rawValue)), ("unk_id", Self.number(bpe.unknown)),
          ("continuing_subword_prefix", Self.bytes(bpe.continuingSubwordPrefix)),
          ("end_of_word_suffix", Self.bytes(bpe.endOfWordSuffix)), ("fuse_unk", Self.bool(bpe.fusesUnknown)),
          ("byte_fallback", Self.bool(bpe.byteFallback)), ("ignore_merges", Self.bool(bpe.ignoresMerges)),
          ("dropout", Self.number(bpe.dropout)),
        ])
    case .unigram(let unigram):
      component(
        ModelWord.unigram.rawValue,
        [("unk_id", Self.number(unigram.unknown)), ("byte_fallback", Self.bool(unigram.byteFallback))])
    case .wordPiece(let wordPiece):
      component(
        ModelWord.wordPiece.rawValue,
        [
          ("unk_id", Self.number(wordPiece.unknown)),
          ("continuing_subword_prefix", Self.bytes(wordPiece.continuingSubwordPrefix)),
          ("max_input_chars_per_word", Self.number(wordPiece.maximumCharactersPerWord)),
        ])
    case .wordLevel(_, let unknown): component(ModelWord.wordLevel.rawValue, [("unk_id", Self.number(unknown))])
    }
  }
}

extension ComponentReader {
  fileprivate func modelSettings(_ fields: JSONFields) throws(KistError) -> ModelDefinition {
    let nothing = Vocabulary(tokens: [])
    let unknown = fields.present("unk_id") == nil ? nil : try fields.id("unk_id")
    switch try fields.word("type") as ModelWord {
    case .bpe: return .bpe(try bpeSettings(fields, unknown: unknown))
    case .unigram:
      var unigram = UnigramDefinition(vocabulary: nothing, scores: [], unknown: unknown)
      unigram.byteFallback = try fields.bool("byte_fallback")
      return .unigram(unigram)
    case .wordPiece:
      var wordPiece = WordPieceDefinition(vocabulary: nothing, unknown: try fields.id("unk_id"))
      wordPiece.continuingSubwordPrefix = try rawBytes(
        fields.required("continuing_subword_prefix"), fields.place("continuing_subword_prefix"))
      wordPiece.maximumCharactersPerWord = try fields.count("max_input_chars_per_word")
      return .wordPiece(wordPiece)
    case .wordLevel: return .wordLevel(vocabulary: nothing, unknown: unknown)
    }
  }

  private func bpeSettings(_ fields: JSONFields, unknown: UInt32?) throws(KistError) -> BPEDefinition {
    let merges: BPEDefinition.Merges =
      switch try fields.word("merges") as MergeWord {
      case .pairs: .pairs([])
      case .scores: .byScore([])
      case .ranks: .byRank
      }
    var bpe = BPEDefinition(vocabulary: Vocabulary(tokens: []), merges: merges)
    bpe.unknown = unknown
    bpe.continuingSubwordPrefix = try rawBytes(
      fields.required("continuing_subword_prefix"), fields.place("continuing_subword_prefix"))
    bpe.endOfWordSuffix = try rawBytes(fields.required("end_of_word_suffix"), fields.place("end_of_word_suffix"))
    bpe.fusesUnknown = try fields.bool("fuse_unk")
    bpe.byteFallback = try fields.bool("byte_fallback")
    bpe.ignoresMerges = try fields.bool("ignore_merges")
    bpe.dropout = fields.present("dropout")?.double
    return bpe
  }
}
