import KistCore

extension TokenizerDefinition {
  /// A tokenizer of ranks as tokenizer.json would have it: tokens in GPT-2's alphabet of bytes, and for each the two that it is merged
  /// from. Source: llama.cpp, conversion/qwen.py, `QwenModel.bpe`.
  ///
  /// - Returns: itself when merges are listed.
  func withListedMerges() -> TokenizerDefinition {
    guard case .bpe(var bpe) = model, case .byRank = bpe.merges else { return self }
    bpe.merges = .pairs(RankedMerges(bpe.vocabulary).pairs)
    for index in bpe.vocabulary.tokens.indices {
      bpe.vocabulary.tokens[index].bytes = ByteAlphabet.spelling(of: bpe.vocabulary.tokens[index].bytes)
    }
    // A piece that is a token is one, whatever its merges would give.
    bpe.ignoresMerges = true
    var listed = self
    listed.model = .bpe(bpe)
    listed.preTokenizer = .sequence(
      [preTokenizer, .byteLevel(addsPrefixSpace: false, usesRegex: false)].compactMap { $0 })
    return listed
  }
}

/// The merges that ranks stand for: a token is merged of the two that are left when those of lower ranks have merged what they can of its
/// bytes.
private struct RankedMerges {
  private let vocabulary: Vocabulary
  private let ids: [[UInt8]: UInt32]

  init(_ vocabulary: Vocabulary) {
    self.vocabulary = vocabulary
    ids = Dictionary(vocabulary.tokens.map { ($0.bytes, $0.id) }) { first, _ in first }
  }

  /// In the order of the merged tokens. One that no two others give has none: only a piece that is the whole token becomes it.
  var pairs: [BPEDefinition.Pair] {
    vocabulary.tokens.compactMap { token in
      guard token.bytes.count > 1 else { return nil }
      let parts = parts(of: token)
      guard parts.count == 2 else { return nil }
      return BPEDefinition.Pair(left: parts[0], right: parts[1], merged: token.id)
    }
  }

  private func parts(of token: Vocabulary.Token) -> [UInt32] {
    // Where each part begins.
    var starts = Array(0...token.bytes.count)
    func id(_ part: Int, count: Int = 1) -> UInt32? {
      ids[Array(token.bytes[starts[part]..<starts[part + count]])]
    }
    while starts.count > 3 {
      var best: (id: UInt32, part: Int)?
      for part in 0..<starts.count - 2 {
        if let merged = id(part, count: 2), merged < best?.id ?? token.id { best = (merged, part) }
      }
      guard let best else { break }
      starts.remove(at: best.part + 1)
    }
    let parts = (0..<starts.count - 1).map { id($0) }
    return parts.allSatisfy { $0 != nil } ? parts.compactMap { $0 } : []
  }
}
