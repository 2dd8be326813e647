extension BPEModel {
  /// Appends the symbols that a piece begins as.
  func appendSymbols(of piece: UnsafeRawBufferPointer, to output: inout [UInt32]) {
    switch options.units {
    case .sentencePiece: unsafe appendSentencePieceSymbols(of: piece, to: &output)
    case .scalars, .bytes: unsafe appendPlainSymbols(of: piece, to: &output)
    }
  }

  /// Characters, or bytes that stand for characters, by the rules of tokenizers.
  ///
  /// An unknown token is held back, so that others can be fused with it, until a known character comes; tokens for bytes overtake it.
  /// Source: tokenizers, `models/bpe/model.rs`, `merge_word`.
  private func appendPlainSymbols(of piece: UnsafeRawBufferPointer, to output: inout [UInt32]) {
    var offset = 0
    var holdsUnknown = false
    while offset < piece.count {
      let unit = unsafe self.unit(of: piece, at: offset)
      let isFirst = offset == 0
      offset += unit.byteCount
      if let symbol = symbol(of: unit, isFirst: isFirst, isLast: offset == piece.count) {
        if holdsUnknown, let unknown = options.unknown { output.append(unknown) }
        holdsUnknown = false
        output.append(symbol)
      } else if appendByteTokens(of: unit, isFirst: isFirst, isLast: offset == piece.count, to: &output) {
        continue
      } else if let unknown = options.unknown {
        if holdsUnknown, !options.flags.contains(.fusesUnknown) { output.append(unknown) }
        holdsUnknown = true
      }
    }
    if holdsUnknown, let unknown = options.unknown { output.append(unknown) }
  }

  @inline(__always)
  private func unit(of piece: UnsafeRawBufferPointer, at offset: Int) -> UTF8Unit {
    guard options.units == .bytes else { return unsafe UTF8Unit(piece, at: offset) }
    return unsafe UTF8Unit(byte: UInt32(piece[offset]))
  }

  /// The symbol of a character or byte at its place in a piece.
  @inline(__always)
  private func symbol(of unit: UTF8Unit, isFirst: Bool, isLast: Bool) -> UInt32? {
    if options.hasAffixes { return vocabulary.id(of: spelling(of: unit, isFirst: isFirst, isLast: isLast)) }
    return symbol(of: unit.value)
  }

  /// The symbol of a character or byte alone.
  @inline(__always)
  private func symbol(of value: UInt32) -> UInt32? {
    let entry: UInt32
    if options.units == .bytes {
      entry = symbols[Int(value)]
    } else {
      let page = symbolPages[Int(value &>> 6)]
      if page == 0 { return nil }
      entry = symbols[(Int(page) &- 1) &<< 6 | Int(value & 63)]
    }
    return entry == 0 ? nil : entry &- 1
  }

  /// A character's bytes with the prefix and suffix that its place in the piece asks for.
  private func spelling(of unit: UTF8Unit, isFirst: Bool, isLast: Bool) -> [UInt8] {
    let isByte = options.units == .bytes
    let bytes = isByte ? [UInt8(truncatingIfNeeded: unit.value)] : Symbol.bytes(ofUnknown: unit.value)
    return (isFirst ? [] : options.prefix) + bytes + (isLast ? options.suffix : [])
  }

  /// Appends a token for each byte of a character, when there is one for all of them.
  private func appendByteTokens(of unit: UTF8Unit, isFirst: Bool, isLast: Bool, to output: inout [UInt32]) -> Bool {
    guard options.flags.contains(.byteFallback) else { return false }
    var bytes = spelling(of: unit, isFirst: isFirst, isLast: isLast)
    if options.flags.contains(.byteAlphabet) {
      bytes = bytes.flatMap { Array(UTF8.encode(ByteAlphabet.scalar(of: $0)) ?? UTF8.encodedReplacementCharacter) }
    }
    guard bytes.allSatisfy({ byteTokens[Int($0)] != 0 }) else { return false }
    for byte in bytes { output.append(byteTokens[Int(byte)] - 1) }
    return true
  }

  /// Characters and user-defined pieces. Source: sentencepiece, `bpe_model.cc`, and `PrefixMatcher` in `normalizer.cc`.
  private func appendSentencePieceSymbols(of text: UnsafeRawBufferPointer, to output: inout [UInt32]) {
    var offset = 0
    while offset < text.count {
      if let userDefined, let match = unsafe userDefinedPiece(userDefined, text, at: offset) {
        output.append(match.id | Symbol.frozen)
        offset += match.byteCount
        continue
      }
      let unit = unsafe UTF8Unit(text, at: offset)
      output.append(symbol(of: unit.value) ?? unit.value | Symbol.unknown)
      offset += unit.byteCount
    }
  }

  /// The longest user-defined piece at an offset.
  ///
  /// The edges of a prefix tree, node and byte to node and piece: rank is the node, merged symbol the id plus one of the piece that ends
  /// there.
  private func userDefinedPiece(
    _ edges: PairTable, _ text: UnsafeRawBufferPointer, at start: Int
  ) -> (id: UInt32, byteCount: Int)? {
    var longest: (id: UInt32, byteCount: Int)?
    var (node, offset) = (UInt32(0), start)
    while offset < text.count {
      let edge = unsafe edges.find(node, UInt32(text[offset]))
      if edge == Merging.none { break }
      offset += 1
      node = Merging.rank(edge)
      let entry = Merging.merged(edge)
      if entry != 0 { longest = ((entry - 1) & ~(Symbol.frozen | Symbol.unknown), offset - start) }
    }
    return longest
  }
}
