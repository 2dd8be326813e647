import KistCore

/// What two neighbouring symbols merge into, and when.
protocol PairLookup {
  /// Begins a search, so that what it needs from memory is on its way while others begin.
  func hint(_ left: UInt32, _ right: UInt32) -> UInt32

  /// The rank above, the merged symbol below; ``Merging/none`` for two that do not merge.
  ///
  /// - Parameter hint: What ``hint(_:_:)`` gave for the same two.
  func find(_ left: UInt32, _ right: UInt32, hint: UInt32) -> UInt64
}

extension PairLookup {
  @inline(__always)
  func find(_ left: UInt32, _ right: UInt32) -> UInt64 { find(left, right, hint: hint(left, right)) }
}

/// A compiled table of pairs of 32-bit numbers.
///
/// ```
/// entries  u64  two for each pair: left | right << 32; value. Those used most (of low rank) stand first and together
/// index    u32  slots, a power of two: 8 bits of the pair's hash above, its number + 1 below; 0 when free
/// ```
///
/// The index alone tells nearly all pairs that are not there, and it is small. The hash of a pair is its key times
/// ``TokenHash/multiplier``: its uppermost bits are the slot, the next eight go into it. This is part of the format.
struct PairTable: PairLookup, Sendable {
  private let entries: FlatArray<UInt64>
  private let index: FlatArray<UInt32>
  private let shift: UInt64

  /// No pair stands further than this from the slot of its hash.
  static let longestProbe = 256
  static let highestCount = 1 << 24 - 2
  static let slotBits = 4...26

  /// - Throws: `damaged` when the index is of no possible size.
  init(_ reader: RecordReader, entries: RecordSection, index: RecordSection) throws(KistError) {
    self.entries = try reader.array(entries)
    self.index = try reader.array(index)
    let bits = self.index.count.trailingZeroBitCount
    guard self.index.count.nonzeroBitCount == 1, Self.slotBits.contains(bits) else {
      throw RecordReader.damage("section '\(index)'")
    }
    shift = UInt64(64 - bits)
  }

  var count: Int { entries.count / 2 }

  /// A pair's key and value, by its number.
  subscript(number: Int) -> (key: UInt64, value: UInt64) { (entries[2 * number], entries[2 * number + 1]) }

  /// The entry of the index where the search begins.
  @inline(__always)
  func hint(_ left: UInt32, _ right: UInt32) -> UInt32 {
    index[Int(truncatingIfNeeded: (Self.key(left, right) &* TokenHash.multiplier) &>> shift)]
  }

  @inline(__always)
  func find(_ left: UInt32, _ right: UInt32, hint: UInt32) -> UInt64 {
    let key = Self.key(left, right)
    let hash = key &* TokenHash.multiplier
    let mark = UInt32(truncatingIfNeeded: hash &>> (shift &- 8)) &<< 24
    var (entry, slot, distance) = (hint, Int(truncatingIfNeeded: hash &>> shift), 0)
    while entry != 0, distance < Self.longestProbe {
      if (entry ^ mark) &>> 24 == 0 {
        let number = Int((entry & 0xFF_FFFF) &- 1)
        if entries[2 &* number] == key { return entries[2 &* number &+ 1] }
      }
      slot = (slot &+ 1) & (index.count &- 1)
      entry = index[slot]
      distance &+= 1
    }
    return Merging.none
  }

  @inline(__always)
  static func key(_ left: UInt32, _ right: UInt32) -> UInt64 { UInt64(left) | UInt64(right) &<< 32 }
}
