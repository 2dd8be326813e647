/// Merges neighbouring symbols, the lowest rank first, the leftmost of equals first, until none merge.
///
/// Up to ``shortCount`` symbols: all ranks are looked at for each merge, which for a word is faster than anything clever.
/// More: a heap of ranks and places over a linked list, so no input is quadratic.
enum Merging {
  /// The value of pairs that do not merge. Its rank is that of nothing.
  static let none = UInt64.max
  static let shortCount = 32

  @inline(__always) static func value(rank: UInt32, merged: UInt32) -> UInt64 { UInt64(rank) &<< 32 | UInt64(merged) }
  @inline(__always) static func rank(_ value: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: value &>> 32) }
  @inline(__always) static func merged(_ value: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: value) }

  /// Merges any number of symbols in place.
  ///
  /// - Complexity: O(n log n) lookups and steps.
  static func merge(_ symbols: inout [UInt32], _ table: some PairLookup, _ memory: inout MergeMemory) {
    if symbols.count > shortCount { return memory.long.merge(&symbols, table) }
    for index in symbols.indices { unsafe memory.short.symbols[index] = symbols[index] }
    let count = mergeShort(symbols.count, table, memory.short)
    for index in 0..<count { symbols[index] = unsafe memory.short.symbols[index] }
    symbols.removeSubrange(count...)
  }

  /// Merges the first `count` symbols of `memory`, at most ``shortCount``, and gives their number afterwards.
  @inline(__always)
  static func mergeShort(_ count: Int, _ table: some PairLookup, _ memory: ShortMergeMemory) -> Int {
    guard count > 1 else { return count }
    let (symbols, merged, keys) = unsafe (memory.symbols, memory.merged, memory.keys)
    let (next, previous) = unsafe (memory.next, memory.previous)

    // A key is the rank above and the place below, so that the least of all is the next to merge.
    @inline(__always) func look(_ left: Int, _ right: Int) {
      let value = unsafe table.find(symbols[left], symbols[right])
      unsafe merged[left] = Merging.merged(value)
      unsafe keys[left] = (value | 0xFFFF_FFFF) == none ? none : value & ~0xFFFF_FFFF | UInt64(left)
    }

    for index in 0..<count &- 1 {
      look(index, index &+ 1)
      unsafe next[index] = UInt8(truncatingIfNeeded: index &+ 1)
      unsafe previous[index &+ 1] = UInt8(truncatingIfNeeded: index)
    }
    unsafe keys[count &- 1] = none
    unsafe next[count &- 1] = UInt8(truncatingIfNeeded: count)

    while true {
      var least = unsafe keys[0]
      for index in 1..<count { least = unsafe min(least, keys[index]) }
      if least == none { break }
      let left = Int(least & 0xFF)
      let right = unsafe Int(next[left])
      let after = unsafe Int(next[right])
      unsafe symbols[left] = merged[left]
      unsafe next[left] = UInt8(truncatingIfNeeded: after)
      unsafe keys[right] = none
      if after < count {
        unsafe previous[after] = UInt8(truncatingIfNeeded: left)
        look(left, after)
      } else {
        unsafe keys[left] = none
      }
      if left > 0 { unsafe look(Int(previous[left]), left) }
    }

    var (from, to) = (0, 0)
    while from < count {
      unsafe symbols[to] = symbols[from]
      from = unsafe Int(next[from])
      to &+= 1
    }
    return to
  }
}

/// What merging writes to, kept from piece to piece.
struct MergeMemory: ~Copyable {
  let short = ShortMergeMemory()
  var long = LongMerge()

  deinit { short.deallocate() }
}

/// Room for ``Merging/shortCount`` symbols.
@safe struct ShortMergeMemory {
  let symbols = UnsafeMutablePointer<UInt32>.allocate(capacity: Merging.shortCount)
  let merged = UnsafeMutablePointer<UInt32>.allocate(capacity: Merging.shortCount)
  let keys = UnsafeMutablePointer<UInt64>.allocate(capacity: Merging.shortCount)
  let next = UnsafeMutablePointer<UInt8>.allocate(capacity: Merging.shortCount)
  let previous = UnsafeMutablePointer<UInt8>.allocate(capacity: Merging.shortCount)

  func deallocate() {
    unsafe symbols.deallocate()
    unsafe merged.deallocate()
    unsafe keys.deallocate()
    unsafe next.deallocate()
    unsafe previous.deallocate()
  }
}
