/// Merges neighbouring symbols, the lowest rank first, the leftmost of equals first, until none merge.
///
/// Up to ``shortCount`` symbols: all ranks are looked at for each merge, which for a word is faster than anything clever.
/// More: a heap of ranks and places over a linked list, so no input is quadratic.
enum Merging {
  /// The value of pairs that do not merge. Its rank is that of nothing.
  static let none = UInt64.max
  static let shortCount = 32
  /// Ranks are below this, so that a rank and one of ``shortCount`` places fit a signed 32-bit number.
  static let rankLimit: UInt32 = 1 << 26

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
    let lanes = UnsafeMutableRawPointer(keys)
    let laneCount = (count &+ 7) / 8

    // A key is the rank above and the place below, so that the least of all is the next to merge.
    @inline(__always) func hint(_ left: Int, _ right: Int) -> UInt32 {
      unsafe table.hint(symbols[left], symbols[right])
    }
    @inline(__always) func look(_ left: Int, _ right: Int, _ hint: UInt32) {
      let value = unsafe table.find(symbols[left], symbols[right], hint: hint)
      let rank = Merging.rank(value)
      unsafe merged[left] = Merging.merged(value)
      unsafe keys[left] =
        rank >= rankLimit ? Int32.max : Int32(truncatingIfNeeded: rank &<< 5) | Int32(truncatingIfNeeded: left)
    }

    for lane in 0..<laneCount {
      unsafe lanes.storeBytes(of: SIMD8(repeating: Int32.max), toByteOffset: 32 &* lane, as: SIMD8<Int32>.self)
    }
    for index in 0..<count &- 1 { unsafe merged[index] = hint(index, index &+ 1) }
    for index in 0..<count &- 1 {
      unsafe look(index, index &+ 1, merged[index])
      unsafe next[index] = UInt8(truncatingIfNeeded: index &+ 1)
      unsafe previous[index &+ 1] = UInt8(truncatingIfNeeded: index)
    }
    unsafe previous[0] = 0
    unsafe next[count &- 1] = UInt8(truncatingIfNeeded: count)

    for _ in 1..<count {
      var leastOfLane = unsafe lanes.load(as: SIMD8<Int32>.self)
      for lane in 1..<max(1, laneCount) {
        leastOfLane = unsafe pointwiseMin(leastOfLane, lanes.load(fromByteOffset: 32 &* lane, as: SIMD8<Int32>.self))
      }
      let least = leastOfLane.min()
      if least == Int32.max { break }
      let left = Int(least & 31)
      let right = unsafe Int(next[left])
      let after = unsafe Int(next[right])
      unsafe symbols[left] = merged[left]
      unsafe next[left] = UInt8(truncatingIfNeeded: after)
      unsafe keys[right] = Int32.max
      unsafe keys[left] = Int32.max
      // Both searches begin before either ends.
      let before = unsafe Int(previous[left])
      let hintAfter = after < count ? hint(left, after) : 0
      let hintBefore = left > 0 ? hint(before, left) : 0
      if after < count {
        unsafe previous[after] = UInt8(truncatingIfNeeded: left)
        look(left, after, hintAfter)
      }
      if left > 0 { look(before, left, hintBefore) }
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
  /// Aligned as eight of them.
  let keys =
    unsafe UnsafeMutableRawPointer
    .allocate(byteCount: 4 * Merging.shortCount, alignment: MemoryLayout<SIMD8<Int32>>.alignment)
    .bindMemory(to: Int32.self, capacity: Merging.shortCount)
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
