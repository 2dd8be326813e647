import KistCore

/// A compiled vocabulary: bytes by id, and ids by bytes, read where they lie.
///
/// ```
/// tokenBytes   u8   all tokens' bytes, by id, one after the other
/// tokenStarts  u32  where each begins in tokenBytes; one more than there are ids
/// tokenIndex   u32  slots, a power of two: id + 1, and above it the uppermost 7 bits of the token's hash; 0 when free. A token stands
///                   in the first free slot from its hash on
/// ```
///
/// An id that no token has is one of no bytes that the index does not hold either.
package struct VocabularyTable: Sendable {
  let tokenBytes: FlatArray<UInt8>
  let tokenStarts: FlatArray<UInt32>
  let tokenIndex: FlatArray<UInt32>
  /// One more than the highest id.
  package let idCount: Int

  /// No token stands further than this from the slot of its hash: bounds what a hostile vocabulary can cost.
  static let longestProbe = 256

  /// Where the id plus one lies in a slot.
  static let idMask: UInt32 = 1 << 25 - 1

  /// What of a hash stands in a slot.
  static func mark(_ hash: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: hash &>> 57) &<< 25 }

  /// - Throws: `damaged` when the sections contradict each other.
  package init(_ reader: RecordReader) throws(KistError) {
    tokenBytes = try reader.array(.tokenBytes)
    tokenStarts = try reader.array(.tokenStarts)
    tokenIndex = try reader.array(.tokenIndex)
    idCount = max(0, tokenStarts.count - 1)
    guard tokenIndex.count.nonzeroBitCount == 1, tokenStarts.count >= 1 else {
      throw RecordReader.damage("vocabulary")
    }
  }

  /// The id of the token of these bytes.
  ///
  /// - Complexity: one hash, about two comparisons.
  package func id(of token: UnsafeRawBufferPointer) -> UInt32? {
    let mask = tokenIndex.count - 1
    let hash = unsafe TokenHash.hash(token)
    let mark = Self.mark(hash)
    var slot = Int(truncatingIfNeeded: hash) & mask
    for _ in 0..<Self.longestProbe {
      let entry = tokenIndex[slot]
      if entry == 0 { return nil }
      let id = (entry & Self.idMask) &- 1
      if entry & ~Self.idMask == mark, unsafe holds(id, token) { return id }
      slot = (slot + 1) & mask
    }
    return nil
  }

  package func id(of token: [UInt8]) -> UInt32? {
    unsafe token.withUnsafeBytes { unsafe id(of: $0) }
  }

  /// The bytes of a token; none for an id that no token has.
  package func bytes(of id: UInt32) -> [UInt8] {
    var bytes: [UInt8] = []
    append(id, to: &bytes)
    return bytes
  }

  /// Appends the bytes of a token; nothing for an id that no token has.
  package func append(_ id: UInt32, to output: inout [UInt8]) {
    let range = range(of: id)
    unsafe tokenBytes.withBuffer { unsafe output.append(contentsOf: $0[range]) }
  }

  package func byteCount(of id: UInt32) -> Int { range(of: id).count }

  /// Whether a token has this id, be it the empty one.
  package func contains(_ id: UInt32) -> Bool {
    byteCount(of: id) > 0 || self.id(of: []) == id
  }

  /// Where a token lies in `tokenBytes`: always within it.
  private func range(of id: UInt32) -> Range<Int> {
    let (start, end) = (Int(tokenStarts[Int(id)]), Int(tokenStarts[Int(id) + 1]))
    return start <= end && end <= tokenBytes.count ? start..<end : 0..<0
  }

  private func holds(_ id: UInt32, _ token: UnsafeRawBufferPointer) -> Bool {
    let range = range(of: id)
    guard range.count == token.count else { return false }
    return unsafe tokenBytes.withBuffer { bytes in
      let own = unsafe UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(bytes)[range])
      return unsafe TokenHash.areEqual(own, token)
    }
  }
}

/// The hash of compiled vocabularies. It is part of their format: never change it.
///
/// `h` begins as the byte count times `multiplier`; each 8 bytes (little-endian, the last filled up with zeros) go into it by
/// `h = fold(h ^ word)`, where `fold(x)` is the two halves of the 128-bit product `x × multiplier`, added by exclusive or.
package enum TokenHash {
  static let multiplier: UInt64 = 0x9E37_79B9_7F4A_7C15

  package static func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    var hash = UInt64(bytes.count) &* multiplier
    var offset = 0
    while offset + 8 <= bytes.count {
      hash = fold(hash ^ UInt64(littleEndian: unsafe bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)))
      offset += 8
    }
    if offset < bytes.count { hash = unsafe fold(hash ^ tail(bytes, from: offset)) }
    return hash
  }

  @inline(__always) static func fold(_ word: UInt64) -> UInt64 {
    let product = word.multipliedFullWidth(by: multiplier)
    return product.high ^ product.low
  }

  static func areEqual(_ one: UnsafeRawBufferPointer, _ other: UnsafeRawBufferPointer) -> Bool {
    guard one.count == other.count else { return false }
    var offset = 0
    while offset + 8 <= one.count {
      let words = unsafe (
        one.loadUnaligned(fromByteOffset: offset, as: UInt64.self),
        other.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
      )
      if words.0 != words.1 { return false }
      offset += 8
    }
    return unsafe offset == one.count || tail(one, from: offset) == tail(other, from: offset)
  }

  /// The last 1 to 7 bytes as a little-endian number.
  @inline(__always)
  private static func tail(_ bytes: UnsafeRawBufferPointer, from offset: Int) -> UInt64 {
    var (word, place) = (UInt64(0), offset)
    var shift: UInt64 = 0
    if bytes.count - place >= 4 {
      word = unsafe UInt64(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: place, as: UInt32.self)))
      (place, shift) = (place + 4, 32)
    }
    while place < bytes.count {
      word |= unsafe UInt64(bytes[place]) << shift
      (place, shift) = (place + 1, shift + 8)
    }
    return word
  }
}
