import KistCore

/// A table of pairs that is being made.
struct PairTableBuilder: PairLookup {
  private var keys: [UInt64]
  private var values: [UInt64]
  private(set) var count = 0
  /// Of this process: a file can't be made so that its pairs collide here.
  private let seed = UInt64.random(in: 0...UInt64.max)

  /// No pair is of these two.
  private static let free = UInt64.max

  init(minimumCapacity: Int = 0) {
    var slotCount = 16
    while slotCount < 2 * minimumCapacity { slotCount *= 2 }
    keys = Array(repeating: Self.free, count: slotCount)
    values = Array(repeating: 0, count: slotCount)
  }

  func hint(_ left: UInt32, _ right: UInt32) -> UInt32 { 0 }

  func find(_ left: UInt32, _ right: UInt32, hint: UInt32) -> UInt64 {
    let slot = slot(of: PairTable.key(left, right))
    return keys[slot] == Self.free ? Merging.none : values[slot]
  }

  /// A pair that was there already gets the new value.
  mutating func insert(_ left: UInt32, _ right: UInt32, _ value: UInt64) {
    if 2 * (count + 1) > keys.count { grow() }
    let key = PairTable.key(left, right)
    let slot = slot(of: key)
    if keys[slot] == Self.free { count += 1 }
    (keys[slot], values[slot]) = (key, value)
  }

  /// Calls `body` with each pair, in no order.
  func forEach(_ body: (_ left: UInt32, _ right: UInt32, _ value: UInt64) -> Void) {
    for (key, value) in zip(keys, values) where key != Self.free {
      body(UInt32(truncatingIfNeeded: key), UInt32(truncatingIfNeeded: key >> 32), value)
    }
  }

  /// The slot that has this key, or the free one where it belongs.
  private func slot(of key: UInt64) -> Int {
    var slot = Int(truncatingIfNeeded: TokenHash.fold(key ^ seed)) & (keys.count - 1)
    while keys[slot] != key, keys[slot] != Self.free { slot = (slot + 1) & (keys.count - 1) }
    return slot
  }

  private mutating func grow() {
    let (oldKeys, oldValues) = (keys, values)
    keys = Array(repeating: Self.free, count: 2 * oldKeys.count)
    values = Array(repeating: 0, count: keys.count)
    for (key, value) in zip(oldKeys, oldValues) where key != Self.free {
      let slot = slot(of: key)
      (keys[slot], values[slot]) = (key, value)
    }
  }

  /// Writes the table, pairs of low values first.
  ///
  /// - Throws: `unsupported` when there are too many pairs, or too many whose hashes are nearly equal.
  func compile(entries: RecordSection, index: RecordSection, into writer: inout RecordWriter) throws(KistError) {
    guard count <= PairTable.highestCount else {
      throw KistError(.unsupported, field: "merges", "are \(count); \(PairTable.highestCount) are supported")
    }
    let sorted = zip(values, keys).filter { $0.1 != Self.free }.sorted(by: <)
    let flat = sorted.flatMap { [$0.1, $0.0] }
    guard let slots = try Self.slots(of: flat) else {
      throw KistError(.invalid, field: "merges", "have a pair twice")
    }
    writer.add(entries, flat)
    writer.add(index, slots)
  }

  /// Slots for the keys of entries, which stand at even places, that hold numbers beginning at 1; nil when a key is there twice.
  ///
  /// - Throws: `unsupported` when too many keys have nearly equal hashes.
  static func slots(of entries: [UInt64]) throws(KistError) -> [UInt32]? {
    var bits = PairTable.slotBits.lowerBound
    while 1 << bits < entries.count { bits += 1 }
    for bits in bits...min(bits + 3, PairTable.slotBits.upperBound) {
      switch place(entries, bits) {
      case .placed(let slots): return slots
      case .repeated: return nil
      case .crowded: continue
      }
    }
    throw KistError(.unsupported, field: "merges", "have hundreds of pairs whose hashes are nearly equal")
  }

  private enum Placing {
    case placed([UInt32])
    case repeated
    case crowded
  }

  private static func place(_ entries: [UInt64], _ bits: Int) -> Placing {
    var slots = [UInt32](repeating: 0, count: 1 << bits)
    for number in 0..<entries.count / 2 {
      let key = entries[2 * number]
      let hash = key &* TokenHash.multiplier
      let mark = UInt32(truncatingIfNeeded: hash &>> UInt64(56 - bits)) &<< 24
      var slot = Int(hash &>> UInt64(64 - bits))
      var distance = 0
      while slots[slot] != 0 {
        if (slots[slot] ^ mark) >> 24 == 0, entries[2 * Int(slots[slot] & 0xFF_FFFF) - 2] == key { return .repeated }
        (slot, distance) = ((slot + 1) & (slots.count - 1), distance + 1)
        if distance == PairTable.longestProbe { return .crowded }
      }
      slots[slot] = mark | UInt32(number + 1)
    }
    return .placed(slots)
  }
}
