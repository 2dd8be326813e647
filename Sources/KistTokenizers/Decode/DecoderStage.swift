import KistCore

/// Turns tokens back into text.
///
/// Each decoder maps a list of strings to a list of strings; the last list is joined. Tokens are UTF-8, except before
/// `bytes`. Source: tokenizers 0.23, `decoders/`, `pre_tokenizers/metaspace.rs`, `pre_tokenizers/byte_level.rs`,
/// `normalizers/replace.rs`.
package struct DecoderStage: Sendable {
  private indirect enum Step: Sendable {
    case sequence([Step])
    case bpe(suffix: [UInt8])
    case byteLevel
    case wordPiece(prefix: [UInt8], cleansUp: Bool)
    case metaspace(replacement: [UInt8], dropsInFirst: Bool)
    case ctc(padToken: [UInt8], wordDelimiter: [UInt8], cleansUp: Bool)
    case replaceLiteral([UInt8], with: [UInt8])
    case replaceMatches(CompiledPattern, with: [UInt8])
    case fuse
    case strip(content: [UInt8], start: Int, stop: Int)
    case byteFallback
    case sentencePiece(SentencePieceDecoder)
    case bytes
    case spaces
  }

  private let step: Step

  /// - Parameter decoder: Nil joins tokens with spaces, as tokenizers does without a decoder.
  /// - Throws: What compiling a pattern throws.
  package init(_ decoder: Decoder?) throws(KistError) {
    step = try decoder.map { decoder throws(KistError) in try Self.step(decoder) } ?? .spaces
  }

  private static func step(_ decoder: Decoder) throws(KistError) -> Step {
    switch decoder {
    case .sequence(let decoders):
      var steps: [Step] = []
      for decoder in decoders { steps.append(try step(decoder)) }
      return .sequence(steps)
    case .bpe(let suffix): return .bpe(suffix: suffix)
    case .byteLevel: return .byteLevel
    case .wordPiece(let prefix, let cleansUp): return .wordPiece(prefix: prefix, cleansUp: cleansUp)
    case .metaspace(let metaspace):
      return .metaspace(
        replacement: Array(String(metaspace.replacement).utf8), dropsInFirst: metaspace.prependScheme != .never)
    case .ctc(let padToken, let wordDelimiter, let cleansUp):
      return .ctc(padToken: padToken, wordDelimiter: wordDelimiter, cleansUp: cleansUp)
    case .replace(.literal(let literal), let replacement): return .replaceLiteral(literal, with: replacement)
    case .replace(let pattern, let replacement):
      return .replaceMatches(try CompiledPattern(pattern), with: replacement)
    case .fuse: return .fuse
    case .strip(let content, let start, let stop):
      return .strip(content: Array(String(content).utf8), start: start, stop: stop)
    case .byteFallback: return .byteFallback
    case .sentencePiece(let addsDummyPrefix, let removesExtraWhitespaces, let unknownSurface):
      return .sentencePiece(
        SentencePieceDecoder(
          addsDummyPrefix: addsDummyPrefix, removesExtraWhitespaces: removesExtraWhitespaces,
          unknownSurface: unknownSurface))
    case .bytes: return .bytes
    }
  }

  /// The text of tokens.
  ///
  /// - Parameter kinds: What each token is, for SentencePiece's decoder; where there are none, tokens are normal, or
  ///   bytes by their name.
  /// - Throws: What matching a pattern throws.
  package func decode(_ tokens: [[UInt8]], kinds: [PieceKind] = []) throws(KistError) -> [UInt8] {
    if case .spaces = step { return Array(tokens.joined(separator: CollectionOfOne(0x20))) }
    if case .sentencePiece(let decoder) = step { return decoder.decode(tokens, kinds: kinds) }
    let limit = GrowthLimit(from: tokens.reduce(0) { $0 + $1.count })
    return Array(try Self.apply(step, to: tokens, limit).joined())
  }

  private static func apply(
    _ step: Step, to tokens: [[UInt8]], _ limit: GrowthLimit
  ) throws(KistError) -> [[UInt8]] {
    switch step {
    case .sequence(let steps):
      var tokens = tokens
      for step in steps { tokens = try apply(step, to: tokens, limit) }
      return tokens
    case .bpe(let suffix):
      return tokens.indices.map { tokens[$0].replacing(suffix, with: $0 == tokens.count - 1 ? [] : [0x20]) }
    case .byteLevel: return [UTF8Repair.repaired(tokens.flatMap { ByteAlphabet.bytes(ofSpelling: $0) ?? $0 })]
    case .wordPiece(let prefix, let cleansUp):
      return tokens.indices.map { wordPiece(tokens[$0], isFirst: $0 == 0, prefix: prefix, cleansUp: cleansUp) }
    case .metaspace(let replacement, let dropsInFirst):
      return tokens.indices.map { tokens[$0].replacing(replacement, with: $0 == 0 && dropsInFirst ? [] : [0x20]) }
    case .ctc(let padToken, let wordDelimiter, let cleansUp):
      return ctc(tokens, padToken: padToken, wordDelimiter: wordDelimiter, cleansUp: cleansUp)
    case .replaceLiteral(let literal, let replacement):
      return try replacing(in: tokens, with: replacement, limit) { Replacement.occurrences(of: literal, in: $0) }
    case .replaceMatches(let pattern, let replacement):
      return try replacing(in: tokens, with: replacement, limit) { (token) throws(KistError) in
        try pattern.matches(in: token)
      }
    case .fuse: return [Array(tokens.joined())]
    case .strip(let content, let start, let stop):
      return tokens.map { strip($0, content: content, start: start, stop: stop) }
    case .byteFallback: return byteFallback(tokens)
    case .sentencePiece(let decoder): return [decoder.decode(tokens, kinds: [])]
    case .bytes: return [UTF8Repair.repaired(Array(tokens.joined()))]
    case .spaces: return tokens
    }
  }
}

