/// Remembers the ids of short words: an open-addressed table over one growing list of keys and ids.
///
/// It belongs to one model and one thread. Its size is bounded: when full it is emptied, as texts change their words
/// only slowly. Probing is bounded too, so that a text made to collide only misses.
package struct WordCache {
  /// Longer words are not remembered.
  package static let maximumKeyByteCount = 48
  private static let probeCount = 8
  private static let minimumSlotCount = 1 << 10
  private static let maximumSlotCount = 1 << 20
  private static let maximumWordCount = 1 << 23

  private struct Slot {
    var hash: UInt64 = 0
    /// Where the key and then the ids begin in `words`.
    var start: UInt32 = 0
    var keyByteCount: UInt16 = 0
    var idCount: UInt16 = 0
    /// Free for the model's use.
    var limit: Float = 0
  }

  /// A remembered word.
  package struct Entry {
    package var ids: Range<Int>
    package var limit: Float
  }

  /// A power of two; one until the first word is remembered.
  private var slots = [Slot()]
  private var usedCount = 0
  /// Keys, filled up to whole words, each followed by its ids.
  private(set) var words: [UInt32] = []

  package init() {}

  /// What is remembered of a word of 1 to ``maximumKeyByteCount`` bytes.
  @inline(__always)
  package func entry(for key: UnsafeRawBufferPointer, hash: UInt64) -> Entry? {
    let mask = slots.count &- 1
    var index = Int(truncatingIfNeeded: hash) & mask
    for _ in 0..<Self.probeCount {
      let slot = slots[index]
      if slot.hash == 0 { return nil }
      if slot.hash == hash, Int(slot.keyByteCount) == key.count, unsafe isKey(key, at: Int(slot.start)) {
        let first = Int(slot.start) &+ (key.count &+ 3) >> 2
        return Entry(ids: first..<first &+ Int(slot.idCount), limit: slot.limit)
      }
      index = (index &+ 1) & mask
    }
    return nil
  }

  /// Appends the ids of a remembered word.
  @inline(__always)
  package func append(_ entry: Entry, to ids: inout [UInt32]) {
    for index in entry.ids { ids.append(words[index]) }
  }

  /// Remembers a word; it must not be there yet.
  package mutating func insert(
    _ key: UnsafeRawBufferPointer, hash: UInt64, ids: ArraySlice<UInt32>, limit: Float = .infinity
  ) {
    guard key.count > 0, key.count <= Self.maximumKeyByteCount, ids.count <= Int(UInt16.max) else { return }
    if words.count > Self.maximumWordCount { removeAll() }
    if usedCount * 2 >= slots.count { grow() }
    let start = words.count
    for offset in stride(from: 0, to: key.count, by: 4) {
      var word: UInt32 = 0
      for byte in 0..<min(4, key.count - offset) { unsafe word |= UInt32(key[offset + byte]) << UInt32(8 * byte) }
      words.append(word.littleEndian)
    }
    words += ids
    place(
      Slot(
        hash: hash, start: UInt32(start), keyByteCount: UInt16(key.count), idCount: UInt16(ids.count), limit: limit))
  }

  private mutating func place(_ slot: Slot) {
    let mask = slots.count - 1
    let home = Int(truncatingIfNeeded: slot.hash) & mask
    for probe in 0..<Self.probeCount where slots[(home + probe) & mask].hash == 0 {
      slots[(home + probe) & mask] = slot
      usedCount += 1
      return
    }
    slots[home] = slot
  }

  private mutating func grow() {
    guard slots.count < Self.maximumSlotCount else { return removeAll() }
    let old = slots
    slots = [Slot](repeating: Slot(), count: max(Self.minimumSlotCount, old.count * 4))
    usedCount = 0
    for slot in old where slot.hash != 0 { place(slot) }
  }

  private mutating func removeAll() {
    for index in slots.indices { slots[index] = Slot() }
    usedCount = 0
    words.removeAll(keepingCapacity: true)
  }

  @inline(__always)
  private func isKey(_ key: UnsafeRawBufferPointer, at start: Int) -> Bool {
    unsafe words.withUnsafeBytes { words in
      let first = start &* 4
      return unsafe TokenHash.areEqual(UnsafeRawBufferPointer(rebasing: words[first..<first &+ key.count]), key)
    }
  }

  /// Never zero.
  @inline(__always)
  package static func hash(_ key: UnsafeRawBufferPointer) -> UInt64 {
    unsafe TokenHash.hash(key) | 1 << 63
  }
}
