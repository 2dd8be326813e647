import KistCore

extension VocabularyTable {
  /// Ids beyond this are refused: every id up to the highest takes four bytes.
  package static let highestID: UInt32 = 1 << 24

  /// Writes a vocabulary's sections.
  ///
  /// - Parameters:
  ///   - kinds: `PieceKind` by id, for SentencePiece; empty elsewhere.
  ///   - unindexed: Ids whose bytes can't be looked up: their bytes are another token's, or no text can give them.
  /// - Throws: `unsupported` when ids or bytes exceed what the record can hold, or tokens collide too often to be found in bounded time;
  ///   `invalid` when two tokens are equal or have one id.
  package static func compile(
    _ vocabulary: Vocabulary, kinds: [PieceKind] = [], unindexed: Set<UInt32> = [], into writer: inout RecordWriter
  ) throws(KistError) {
    let (bytes, starts) = try flatten(vocabulary)
    var ids = unsafe vocabulary.tokens.withUnsafeBufferPointer { tokens in
      tokens.indices.map { unsafe tokens[$0].id }
    }
    if !unindexed.isEmpty { ids.removeAll(where: unindexed.contains) }
    let index = try index(of: ids, bytes, starts)
    writer.add(.tokenBytes, bytes)
    writer.add(.tokenStarts, starts)
    writer.add(.tokenIndex, index)
    if !kinds.isEmpty { writer.add(.tokenKinds, kinds.map(\.rawValue)) }
  }

  /// - Throws: `unsupported` for an id that is too high; `invalid` when ids are not in order, each once.
  static func checkIDs(of vocabulary: Vocabulary) throws(KistError) {
    var next = 0
    for token in vocabulary.tokens {
      guard token.id <= highestID else {
        throw KistError(
          .unsupported, field: "vocabulary", "has the id \(token.id); ids up to \(highestID) are supported")
      }
      guard token.id >= next else {
        throw KistError(.invalid, field: "vocabulary", "has id \(token.id) twice, or its ids are not in order")
      }
      next = Int(token.id) + 1
    }
  }

  private static func flatten(_ vocabulary: Vocabulary) throws(KistError) -> (bytes: [UInt8], starts: [UInt32]) {
    try checkIDs(of: vocabulary)
    var (bytes, starts): ([UInt8], [UInt32]) = ([], [])
    bytes.reserveCapacity(vocabulary.tokens.count * 8)
    starts.reserveCapacity(vocabulary.tokens.count + 1)
    for token in vocabulary.tokens {
      while starts.count <= token.id { starts.append(UInt32(bytes.count)) }
      bytes += token.bytes
      guard UInt32(exactly: bytes.count) != nil else {
        throw KistError(.unsupported, field: "vocabulary", "has more than 4 GiB of tokens")
      }
    }
    starts.append(UInt32(bytes.count))
    return (bytes, starts)
  }

  /// Slots for ids, half of them free at least; more when some token would stand too far from its hash.
  private static func index(of ids: [UInt32], _ bytes: [UInt8], _ starts: [UInt32]) throws(KistError) -> [UInt32] {
    let hashes = unsafe bytes.withUnsafeBytes { bytes in
      ids.map { unsafe TokenHash.hash(UnsafeRawBufferPointer(rebasing: bytes[range(of: $0, starts)])) }
    }
    var slotCount = 16
    while slotCount < 2 * ids.count { slotCount *= 2 }
    for _ in 0..<4 {
      if let slots = try place(ids, hashes, slotCount, bytes, starts) { return slots }
      slotCount *= 2
    }
    throw KistError(.unsupported, field: "vocabulary", "has hundreds of tokens whose hashes are equal")
  }

  private static func range(of id: UInt32, _ starts: [UInt32]) -> Range<Int> {
    Int(starts[Int(id)])..<Int(starts[Int(id) + 1])
  }

  private static func place(
    _ ids: [UInt32], _ hashes: [UInt64], _ slotCount: Int, _ bytes: [UInt8], _ starts: [UInt32]
  ) throws(KistError) -> [UInt32]? {
    var slots = [UInt32](repeating: 0, count: slotCount)
    for (id, hash) in zip(ids, hashes) {
      let entry = mark(hash) | (id + 1)
      var slot = Int(truncatingIfNeeded: hash) & (slotCount - 1)
      var distance = 0
      while slots[slot] != 0 {
        // Equal tokens have equal marks.
        if (slots[slot] ^ entry) & ~idMask == 0,
          bytes[range(of: (slots[slot] & idMask) - 1, starts)] == bytes[range(of: id, starts)]
        {
          let text = String(decoding: bytes[range(of: id, starts)], as: UTF8.self)
          throw KistError(.invalid, field: "vocabulary", "has the token '\(text)' twice")
        }
        (slot, distance) = ((slot + 1) & (slotCount - 1), distance + 1)
        if distance == longestProbe { return nil }
      }
      slots[slot] = entry
    }
    return slots
  }
}