extension DecoderStage {
  private static func wordPiece(_ token: [UInt8], isFirst: Bool, prefix: [UInt8], cleansUp: Bool) -> [UInt8] {
    var token = token
    if !isFirst {
      if token.starts(with: prefix) {
        token.removeFirst(prefix.count)
      } else {
        token.insert(0x20, at: 0)
      }
    }
    return cleansUp ? cleanUp(token) : token
  }

  /// Removes spaces that tokenization put before punctuation and contractions of English. Source:
  /// decoders/wordpiece.rs, `cleanup`.
  private static func cleanUp(_ text: [UInt8]) -> [UInt8] {
    // Every form that changes begins with a space.
    guard text.contains(0x20) else { return text }
    return artifacts.reduce(text) { $0.replacing($1.found, with: $1.replacement) }
  }

  private static let artifacts: [(found: [UInt8], replacement: [UInt8])] = [
    (" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"), (" 'm", "'m"),
    (" do not", " don't"), (" 's", "'s"), (" 've", "'ve"), (" 're", "'re"),
  ].map { (Array($0.0.utf8), Array($0.1.utf8)) }

  private static func ctc(
    _ tokens: [[UInt8]], padToken: [UInt8], wordDelimiter: [UInt8], cleansUp: Bool
  ) -> [[UInt8]] {
    var output: [[UInt8]] = []
    for (index, token) in tokens.enumerated() where index == 0 || tokens[index - 1] != token {
      var replaced = token.replacing(padToken, with: [])
      if cleansUp { replaced = cleanUp(replaced).replacing(wordDelimiter, with: [0x20]) }
      if !replaced.isEmpty { output.append(replaced) }
    }
    return output
  }

  private static func replacing(
    in tokens: [[UInt8]], with replacement: [UInt8], _ limit: GrowthLimit,
    _ matches: ([UInt8]) throws(KistError) -> [Range<Int>]
  ) throws(KistError) -> [[UInt8]] {
    var (replaced, byteCount): ([[UInt8]], Int) = ([], 0)
    for token in tokens {
      var output: [UInt8] = []
      var position = 0
      let matches = token.isEmpty ? [] : try matches(token)
      byteCount += token.count + matches.count * replacement.count
      try limit.check(byteCount)
      for match in matches {
        if position < match.lowerBound { output += token[position..<match.lowerBound] }
        output += replacement
        position = match.upperBound
      }
      replaced.append(output + token[position...])
    }
    return replaced
  }

  /// Removes up to `start` and `stop` times one character from a token's ends. Where both ends meet, tokenizers fails;
  /// here nothing is left.
  private static func strip(_ token: [UInt8], content: [UInt8], start: Int, stop: Int) -> [UInt8] {
    var rest = token[...]
    for _ in 0..<min(start, token.count) where rest.starts(with: content) { rest = rest.dropFirst(content.count) }
    for _ in 0..<min(stop, token.count) where rest.suffix(content.count).elementsEqual(content) {
      rest = rest.dropLast(content.count)
    }
    return Array(rest)
  }

  /// Joins runs of byte tokens into characters; each token of a run that is not UTF-8 as a whole becomes U+FFFD.
  private static func byteFallback(_ tokens: [[UInt8]]) -> [[UInt8]] {
    var output: [[UInt8]] = []
    var run: [UInt8] = []
    func finishRun() {
      if String(validating: run, as: UTF8.self) == nil {
        for _ in run { output.append(UTF8Repair.replacement) }
      } else if !run.isEmpty {
        output.append(run)
      }
      run.removeAll(keepingCapacity: true)
    }
    for token in tokens {
      if let byte = ByteToken.byte(of: token) {
        run.append(byte)
      } else {
        finishRun()
        output.append(token)
      }
    }
    finishRun()
    return output
  }
}
