import KistCore

/// A unigram model of tokenizer.json as llama.cpp's tokenizer of the model `t5`.
/// Source: llama.cpp, conversion/bert.py, `_xlmroberta_set_vocab`; `src/llama-vocab.cpp`, `llm_tokenizer_ugm_session`.
struct GGUFUnigramKeys {
  /// What llama.cpp takes for the unknown token where the file says nothing.
  static let usualUnknown: UInt32 = 2

  private let definition: TokenizerDefinition
  private let unigram: UnigramDefinition

  /// - Throws: `unsupported` naming the component that llama.cpp does not have.
  init(_ definition: TokenizerDefinition, _ unigram: UnigramDefinition) throws(KistError) {
    self.definition = definition
    self.unigram = unigram
    guard !unigram.byteFallback else {
      throw GGUFTokenizerWriter.unsupported("llama.cpp's unigram tokenizer does not fall back to bytes")
    }
    let steps = Self.flattened(definition.normalizer)
    guard steps.allSatisfy(Self.isKnown), steps.count(where: { $0.charsmap != nil }) <= 1,
      steps.first?.charsmap != nil || steps.allSatisfy({ $0.charsmap == nil })
    else {
      throw GGUFTokenizerWriter.unsupported(
        "llama.cpp's unigram tokenizer has a character map, and no other normalizer")
    }
    guard let metaspace = Self.metaspace(definition.preTokenizer), metaspace.prependScheme != .first,
      metaspace.replacement == "\u{2581}"
    else {
      throw GGUFTokenizerWriter.unsupported(
        "llama.cpp's unigram tokenizer writes ▁ for a space, and cuts in no other way")
    }
    guard removesWhitespaces || metaspace.prependScheme == .never else {
      throw GGUFTokenizerWriter.unsupported(
        "llama.cpp's unigram tokenizer puts a space before a text only where it makes one of several")
    }
  }

  /// - Parameter size: how many tokens there are.
  func keys(_ files: TokenizerFiles, size: Int) throws(KistError) -> [GGUFTokenizerKey] {
    var tokens = try GGUFVocabularyTokens(unigram.vocabulary, definition.addedTokens, size: size)
    tokens.scores = [Float](repeating: -10000, count: size)
    for (token, score) in zip(unigram.vocabulary.tokens, unigram.scores) { tokens.scores[Int(token.id)] = Float(score) }
    for token in definition.addedTokens where tokens.scores[Int(token.id)] == -10000 {
      tokens.scores[Int(token.id)] = 0
    }
    if let unknown = unigram.unknown, Int(unknown) < size {
      tokens.kinds[Int(unknown)] = GGUFTokens.Kind.unknown.number
    }
    var keys: [GGUFTokenizerKey] = [
      .init("model", .text("t5")), .init("pre", .text("default")), .init("tokens", .strings(tokens.texts)),
      .init("scores", .floats(tokens.scores)), .init("token_type", .integers(tokens.kinds)),
      .init("add_space_prefix", .flag(Self.metaspace(definition.preTokenizer)?.prependScheme != .never)),
      .init("remove_extra_whitespaces", .flag(removesWhitespaces)),
    ]
    if let charsmap = Self.flattened(definition.normalizer).lazy.compactMap(\.charsmap).first {
      keys.append(.init("precompiled_charsmap", .bytes(charsmap)))
    }
    keys.add(try GGUFSpecialVocabulary(files, tokenCount: size).keys)
    keys.addUnknown(unigram.unknown, usual: Self.usualUnknown)
    return keys
  }

  /// Whether several spaces are as one.
  private var removesWhitespaces: Bool {
    Self.flattened(definition.normalizer).contains(where: \.joinsSpaces)
      || Self.flattened(definition.preTokenizer).contains(.whitespaceSplit)
  }

  private static func isKnown(_ step: Normalizer) -> Bool {
    if case .strip = step { return true }
    return step.charsmap != nil || step.joinsSpaces
  }

  private static func flattened(_ normalizer: Normalizer?) -> [Normalizer] {
    switch normalizer {
    case nil: []
    case .sequence(let parts): parts.flatMap { flattened($0) }
    case let part?: [part]
    }
  }

  private static func flattened(_ preTokenizer: PreTokenizer?) -> [PreTokenizer] {
    switch preTokenizer {
    case nil: []
    case .sequence(let parts): parts.flatMap { flattened($0) }
    case let part?: [part]
    }
  }

  /// The only step beside white space.
  private static func metaspace(_ preTokenizer: PreTokenizer?) -> Metaspace? {
    let others = flattened(preTokenizer).filter { $0 != .whitespaceSplit }
    guard others.count == 1, case .metaspace(let metaspace) = others[0] else { return nil }
    return metaspace
  }
}

extension Normalizer {
  fileprivate var charsmap: [UInt8]? {
    if case .precompiled(let charsmap) = self { charsmap } else { nil }
  }

  /// As transformers writes what SentencePiece calls extra white space.
  fileprivate var joinsSpaces: Bool {
    guard case .replace(.regex(let pattern, _), let text) = self, pattern.utf8.elementsEqual(" {2,}".utf8) else {
      return false
    }
    return text == [0x20] || text == [0xE2, 0x96, 0x81]
  }
}
