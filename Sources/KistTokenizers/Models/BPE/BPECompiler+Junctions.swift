extension BPECompiler {
  /// Where symbols can meet in a merge; nil when pieces can't be cut there and there only.
  ///
  /// A place within a piece that no merge reaches over stays one, so what stands before it and what stands behind it are merged each as if
  /// alone: the order of merges within each is the same. It takes symbols that are the bytes they stand for, and that no other part decides.
  func junctions(_ table: PairTableBuilder, _ symbols: [UInt32: UInt32]) -> JunctionsBuilder? {
    let fallback = definition.byteFallback ? byteTokens() : []
    guard isCutExactly(symbols, fallback) else { return nil }
    let notText = Set(fallback)
    var bytes = [[UInt8]](repeating: [], count: vocabulary.tokens.last.map { Int($0.id) + 1 } ?? 0)
    for token in vocabulary.tokens { bytes[Int(token.id)] = token.bytes }
    func spelling(_ symbol: UInt32) -> [UInt8] {
      symbol & Symbol.unknown != 0 ? Symbol.bytes(ofUnknown: symbol) : bytes[Int(symbol)]
    }
    var (builder, isExact) = (JunctionsBuilder(), true)
    table.forEach { leftID, rightID, value in
      let (left, right) = (spelling(leftID), spelling(rightID))
      let isText = !notText.contains(leftID &+ 1) && !notText.contains(rightID &+ 1)
      isExact = isExact && isText && !left.isEmpty && !right.isEmpty && left + right == spelling(Merging.merged(value))
      builder.insert(left[...], right[...])
    }
    return isExact ? builder : nil
  }

  /// Whether each character or byte becomes symbols without a look at its neighbours.
  private func isCutExactly(_ symbols: [UInt32: UInt32], _ byteTokens: [UInt32]) -> Bool {
    guard definition.continuingSubwordPrefix.isEmpty, definition.endOfWordSuffix.isEmpty else { return false }
    switch units {
    case .bytes: return symbols.count == 256
    // Unknown characters in a row would be one token.
    case .scalars: return !byteTokens.isEmpty && !byteTokens.contains(0)
    case .sentencePiece:
      return !byteTokens.isEmpty && !vocabulary.tokens.contains { kind(of: $0.id) == .userDefined }
    }
  }
}
