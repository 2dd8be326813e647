/// How often each pair of symbols occurs: an open-addressed table with linear probing. Pairs are never removed.
///
/// A pair is one number, the left symbol in its upper half: pairs in the order of the numbers are in the order of their ids.
@safe final class PairCounts {
  private struct Slot: BitwiseCopyable {
    var pair: UInt64
    var count: Int64
  }

  /// No pair: ids lie below 2³¹.
  private static let free = Slot(pair: .max, count: 0)

  private var slots = GrowingMemory<Slot>(repeating: PairCounts.free, count: 1 << 12)
  private var shift: UInt64 = 52
  /// How many distinct pairs there are.
  private(set) var count = 0

  static func pair(_ left: UInt32, _ right: UInt32) -> UInt64 { UInt64(left) << 32 | UInt64(right) }

  /// The count of a pair; zero when it was never counted.
  subscript(pair: UInt64) -> Int64 { unsafe slots.base[slot(of: pair)].count }

  /// Adds to the count of a pair.
  func add(_ change: Int64, to pair: UInt64) {
    let slot = slot(of: pair)
    if unsafe slots.base[slot].pair == pair {
      unsafe slots.base[slot].count += change
      return
    }
    unsafe slots.base[slot] = Slot(pair: pair, count: change)
    count += 1
    if count * 3 > slots.count * 2 { grow() }
  }

  /// Where a pair lies, or would lie.
  private func slot(of pair: UInt64) -> Int {
    let mask = slots.count - 1
    var slot = Int(truncatingIfNeeded: (pair &* 0x9E37_79B9_7F4A_7C15) >> shift)
    while true {
      let found = unsafe slots.base[slot].pair
      if found == pair || found == .max { return slot }
      slot = (slot + 1) & mask
    }
  }

  private func grow() {
    let old = slots
    slots = GrowingMemory(repeating: Self.free, count: old.count * 2)
    shift -= 1
    for index in 0..<old.count where old[index].pair != .max { slots[slot(of: old[index].pair)] = old[index] }
  }
}
