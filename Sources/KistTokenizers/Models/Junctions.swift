import CKernels
import KistCore

/// Where a text can be cut without changing its tokens: between two characters that no token reaches over.
///
/// Text without spaces comes in pieces of many words. Of each place where two symbols of some merge meet, up to three bytes on either side
/// are known here, so that nearly all other places are told apart; the parts between them are short, and come again and again.
///
/// ```
/// junctionKinds  u16  for each byte before a place + 256 × byte behind it: a bit for each kind of context that goes on from these two
/// junctions      u8   2ⁿ bits, by the hash of a context. A context whose bit is not set is none
/// kind                3 × (bytes before - 1) + bytes behind - 1
/// hash                the uppermost n bits of (six bytes around the place, zero where the kind has none | kind << 48) × TokenHash.multiplier
/// ```
package struct Junctions: Sendable {
  private let kinds: FlatArray<UInt16>
  private let contexts: FlatArray<UInt8>
  private let shift: Int

  /// Bytes on either side of a place that are looked at.
  static let reach = 3
  static let kindCount = reach * reach
  static let bitCounts = 6...32

  /// - Throws: `damaged` when the sections contradict each other.
  package init?(_ reader: RecordReader) throws(KistError) {
    kinds = try reader.array(.junctionKinds)
    contexts = try reader.array(.junctions)
    guard kinds.count > 0 else { return nil }
    let bits = contexts.count.trailingZeroBitCount + 3
    guard kinds.count == 1 << 16, contexts.count.nonzeroBitCount == 1, Self.bitCounts.contains(bits) else {
      throw RecordReader.damage("section 'junctions'")
    }
    shift = 64 - bits
  }

  /// The ends of the parts of a piece from a place on: as many as `ends` has room for; the last is the end of the piece when there is room.
  ///
  /// - Returns: How many there are; one or more.
  @inline(__always)
  @unsafe package func cut(
    _ text: UnsafeRawBufferPointer, _ piece: Range<Int>, into ends: UnsafeMutableBufferPointer<Int>
  ) -> Int {
    guard let base = text.baseAddress, let to = ends.baseAddress else { return 0 }
    return unsafe kinds.withBuffer { kinds in
      unsafe contexts.withBuffer { contexts in
        unsafe kist_cut(
          base.assumingMemoryBound(to: UInt8.self), text.count, piece.lowerBound, piece.upperBound, kinds.baseAddress,
          contexts.baseAddress, Int32(shift), to, ends.count)
      }
    }
  }

  /// The plain twin of ``cut(_:_:into:)``: all parts' ends.
  package func plainCut(_ text: [UInt8], _ piece: Range<Int>) -> [Int] {
    piece.dropFirst().filter { text[$0] & 0xC0 != 0x80 && !joins(text, at: $0) } + [piece.upperBound]
  }

  private func joins(_ text: [UInt8], at place: Int) -> Bool {
    let kinds = self.kinds[Int(text[place - 1]) | Int(text[place]) << 8]
    return (0..<Self.kindCount).contains { kind in
      guard kinds >> kind & 1 != 0 else { return false }
      let before = (1...kind / Self.reach + 1).map { place >= $0 ? text[place - $0] : 0 }
      let behind = (0...kind % Self.reach).map { place + $0 < text.count ? text[place + $0] : 0 }
      let bit = JunctionsBuilder.hash(kind, before.reversed()[...], behind[...]) >> UInt64(shift)
      return contexts[Int(bit >> 3)] >> (bit & 7) & 1 != 0
    }
  }
}

/// Junctions that are being gathered.
package struct JunctionsBuilder {
  private var kinds = [UInt16](repeating: 0, count: 1 << 16)
  private var hashes: [UInt64] = []

  package init() {}

  /// Notes that a symbol of the bytes `left`, or one that ends so, can meet one of `right` in a token. Neither is empty.
  package mutating func insert(_ left: ArraySlice<UInt8>, _ right: ArraySlice<UInt8>) {
    unsafe left.withUnsafeBytes { left in unsafe right.withUnsafeBytes { unsafe insert(left, $0) } }
  }

  /// The same with bytes in memory.
  @unsafe mutating func insert(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) {
    let (before, behind) = (min(left.count, Junctions.reach), min(right.count, Junctions.reach))
    guard before > 0, behind > 0 else { return }
    let kind = Junctions.reach * (before - 1) + behind - 1
    unsafe kinds[Int(left[left.count - 1]) | Int(right[0]) << 8] |= 1 << kind
    var key = UInt64(kind) << 48
    for distance in 0..<before {
      unsafe key |= UInt64(left[left.count - 1 - distance]) << UInt64(8 * (Junctions.reach - 1 - distance))
    }
    for distance in 0..<behind { unsafe key |= UInt64(right[distance]) << UInt64(8 * (Junctions.reach + distance)) }
    hashes.append(key &* TokenHash.multiplier)
  }

  static func hash(_ kind: Int, _ before: ArraySlice<UInt8>, _ behind: ArraySlice<UInt8>) -> UInt64 {
    // The place lies between the third byte of the six and the fourth.
    var key = UInt64(kind) << 48
    for (distance, byte) in before.reversed().enumerated() {
      key |= UInt64(byte) << UInt64(8 * (Junctions.reach - 1 - distance))
    }
    for (distance, byte) in behind.enumerated() { key |= UInt64(byte) << UInt64(8 * (Junctions.reach + distance)) }
    return key &* TokenHash.multiplier
  }

  /// Writes what was gathered, with a dozen bits for each context or more.
  package func compile(into writer: inout RecordWriter) {
    var bits = Junctions.bitCounts.lowerBound
    while bits < Junctions.bitCounts.upperBound, 1 << bits < 12 * hashes.count { bits += 1 }
    var contexts = [UInt8](repeating: 0, count: 1 << (bits - 3))
    for hash in hashes {
      let bit = hash >> UInt64(64 - bits)
      contexts[Int(bit >> 3)] |= 1 << UInt8(bit & 7)
    }
    writer.add(.junctionKinds, kinds)
    writer.add(.junctions, contexts)
  }
}
