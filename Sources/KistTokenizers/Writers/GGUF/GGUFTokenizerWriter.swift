import KistCheckpoints
import KistCore

/// The `tokenizer.…` keys of a GGUF for a model's tokenizer, as llama.cpp's converter writes them.
///
/// | the model's files | `tokenizer.ggml.model` |
/// |---|---|
/// | BPE of bytes, with merges | `gpt2`; `tokenizer.ggml.pre` names how text is cut (``GGUFPreTokenizerName``) |
/// | SentencePiece's BPE, or its form in tokenizer.json | `llama`: pieces with scores and types |
/// | SentencePiece's unigram model | `t5` |
/// | WordPiece | `bert` |
///
/// - Source: llama.cpp, conversion/base.py, `_set_vocab_gpt2`, `_set_vocab_sentencepiece`; gguf-py 0.19, vocab.py, `SpecialVocab`.
package enum GGUFTokenizerWriter {
  /// What a family's converter decides.
  package struct Choice {
    /// Tokens of the embedding; those that the tokenizer lacks are padding.
    package var size: Int
    /// Whether a SentencePiece model beside tokenizer.json counts.
    package var prefersPieces: Bool
    /// Of several names for the same way of cutting text, the family's.
    package var preTokenizer: String
    /// `add_space_prefix`, where the family fixes it.
    package var spacePrefix: Bool?
    /// Whether it is what tokenizer_config.json says.
    package var statesSpacePrefix: Bool
    /// Tokens that stand at fixed places: keys after `tokenizer.ggml.`, which count where the files name none.
    package var fixedTokens: [(key: String, id: UInt32)]

    package init(
      size: Int, prefersPieces: Bool, preTokenizer: String, spacePrefix: Bool?, statesSpacePrefix: Bool,
      fixedTokens: [(key: String, id: UInt32)]
    ) {
      self.size = size
      self.prefersPieces = prefersPieces
      self.preTokenizer = preTokenizer
      self.spacePrefix = spacePrefix
      self.statesSpacePrefix = statesSpacePrefix
      self.fixedTokens = fixedTokens
    }
  }

  /// - Returns: nil when no file is a tokenizer's.
  /// - Throws: `unsupported` naming what GGUF can't say; what reading a tokenizer throws.
  package static func keys(_ files: TokenizerFiles, _ choice: Choice) throws(KistError) -> [GGUFTokenizerKey]? {
    if choice.prefersPieces, let bytes = try files.bytes("tokenizer.model"),
      let model = try? SentencePieceModel(bytes), !model.pieces.isEmpty
    {
      return try pieces(model, files, choice)
    }
    guard TokenizerSource.choose(among: files.names) != nil else { return nil }
    let definition = try TokenizerSource.read(files: files).withListedMerges()
    switch definition.model {
    case .bpe(let bpe):
      guard case .pairs(let pairs) = bpe.merges else {
        guard let bytes = try files.bytes("tokenizer.model"), let model = try? SentencePieceModel(bytes) else {
          throw unsupported("its merges are not listed, as GGUF has them", advice: "tokenizer.json has them")
        }
        return try pieces(model, files, choice)
      }
      return try bpe.byteFallback
        ? scored(definition, bpe, pairs, files, choice) : merged(definition, bpe, pairs, files, choice)
    case .wordPiece(let wordPiece): return try self.wordPiece(definition, wordPiece, files, choice)
    case .unigram(let unigram):
      for name in ["tokenizer.model", "spiece.model"] {
        guard let bytes = try files.bytes(name), let model = try? SentencePieceModel(bytes) else { continue }
        return try pieces(model, files, choice)
      }
      var keys = try GGUFUnigramKeys(definition, unigram).keys(files, size: choice.size)
      keys.finish(choice)
      return keys
    case .wordLevel: throw unsupported("GGUF has no word-level models")
    }
  }

  static func unsupported(_ problem: String, advice: String? = nil) -> KistError {
    KistError(.unsupported, field: "tokenizer", problem, advice: advice)
  }

  // MARK: - The models

  private static func merged(
    _ definition: TokenizerDefinition, _ bpe: BPEDefinition, _ pairs: [BPEDefinition.Pair], _ files: TokenizerFiles,
    _ choice: Choice
  ) throws(KistError) -> [GGUFTokenizerKey] {
    let name = try GGUFPreTokenizerName.name(of: definition, ignoresMerges: bpe.ignoresMerges, choice.preTokenizer)
    let tokens = try GGUFVocabularyTokens(bpe.vocabulary, definition.addedTokens, size: choice.size)
    var keys: [GGUFTokenizerKey] = [
      .init("model", .text("gpt2")), .init("pre", .text(name.text)), .init("tokens", .strings(tokens.texts)),
      .init("token_type", .integers(tokens.kinds)),
    ]
    let special = try GGUFSpecialVocabulary(files)
    keys.append(.init("merges", .strings(merges(bpe, pairs))))
    keys.add(special.keys)
    // llama.cpp would add a token that the files do not ask for; ranks alone do not say.
    if name.addsBeginning, definition.reference != .tiktoken, !keys.contains(where: { $0.name == "add_bos_token" }),
      !definition.addsBeginning
    {
      keys.add([.init("add_bos_token", .flag(false))])
    }
    keys.finish(choice)
    return keys
  }

  /// Pairs as two tokens with a space between; a space inside is spelled as byte-level tokens spell it.
  private static func merges(_ bpe: BPEDefinition, _ pairs: [BPEDefinition.Pair]) -> [[UInt8]] {
    var texts: [UInt32: [UInt8]] = [:]
    texts.reserveCapacity(bpe.vocabulary.tokens.count)
    for token in bpe.vocabulary.tokens {
      texts[token.id] =
        token.bytes.contains(0x20) ? token.bytes.flatMap { $0 == 0x20 ? [0xC4, 0xA0] : [$0] } : token.bytes
    }
    return pairs.map { (texts[$0.left] ?? []) + [0x20] + (texts[$0.right] ?? []) }
  }

  /// SentencePiece's BPE as tokenizer.json has it: merges become scores, since llama.cpp merges by those.
  private static func scored(
    _ definition: TokenizerDefinition, _ bpe: BPEDefinition, _ pairs: [BPEDefinition.Pair], _ files: TokenizerFiles,
    _ choice: Choice
  ) throws(KistError) -> [GGUFTokenizerKey] {
    var tokens = try GGUFVocabularyTokens(bpe.vocabulary, definition.addedTokens, size: choice.size)
    var scores = [Float](repeating: 0, count: choice.size)
    for (rank, pair) in pairs.enumerated() where scores[Int(pair.merged)] == 0 {
      scores[Int(pair.merged)] = -Float(rank + 1)
    }
    tokens.markBytes()
    if let unknown = bpe.unknown, Int(unknown) < choice.size {
      tokens.kinds[Int(unknown)] = GGUFTokens.Kind.unknown.number
    }
    for token in definition.addedTokens where Int(token.id) < choice.size { scores[Int(token.id)] = -1000 }
    let prefix = try spacePrefix(files, choice)
    var keys: [GGUFTokenizerKey] = prefix.map { [.init("add_space_prefix", .flag($0))] } ?? []
    keys += [
      .init("model", .text("llama")), .init("pre", .text("default")), .init("tokens", .strings(tokens.texts)),
      .init("scores", .floats(scores)), .init("token_type", .integers(tokens.kinds)),
    ]
    keys.add(try GGUFSpecialVocabulary(files).keys)
    keys.addUnknown(bpe.unknown, usual: 0)
    if !definition.addsBeginning { keys.addIfAbsent(.init("add_bos_token", .flag(false))) }
    if choice.spacePrefix == nil, !definition.prependsSpace { keys.replace(.init("add_space_prefix", .flag(false))) }
    keys.finish(choice)
    return keys
  }

  private static func pieces(
    _ model: SentencePieceModel, _ files: TokenizerFiles, _ choice: Choice
  ) throws(KistError) -> [GGUFTokenizerKey] {
    let tokens = try GGUFVocabularyTokens(model, files, size: choice.size)
    let isUnigram = model.algorithm == .unigram
    let prefix = try spacePrefix(files, choice)
    var keys: [GGUFTokenizerKey] = prefix.map { [.init("add_space_prefix", .flag($0))] } ?? []
    keys += [
      .init("model", .text(isUnigram ? "t5" : "llama")), .init("pre", .text("default")),
      .init("tokens", .strings(tokens.texts)), .init("scores", .floats(tokens.scores)),
      .init("token_type", .integers(tokens.kinds)),
    ]
    if isUnigram {
      keys.replace(.init("add_space_prefix", .flag(model.normalizer.addsDummyPrefix)))
      keys.append(.init("remove_extra_whitespaces", .flag(model.normalizer.removesExtraWhitespaces)))
      if !model.normalizer.charsmap.isEmpty {
        keys.append(.init("precompiled_charsmap", .bytes(model.normalizer.charsmap)))
      }
    }
    keys.add(try GGUFSpecialVocabulary(files, tokenCount: choice.size).keys)
    keys.addUnknown(
      model.pieces.firstIndex { $0.kind == .unknown }.map { UInt32($0) },
      usual: isUnigram ? GGUFUnigramKeys.usualUnknown : 0)
    keys.finish(choice)
    return keys
  }

  /// Words begin with ▁ in place of what goes on beginning with ##.
  private static func wordPiece(
    _ definition: TokenizerDefinition, _ model: WordPieceDefinition, _ files: TokenizerFiles, _ choice: Choice
  ) throws(KistError) -> [GGUFTokenizerKey] {
    guard model.continuingSubwordPrefix.elementsEqual("##".utf8) else {
      throw unsupported("GGUF has word pieces only with the prefix ##")
    }
    var tokens = try GGUFVocabularyTokens(model.vocabulary, definition.addedTokens, size: choice.size)
    tokens.markBeginnings(continuing: model.continuingSubwordPrefix)
    var keys: [GGUFTokenizerKey] = [
      .init("model", .text("bert")), .init("pre", .text(choice.preTokenizer)),
      .init("tokens", .strings(tokens.texts)), .init("token_type", .integers(tokens.kinds)),
    ]
    keys.add(try GGUFSpecialVocabulary(files, tokenCount: choice.size).keys)
    keys.addUnknown(model.unknown, usual: 100)
    keys.finish(choice)
    return keys
  }

  private static func spacePrefix(_ files: TokenizerFiles, _ choice: Choice) throws(KistError) -> Bool? {
    choice.statesSpacePrefix ? try files.json("tokenizer_config.json")?["add_prefix_space"]?.bool : nil
  }
}

