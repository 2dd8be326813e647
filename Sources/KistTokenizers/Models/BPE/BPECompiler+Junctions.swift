extension BPECompiler {
  /// The pairs that merge.
  enum MergedPairs {
    /// Some may be there twice.
    case list([BPEDefinition.Pair])
    case table(PairTableBuilder)

    func forEach(_ body: (_ left: UInt32, _ right: UInt32, _ merged: UInt32) -> Void) {
      switch self {
      case .list(let pairs): for pair in pairs { body(pair.left, pair.right, pair.merged) }
      case .table(let table): table.forEach { body($0, $1, Merging.merged($2)) }
      }
    }
  }

  /// Where symbols can meet in a merge; nil when pieces can't be cut there and there only.
  ///
  /// A place within a piece that no merge reaches over stays one, so what stands before it and what stands behind it are merged each as if
  /// alone: the order of merges within each is the same. It takes symbols that are the bytes they stand for, and that no other part decides.
  func junctions(of pairs: MergedPairs, _ symbols: [UInt32: UInt32]) -> JunctionsBuilder? {
    let fallback = definition.byteFallback ? byteTokens() : []
    guard isCutExactly(symbols, fallback) else { return nil }
    var (builder, isExact) = (JunctionsBuilder(), true)
    var spellings = SymbolSpellings(vocabulary, notText: fallback)
    pairs.forEach { left, right, merged in
      isExact = isExact && spellings.insert(left, right, merged, into: &builder)
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

/// The bytes that symbols stand for, those of all tokens one after the other.
private struct SymbolSpellings {
  private var bytes: [UInt8] = []
  /// Where each begins, by id; one more than there are ids.
  private var starts: [Int] = []
  private var isText: [Bool]

  /// - Parameter notText: Ids of tokens that do not stand for their own bytes, plus one; or zeros.
  init(_ vocabulary: Vocabulary, notText: [UInt32]) {
    starts.reserveCapacity(vocabulary.tokens.count + 1)
    bytes.reserveCapacity(vocabulary.tokens.count * 8)
    for token in vocabulary.tokens {
      while starts.count <= token.id { starts.append(bytes.count) }
      bytes += token.bytes
    }
    isText = [Bool](repeating: true, count: starts.count)
    starts.append(bytes.count)
    for id in notText where id > 0 && id <= isText.count { isText[Int(id) - 1] = false }
  }

  /// Notes where two symbols meet; false when the third is not the bytes of both.
  mutating func insert(_ left: UInt32, _ right: UInt32, _ merged: UInt32, into builder: inout JunctionsBuilder) -> Bool
  {
    let (left, right, merged) = (range(of: left), range(of: right), range(of: merged))
    guard !left.isEmpty, !right.isEmpty, merged.count == left.count + right.count else { return false }
    return unsafe bytes.withUnsafeBytes { bytes in
      let (one, other) = unsafe (
        UnsafeRawBufferPointer(rebasing: bytes[left]), UnsafeRawBufferPointer(rebasing: bytes[right])
      )
      let whole = unsafe UnsafeRawBufferPointer(rebasing: bytes[merged])
      guard unsafe TokenHash.areEqual(UnsafeRawBufferPointer(rebasing: whole[..<one.count]), one),
        unsafe TokenHash.areEqual(UnsafeRawBufferPointer(rebasing: whole[one.count...]), other)
      else { return false }
      unsafe builder.insert(one, other)
      return true
    }
  }

  /// Where a symbol's bytes lie; empty for what is no text.
  private mutating func range(of symbol: UInt32) -> Range<Int> {
    if symbol & Symbol.unknown != 0 {
      let start = bytes.count
      bytes += Symbol.bytes(ofUnknown: symbol)
      return start..<bytes.count
    }
    let id = Int(symbol)
    return id < isText.count && isText[id] ? starts[id]..<starts[id + 1] : 0..<0
  }
}
