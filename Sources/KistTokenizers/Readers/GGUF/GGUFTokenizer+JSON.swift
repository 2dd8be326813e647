import KistCheckpoints
import KistCore

extension GGUFTokenizer {
  /// The tokenizer of a GGUF in the words of tokenizers' tokenizer.json, as transformers' converters make them.
  ///
  /// Where llama.cpp writes a pattern of a model's own tokenizer in another way because its regular expressions can't do it, the original
  /// stands again.
  ///
  /// - Parameter header: A whole file, or what a container kept of one.
  /// - Throws: what ``read(_:)-([UInt8])`` throws.
  package static func tokenizerJSON(_ header: [UInt8]) throws(KistError) -> [UInt8] {
    let file = try GGUFFile(headerOf: header)
    var definition = try read(file)
    let tokens = try GGUFTokens(GGUFTokenizerKeys(file))
    definition.reference = .tokenizers
    definition.preTokenizer = definition.preTokenizer?.inTokenizers
    switch definition.model {
    case .bpe(let bpe): definition.model = .bpe(try bpe.inTokenizers(tokens))
    case .unigram(let unigram): definition.useSpmConverter(unigram)
    case .wordPiece(let wordPiece): definition.useBert(wordPiece)
    case .wordLevel: break
    }
    return try TokenizerJSON.encode(definition)
  }
}

extension PreTokenizer {
  fileprivate var inTokenizers: PreTokenizer {
    guard case .sequence(let parts) = self else { return inTokenizersAlone }
    var all = parts.map(\.inTokenizersAlone)
    // The byte-level component has GPT-2's pattern itself.
    if all.count >= 2, case .byteLevel(let prefix, usesRegex: false) = all[all.count - 1],
      case .split(.regex(GGUFPreTokenizer.gpt2, _), .isolated, inverted: false) = all[all.count - 2]
    {
      all.removeLast(2)
      all.append(.byteLevel(addsPrefixSpace: prefix, usesRegex: true))
    }
    return all.count == 1 ? all[0] : .sequence(all)
  }

  private var inTokenizersAlone: PreTokenizer {
    guard case .split(.regex(let pattern, _), let behavior, let inverted) = self else { return self }
    if pattern == GGUFPreTokenizer.digit { return .digits(individual: true) }
    return .split(.regex(GGUFPreTokenizer.original(of: pattern), .oniguruma), behavior, inverted: inverted)
  }
}

extension GGUFPreTokenizer {
  /// A pattern as models' own files have it. Source: llama-vocab.cpp, "original regex from tokenizer.json".
  static func original(of pattern: String) -> String {
    rewritings.reduce(pattern) { $0.replacing($1.here, with: $1.there) }
  }

  private static let rewritings: [(here: String, there: String)] = [
    (contractions, "(?i:'s|'t|'re|'ve|'m|'ll|'d)"),
    (#"(?:(?=[\p{L}])[^a-z])"#, #"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]"#),
    (#"(?:(?=[\p{L}])[^A-Z])"#, #"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"#),
    // There, $ is the end of a line too.
    (finalSpaces, #"\s+\z"#), (#"\u{"#, #"\x{"#),
  ]
}

extension BPEDefinition {
  /// Merges in place of scores, and no tokens that only fill the vocabulary up.
  fileprivate func inTokenizers(_ tokens: GGUFTokens) throws(KistError) -> BPEDefinition {
    var bpe = self
    if case .byScore(let scores) = merges {
      bpe.merges = .pairs(Self.merges(vocabulary, scores))
      bpe.fusesUnknown = true
    }
    bpe.vocabulary.tokens.removeAll { token in
      tokens.kinds[Int(token.id)] == .unused && token.bytes.elementsEqual("[PAD\(token.id)]".utf8)
    }
    return bpe
  }

  /// All pairs of tokens that make a third, the best third first. Source: transformers, convert_slow_tokenizer.py, `generate_merges`.
  private static func merges(_ vocabulary: Vocabulary, _ scores: [Float]) -> [Pair] {
    let ids = Dictionary(uniqueKeysWithValues: vocabulary.tokens.map { ($0.bytes[...], $0.id) })
    var merges: [(pair: Pair, score: Float, lengths: (Int, Int))] = []
    for token in vocabulary.tokens {
      for cut in token.bytes.indices.dropFirst() where token.bytes[cut] & 0xC0 != 0x80 {
        guard let left = ids[token.bytes[..<cut]], let right = ids[token.bytes[cut...]] else { continue }
        let lengths = (scalarCount(token.bytes[..<cut]), scalarCount(token.bytes[cut...]))
        merges.append((Pair(left: left, right: right, merged: token.id), scores[Int(token.id)], lengths))
      }
    }
    merges.sort { first, second in
      if first.score != second.score { return first.score > second.score }
      if first.lengths != second.lengths { return first.lengths > second.lengths }
      let (one, other) = (first.pair, second.pair)
      return (one.merged, one.left, one.right) < (other.merged, other.left, other.right)
    }
    return merges.map(\.pair)
  }

  private static func scalarCount(_ text: ArraySlice<UInt8>) -> Int { text.count { $0 & 0xC0 != 0x80 } }
}

extension TokenizerDefinition {
  /// Source: transformers, convert_slow_tokenizer.py, `SpmConverter`.
  fileprivate mutating func useSpmConverter(_ unigram: UnigramDefinition) {
    guard case .sentencePiece(let spec) = normalizer else { return }
    let marker: [UInt8] = [0xE2, 0x96, 0x81]
    var steps: [Normalizer] = spec.charsmap.isEmpty ? [] : [.precompiled(charsmap: spec.charsmap)]
    if spec.removesExtraWhitespaces {
      steps += [.strip(left: false, right: true), .replace(.regex(" {2,}", .oniguruma), with: marker)]
    }
    normalizer = steps.isEmpty ? nil : .sequence(steps)
    var metaspace = Metaspace()
    metaspace.prependScheme = spec.addsDummyPrefix ? .always : .never
    preTokenizer = .metaspace(metaspace)
    decoder = .metaspace(metaspace)
    var model = unigram
    model.kinds = []
    model.addsAsDouble = false
    self.model = .unigram(model)
  }

  fileprivate mutating func useBert(_ wordPiece: WordPieceDefinition) {
    guard case .llamaBert(let stripsAccents, let lowercases) = normalizer else { return }
    normalizer = .bert(
      cleanText: true, handlesChineseCharacters: true, stripsAccents: stripsAccents == lowercases ? nil : stripsAccents,
      lowercases: lowercases)
    preTokenizer = .bert
    var model = wordPiece
    model.maximumCharactersPerWord = 100
    self.model = .wordPiece(model)
    // Of two texts, the second has a type of its own.
    guard case .template(let single, let pair) = postProcessor else { return }
    var second = false
    postProcessor = .template(
      single: single,
      pair: pair.map { item in
        if case .sequence(1, _) = item { second = true }
        return second ? item.typed(1) : item
      })
  }
}

extension PostProcessor.TemplateItem {
  fileprivate func typed(_ typeID: UInt32) -> Self {
    switch self {
    case .sequence(let number, _): .sequence(number, typeID: typeID)
    case .special(let name, let ids, _): .special(name: name, ids: ids, typeID: typeID)
    }
  }
}