extension [GGUFTokenizerKey] {
  /// Adds keys; one that is there already gets the new value in its place.
  mutating func add(_ keys: [GGUFTokenizerKey]) { for key in keys { replace(key) } }

  mutating func replace(_ key: GGUFTokenizerKey) {
    if let place = firstIndex(where: { $0.name == key.name }) { self[place] = key } else { append(key) }
  }

  mutating func addIfAbsent(_ key: GGUFTokenizerKey) {
    if !contains(where: { $0.name == key.name }) { append(key) }
  }

  /// Says which token is the unknown one, where no file beside the vocabulary does and llama.cpp would take another.
  mutating func addUnknown(_ id: UInt32?, usual: UInt32) {
    if let id, id != usual, id != ModelDefinition.absentUnknown { addIfAbsent(.init("unknown_token_id", .id(id))) }
  }

  /// What a family has at its end.
  fileprivate mutating func finish(_ choice: GGUFTokenizerWriter.Choice) {
    for (key, id) in choice.fixedTokens where Int(id) < choice.size { addIfAbsent(.init(key, .id(id))) }
    if let flag = choice.spacePrefix, contains(where: { $0.name == "scores" }) {
      replace(.init("add_space_prefix", .flag(flag)))
    }
  }
}

extension TokenizerDefinition {
  /// Whether a token is put before a text.
  fileprivate var addsBeginning: Bool {
    func adds(_ processor: PostProcessor?) -> Bool {
      switch processor {
      case .sequence(let parts): parts.contains { adds($0) }
      case .bert, .roberta: true
      case .template(let single, _): if case .special = single.first { true } else { false }
      case .byteLevel, nil: false
      }
    }
    return adds(postProcessor)
  }

  /// Whether text gets a space before it.
  fileprivate var prependsSpace: Bool {
    func prepends(_ normalizer: Normalizer?) -> Bool {
      switch normalizer {
      case .sequence(let parts): parts.contains { prepends($0) }
      case .prepend: true
      default: false
      }
    }
    func prepends(_ preTokenizer: PreTokenizer?) -> Bool {
      switch preTokenizer {
      case .sequence(let parts): parts.contains { prepends($0) }
      case .metaspace(let metaspace): metaspace.prependScheme != .never
      default: false
      }
    }
    return prepends(normalizer) || prepends(preTokenizer)
  }
}
