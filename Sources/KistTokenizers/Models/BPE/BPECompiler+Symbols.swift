import KistCore

extension BPECompiler {
  private static let scalarPageCount = 0x110000 >> 6

  /// Writes which symbol each character or byte is, and gives them, by character or byte.
  func compileSymbols(into writer: inout RecordWriter) throws(KistError) -> [UInt32: UInt32] {
    let symbols = singleSymbols()
    guard units != .bytes else {
      if case .byRank = definition.merges, let missing = (UInt32(0)..<256).first(where: { symbols[$0] == nil }) {
        throw KistError(.invalid, field: "ranks", "have no token for the byte \(missing); every byte needs one")
      }
      writer.add(.symbols, (UInt32(0)..<256).map { symbols[$0].map { $0 + 1 } ?? 0 })
      return symbols
    }
    var pages = [UInt16](repeating: 0, count: Self.scalarPageCount)
    var entries: [UInt32] = []
    for (scalar, symbol) in symbols.sorted(by: <) {
      let page = Int(scalar >> 6)
      if pages[page] == 0 {
        pages[page] = UInt16(entries.count / 64 + 1)
        entries += [UInt32](repeating: 0, count: 64)
      }
      entries[Int(pages[page] - 1) * 64 + Int(scalar & 63)] = symbol + 1
    }
    writer.add(.symbolPages, pages)
    writer.add(.symbols, entries)
    return symbols
  }

  /// Tokens of one character or byte. In SentencePiece, the unknown piece is none, whatever it is called, and unused pieces of one
  /// character, which can't be cut further, are unknown (0.2.3).
  private func singleSymbols() -> [UInt32: UInt32] {
    var symbols: [UInt32: UInt32] = [:]
    for token in vocabulary.tokens where !unreachable.contains(token.id) {
      if units == .sentencePiece, token.id == definition.unknown || kind(of: token.id) == .unused { continue }
      if units == .bytes {
        if token.bytes.count == 1 { symbols[UInt32(token.bytes[0])] = token.id }
      } else if (1...4).contains(token.bytes.count) {
        let unit = unsafe token.bytes.withUnsafeBytes { unsafe UTF8Unit($0, at: 0) }
        if unit.byteCount == token.bytes.count, unit.value & Symbol.brokenByte == 0 { symbols[unit.value] = token.id }
      }
    }
    return symbols
  }

  /// The characters of UTF-8 text.
  static func units(of bytes: [UInt8]) -> [UInt32] {
    unsafe bytes.withUnsafeBytes { text in
      var units: [UInt32] = []
      var offset = 0
      while offset < text.count {
        let unit = unsafe UTF8Unit(text, at: offset)
        units.append(unit.value)
        offset += unit.byteCount
      }
      return units
    }
  }

  /// Writes the tokens `<0x00>` to `<0xFF>`.
  func compileByteTokens(into writer: inout RecordWriter) {
    if definition.byteFallback { writer.add(.byteTokens, byteTokens()) }
  }

  /// Id plus one of each byte's token; 0 where there is none.
  func byteTokens() -> [UInt32] {
    var entries = [UInt32](repeating: 0, count: 256)
    for token in vocabulary.tokens where token.bytes.count == 6 {
      guard token.bytes[0] == UInt8(ascii: "<"), token.bytes[5] == UInt8(ascii: ">"),
        token.bytes.starts(with: "<0x".utf8), let high = Self.hexadecimal.firstIndex(of: token.bytes[3]),
        let low = Self.hexadecimal.firstIndex(of: token.bytes[4])
      else { continue }
      entries[16 * high + low] = token.id + 1
    }
    return entries
  }

  private static let hexadecimal = Array("0123456789ABCDEF".utf8)

  /// Writes a prefix tree over SentencePiece's user-defined pieces, as ``BPEModel`` walks it.
  func compileUserDefined(into writer: inout RecordWriter) throws(KistError) {
    let pieces = vocabulary.tokens.filter { kind(of: $0.id) == .userDefined && !$0.bytes.isEmpty }
    guard units == .sentencePiece, !pieces.isEmpty else { return }
    var edges = PairTableBuilder(minimumCapacity: pieces.count * 4)
    var nodeCount: UInt32 = 1
    for piece in pieces {
      var node: UInt32 = 0
      for (index, byte) in piece.bytes.enumerated() {
        let found = edges.find(node, UInt32(byte))
        let child = found == Merging.none ? nodeCount : Merging.rank(found)
        if found == Merging.none { nodeCount += 1 }
        let isLast = index == piece.bytes.count - 1
        let entry = isLast ? piece.id + 1 : found == Merging.none ? 0 : Merging.merged(found)
        edges.insert(node, UInt32(byte), Merging.value(rank: child, merged: entry))
        node = child
      }
    }
    try edges.compile(entries: .userDefined, index: .userDefinedIndex, into: &writer)
  }

  func kind(of id: UInt32) -> PieceKind {
    Int(id) < definition.kinds.count ? definition.kinds[Int(id)] : .normal
  }
}
