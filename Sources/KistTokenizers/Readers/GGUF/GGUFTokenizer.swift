import KistCheckpoints
import KistCore

/// The tokenizer that a GGUF carries in its `tokenizer.ggml.…` keys, as a definition whose ids are llama.cpp's.
///
/// | `tokenizer.ggml.model` | |
/// |---|---|
/// | `llama` | SentencePiece's BPE: pieces with scores and types |
/// | `gpt2`, `gemma4` | BPE with merges; `tokenizer.ggml.pre` names how text is cut (``GGUFPreTokenizer``) |
/// | `bert` | WordPiece, word beginnings marked `▁` instead of continuations marked `##` |
/// | `t5` | Unigram with SentencePiece's character map |
///
/// - Source: llama.cpp, `src/llama-vocab.cpp`, `llama_vocab::impl::load` and the sessions of each type.
package enum GGUFTokenizer {
  /// - Throws: `missing` when the file has no tokenizer; `damaged` naming the key that is wrong; `unsupported` naming the model,
  ///   pre-tokenizer or option that this version does not know.
  ///
  /// - Parameter bytes: A whole file, or the header that a container kept of one.
  package static func read(_ bytes: [UInt8]) throws(KistError) -> TokenizerDefinition {
    try read(try GGUFFile(headerOf: bytes))
  }

  package static func read(_ file: GGUFFile) throws(KistError) -> TokenizerDefinition {
    let keys = GGUFTokenizerKeys(file)
    guard let model = try keys.text("model") else {
      throw KistError(.missing, field: "key 'tokenizer.ggml.model'", "is not there: the GGUF carries no tokenizer")
    }
    switch model {
    case "llama": return try scored(keys)
    case "gpt2":
      let pre = try keys.text("pre") ?? ""
      return try merged(keys, pre: pre.isEmpty ? "default" : pre)
    case "gemma4": return try merged(keys, pre: "gemma4")
    case "bert": return try wordPiece(keys)
    case "t5": return try unigram(keys)
    case "none", "no_vocab":
      throw KistError(.missing, field: "key 'tokenizer.ggml.model'", "is '\(model)': the GGUF carries no tokenizer")
    default:
      throw KistError(
        .unsupported, field: "key 'tokenizer.ggml.model'", "'\(model)' is no tokenizer that this Kist knows",
        advice: "it knows llama, gpt2, gemma4, bert and t5")
    }
  }

  // MARK: - The models

  /// SentencePiece's BPE as llama.cpp runs it: any two symbols merge whose concatenation is a token, of whatever type.
  private static func scored(_ keys: GGUFTokenizerKeys) throws(KistError) -> TokenizerDefinition {
    let tokens = try GGUFTokens(keys)
    let defaults = GGUFSpecialIDs.Defaults(beginning: 1, end: 2, unknown: 0, addsBeginning: true)
    let special = try GGUFSpecialIDs(keys, tokens, defaults)
    var bpe = BPEDefinition(vocabulary: tokens.vocabulary(), merges: .byScore(try tokens.scores(keys)))
    bpe.unknown = special.unknown ?? 0
    bpe.byteFallback = true
    guard (0...255).allSatisfy({ tokens.ids[ByteToken.name(of: UInt8($0))] != nil }) else {
      throw KistError(
        .unsupported, field: "key 'tokenizer.ggml.tokens'", "lacks some of the tokens <0x00> to <0xFF>",
        advice: "llama.cpp fails on texts that need them")
    }
    let addsSpace = try keys.flag("add_space_prefix") ?? true
    let escape = Normalizer.replace(.literal([0x20]), with: marker)
    var definition = TokenizerDefinition(
      reference: .llamaCPP, normalizer: addsSpace ? .sequence([.prepend(marker), escape]) : escape, model: .bpe(bpe))
    definition.decoder = markerDecoder(stripsSpace: addsSpace)
    try finish(&definition, keys, tokens, special)
    return definition
  }

  private static func merged(_ keys: GGUFTokenizerKeys, pre: String) throws(KistError) -> TokenizerDefinition {
    let rules = try GGUFPreTokenizer.named(pre)
    let tokens = try GGUFTokens(keys)
    var defaults = GGUFSpecialIDs.Defaults(beginning: 11, end: 11, unknown: nil, addsBeginning: rules.addsBeginning)
    if !rules.hasBeginning { defaults.beginning = nil }
    let special = try GGUFSpecialIDs(keys, tokens, defaults)
    var bpe = BPEDefinition(
      vocabulary: tokens.vocabulary(), merges: .pairs(try GGUFMerges.pairs(keys, tokens)))
    bpe.ignoresMerges = rules.ignoresMerges
    let splits = rules.patterns.map { PreTokenizer.split(.regex($0, .rust), .isolated, inverted: false) }
    var definition = TokenizerDefinition(reference: .llamaCPP, model: .bpe(bpe))
    if rules.spellsBytes {
      definition.preTokenizer = .sequence(splits + [.byteLevel(addsPrefixSpace: false, usesRegex: false)])
      definition.decoder = .byteLevel
    } else {
      bpe.byteFallback = true
      bpe.unknown = special.unknown
      definition.model = .bpe(bpe)
      definition.normalizer = .replace(.literal([0x20]), with: marker)
      definition.preTokenizer = .sequence(splits)
      definition.decoder = markerDecoder(stripsSpace: false)
    }
    try finish(&definition, keys, tokens, special)
    return definition
  }

  private static func wordPiece(_ keys: GGUFTokenizerKeys) throws(KistError) -> TokenizerDefinition {
    let tokens = try GGUFTokens(keys)
    let defaults = GGUFSpecialIDs.Defaults(
      beginning: 101, end: nil, unknown: 100, separator: 102, addsBeginning: true)
    let special = try GGUFSpecialIDs(keys, tokens, defaults)
    guard let unknown = special.unknown else {
      throw KistError(.damaged, field: "key 'tokenizer.ggml.unknown_token_id'", "is no token")
    }
    var model = WordPieceDefinition(vocabulary: try tokens.wordPieces(), unknown: unknown)
    model.maximumCharactersPerWord = .max
    let lowercases = try keys.flag("normalizer.lowercase") ?? true
    var definition = TokenizerDefinition(
      reference: .llamaCPP,
      normalizer: .llamaBert(
        stripsAccents: try keys.flag("normalizer.strip_accents") ?? lowercases, lowercases: lowercases),
      preTokenizer: .whitespaceSplit, model: .wordPiece(model))
    definition.decoder = .wordPiece(prefix: model.continuingSubwordPrefix, cleansUp: true)
    try finish(&definition, keys, tokens, special)
    return definition
  }

  private static func unigram(_ keys: GGUFTokenizerKeys) throws(KistError) -> TokenizerDefinition {
    let tokens = try GGUFTokens(keys)
    let defaults = GGUFSpecialIDs.Defaults(beginning: nil, end: 1, unknown: 2, addsBeginning: false, addsEnd: true)
    let special = try GGUFSpecialIDs(keys, tokens, defaults)
    let scores = try tokens.scores(keys)
    var model = UnigramDefinition(
      vocabulary: tokens.vocabulary(), scores: scores.map { Double($0) }, unknown: special.unknown)
    model.kinds = tokens.kinds.map { PieceKind($0) }
    model.addsAsDouble = true
    var spec = SentencePieceNormalizer()
    spec.addsDummyPrefix = try keys.flag("add_space_prefix") ?? false
    spec.removesExtraWhitespaces = try keys.flag("remove_extra_whitespaces") ?? false
    // llama.cpp puts a space before every run of others then, asked or not.
    if spec.removesExtraWhitespaces { spec.addsDummyPrefix = true }
    guard spec.removesExtraWhitespaces || !spec.addsDummyPrefix else {
      throw KistError(
        .unsupported, field: "key 'tokenizer.ggml.add_space_prefix'",
        "is true while remove_extra_whitespaces is not, which llama.cpp does in its own way")
    }
    if let item = keys.item("precompiled_charsmap") { spec.charsmap = try keys.file.bytes(of: item) }
    var definition = TokenizerDefinition(
      reference: .llamaCPP, normalizer: .sentencePiece(spec), model: .unigram(model))
    definition.decoder = markerDecoder(stripsSpace: spec.addsDummyPrefix)
    try finish(&definition, keys, tokens, special)
    return definition
  }

  // MARK: - What all have

  private static let marker: [UInt8] = [0xE2, 0x96, 0x81]

  private static func markerDecoder(stripsSpace: Bool) -> Decoder {
    let parts: [Decoder] = [.replace(.literal(marker), with: [0x20]), .byteFallback, .fuse]
    return .sequence(stripsSpace ? parts + [.strip(content: " ", start: 1, stop: 0)] : parts)
  }

  private static func finish(
    _ definition: inout TokenizerDefinition, _ keys: GGUFTokenizerKeys, _ tokens: GGUFTokens, _ special: GGUFSpecialIDs
  ) throws(KistError) {
    definition.addedTokens = try GGUFAddedTokens.tokens(keys, tokens, special)
    definition.postProcessor = special.postProcessor(tokens)
  }
}
