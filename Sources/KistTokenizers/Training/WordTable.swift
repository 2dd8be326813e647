import Foundation

/// Counts words: an open-addressed table on their bytes, with linear probing, that grows at two thirds.
///
/// ```
/// slot, 32 bytes    low u64   high u64   count u64   length u64
///   1…16 bytes      the word's bytes, filled up with zeros
///   longer          its hash, and where it lies in the arena
/// ```
///
/// A short word is found with one comparison and without leaving its slot. The hash is pinned: the same words lie in the same slots on
/// every machine. Its keys hold bytes that no UTF-8 text has, so that no text can cancel them out.
@safe final class WordTable {
  struct Slot: BitwiseCopyable {
    var low: UInt64 = 0
    var high: UInt64 = 0
    var count: UInt64 = 0
    /// In bytes; zero in a free slot.
    var length: UInt64 = 0

    var isInline: Bool { length <= 16 }
  }

  private var slots = GrowingMemory<Slot>(repeating: Slot(), count: 1 << 12)
  private let arena = GrowingMemory<UInt8>()
  /// How many distinct words there are.
  private(set) var count = 0

  /// Adds to a word's count. An empty word is none.
  func add(_ word: RawSpan, count: UInt64 = 1) { unsafe word.withUnsafeBytes { unsafe add($0, count: count) } }

  @unsafe private func add(_ word: UnsafeRawBufferPointer, count: UInt64) {
    guard let start = word.baseAddress, word.count > 0 else { return }
    if word.count <= 16 {
      let (low, high) = unsafe Self.packed(start, word.count)
      addInline(low, high, length: UInt64(word.count), count: count)
    } else {
      unsafe addLong(word, start, count: count)
    }
  }

  /// Adds what another table counted.
  func add(_ other: WordTable) {
    for index in 0..<other.slots.count {
      let slot = other.slots[index]
      if slot.length == 0 { continue }
      if slot.isInline {
        addInline(slot.low, slot.high, length: slot.length, count: slot.count)
      } else {
        unsafe add(other.longWord(slot), count: slot.count)
      }
    }
  }

  private func addInline(_ low: UInt64, _ high: UInt64, length: UInt64, count: UInt64) {
    var slot = Self.hash(low, high, length)
    let mask = UInt64(slots.count - 1)
    let base = unsafe slots.base
    while true {
      let place = unsafe base + Int(truncatingIfNeeded: slot & mask)
      if unsafe place.pointee.low == low && place.pointee.high == high && place.pointee.length == length {
        unsafe place.pointee.count &+= count
        return
      }
      if unsafe place.pointee.length == 0 {
        unsafe place.pointee = Slot(low: low, high: high, count: count, length: length)
        return noteInsertion()
      }
      slot &+= 1
    }
  }

  @unsafe private func addLong(_ word: UnsafeRawBufferPointer, _ start: UnsafeRawPointer, count: UInt64) {
    let hash = unsafe Self.hash(start, word.count)
    let mask = UInt64(slots.count - 1)
    let length = UInt64(word.count)
    var slot = hash
    while true {
      let place = unsafe slots.base + Int(truncatingIfNeeded: slot & mask)
      if unsafe place.pointee.low == hash && place.pointee.length == length
        && memcmp(arena.base + Int(place.pointee.high), start, word.count) == 0
      {
        unsafe place.pointee.count &+= count
        return
      }
      if unsafe place.pointee.length == 0 {
        unsafe place.pointee = Slot(low: hash, high: UInt64(arena.count), count: count, length: length)
        unsafe arena.append(contentsOf: word)
        return noteInsertion()
      }
      slot &+= 1
    }
  }

  private func noteInsertion() {
    count += 1
    if count * 3 > slots.count * 2 { grow() }
  }

  private func grow() {
    let old = slots
    slots = GrowingMemory(repeating: Slot(), count: old.count * 2)
    let mask = UInt64(slots.count - 1)
    for index in 0..<old.count {
      let moved = old[index]
      if moved.length == 0 { continue }
      var slot = moved.isInline ? Self.hash(moved.low, moved.high, moved.length) : moved.low
      while slots[Int(truncatingIfNeeded: slot & mask)].length != 0 { slot &+= 1 }
      slots[Int(truncatingIfNeeded: slot & mask)] = moved
    }
  }
}

// MARK: - Words out

extension WordTable {
  /// The words in ascending order of their bytes, whatever the order they came in.
  ///
  /// - Complexity: sorts the distinct words.
  func sorted() -> WordCounts {
    var order: [(prefix: UInt64, slot: Int)] = []
    order.reserveCapacity(count)
    for index in 0..<slots.count where slots[index].length > 0 { order.append((prefix(slots[index]), index)) }
    order.sort { $0.prefix != $1.prefix ? $0.prefix < $1.prefix : precedes(slots[$0.slot], slots[$1.slot]) }
    var counts = WordCounts()
    counts.reserve(order.count)
    for (_, index) in order {
      unsafe withBytes(of: slots[index]) { unsafe counts.append($0, count: slots[index].count) }
    }
    return counts
  }

  /// The first eight bytes as a number that sorts as they do.
  private func prefix(_ slot: Slot) -> UInt64 {
    if slot.isInline { return slot.low.byteSwapped }
    return unsafe UInt64(bigEndian: longWord(slot).loadUnaligned(as: UInt64.self))
  }

  private func precedes(_ left: Slot, _ right: Slot) -> Bool {
    unsafe withBytes(of: left) { left in
      unsafe withBytes(of: right) { right in unsafe left.lexicographicallyPrecedes(right) }
    }
  }

  @unsafe private func withBytes<Result>(of slot: Slot, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    guard slot.isInline else { return unsafe body(longWord(slot)) }
    return unsafe withUnsafeBytes(of: (slot.low.littleEndian, slot.high.littleEndian)) { bytes in
      unsafe body(UnsafeRawBufferPointer(rebasing: bytes[0..<Int(slot.length)]))
    }
  }

  @unsafe private func longWord(_ slot: Slot) -> UnsafeRawBufferPointer {
    unsafe UnsafeRawBufferPointer(start: arena.base + Int(slot.high), count: Int(slot.length))
  }
}

// MARK: - Keys

extension WordTable {
  /// Up to 16 bytes as two numbers, the first byte lowest, filled up with zeros; reads no byte beyond them.
  @unsafe private static func packed(_ start: UnsafeRawPointer, _ length: Int) -> (low: UInt64, high: UInt64) {
    if length >= 8 {
      let low = unsafe UInt64(littleEndian: start.loadUnaligned(as: UInt64.self))
      let last = unsafe UInt64(littleEndian: start.loadUnaligned(fromByteOffset: length - 8, as: UInt64.self))
      return (low, length == 8 ? 0 : last >> UInt64(8 * (16 - length)))
    }
    if length >= 4 {
      let first = unsafe UInt64(UInt32(littleEndian: start.loadUnaligned(as: UInt32.self)))
      let last = unsafe UInt64(UInt32(littleEndian: start.loadUnaligned(fromByteOffset: length - 4, as: UInt32.self)))
      return (first | last << UInt64(8 * (length - 4)), 0)
    }
    let first = unsafe UInt64(start.load(as: UInt8.self))
    let middle = unsafe UInt64(start.load(fromByteOffset: length / 2, as: UInt8.self))
    let last = unsafe UInt64(start.load(fromByteOffset: length - 1, as: UInt8.self))
    return (first | middle << UInt64(8 * (length / 2)) | last << UInt64(8 * (length - 1)), 0)
  }

  private static let lowKey: UInt64 = 0xFF51_AFD7_ED55_8CFD
  private static let highKey: UInt64 = 0xFEC6_9E3B_C0A4_C1F5
  private static let lengthKey: UInt64 = 0x9E37_79B9_7F4A_7C15

  private static func hash(_ low: UInt64, _ high: UInt64, _ length: UInt64) -> UInt64 {
    folded(low ^ lowKey, high ^ highKey) ^ length &* lengthKey
  }

  /// Of more than 16 bytes.
  @unsafe private static func hash(_ start: UnsafeRawPointer, _ length: Int) -> UInt64 {
    var hash = UInt64(length) &* lengthKey
    var offset = 0
    while offset < length {
      // The last step looks at the last 16 bytes, some of them for the second time.
      let place = min(offset, length - 16)
      let low = unsafe UInt64(littleEndian: start.loadUnaligned(fromByteOffset: place, as: UInt64.self))
      let high = unsafe UInt64(littleEndian: start.loadUnaligned(fromByteOffset: place + 8, as: UInt64.self))
      hash = folded(low ^ lowKey, high ^ highKey) &+ (hash << 23 | hash >> 41) &* lengthKey
      offset += 16
    }
    return hash ^ hash >> 32
  }

  private static func folded(_ left: UInt64, _ right: UInt64) -> UInt64 {
    let product = left.multipliedFullWidth(by: right)
    return product.high ^ product.low
  }
}
