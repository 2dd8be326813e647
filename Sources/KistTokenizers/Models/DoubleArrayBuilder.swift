import KistCore

/// Lays a set of byte strings out as a ``DoubleArray``.
///
/// Units are given out in blocks of 256. Where a node's children fit into a block is found for all 256 bases at once:
/// the block's free units, as a set of 256 bits, are permuted by each child's label, and the intersection is the set of
/// bases that fit.
package struct DoubleArrayBuilder {
  private var units: [UInt64] = []
  private var free = BlockSets()
  private var freeCounts: [Int] = []
  /// Two nodes of one base would share children.
  private var unusedBases = BlockSets()
  /// Blocks that still have room, oldest first.
  private var open: [Int] = []

  /// Old blocks are given up beyond this many: their last free units are not worth the search.
  private static let openBlockCount = 16
  private static let blockLimit = 1 << 15

  /// The units of a trie.
  ///
  /// - Parameter keys: Of equal keys, the last one's value stands. Empty keys are left out.
  /// - Throws: `unsupported` when they need more than 2²³ units, or a key is longer than ``maximumKeyByteCount``.
  /// - Complexity: linear in their bytes, after sorting; 256k tokens in some 100 ms.
  package static func units(of keys: [(bytes: [UInt8], value: UInt32)]) throws(KistError) -> [UInt64] {
    guard keys.allSatisfy({ $0.bytes.count <= maximumKeyByteCount && $0.value < UInt32.max }) else {
      throw KistError(.unsupported, field: "vocabulary", "has a token of more than \(maximumKeyByteCount) bytes")
    }
    var builder = DoubleArrayBuilder()
    try builder.build(SortedKeys(keys))
    return builder.units
  }

  /// The index of the unit that a string leads to, for ``DoubleArray/node(at:)``.
  package static func index(of key: [UInt8], in units: [UInt64]) -> Int? {
    var index = 0
    for byte in key {
      index = Int(units[index] >> DoubleArray.baseShift) ^ Int(byte)
      guard (units[index] >> DoubleArray.labelShift) & 0x1FF == DoubleArray.occupied | UInt64(byte) else { return nil }
    }
    return index
  }

  /// Bounds what a walk can take, whatever the record says.
  package static let maximumKeyByteCount = 1 << 16

  private mutating func build(_ keys: SortedKeys) throws(KistError) {
    units = [UInt64](repeating: 0, count: 256)
    free.append(isFull: false)
    freeCounts = [0]
    unusedBases.append(isFull: false)
    guard keys.count > 0 else { return }
    var pending: [(range: Range<Int>, depth: Int, unit: Int)] = [(0..<keys.count, 0, 0)]
    var labels: [UInt8] = []
    var starts: [Int] = []
    while let (range, depth, unit) = pending.popLast() {
      if range.count == 1 {
        try placeTail(of: range.lowerBound, keys, from: depth, unit)
        continue
      }
      var first = range.lowerBound
      while first < range.upperBound, keys.byteCount(first) == depth {
        if depth > 0 { setValue(keys.value(first), unit) }
        first += 1
      }
      guard first < range.upperBound else { continue }
      labels.removeAll(keepingCapacity: true)
      starts.removeAll(keepingCapacity: true)
      for index in first..<range.upperBound {
        let label = keys.byte(index, depth)
        if label != labels.last {
          labels.append(label)
          starts.append(index)
        }
      }
      starts.append(range.upperBound)
      let base = try labels.count == 1 ? place(labels[0]) : place(labels)
      units[unit] |= UInt64(base) << DoubleArray.baseShift
      for index in labels.indices.reversed() {
        setLabel(labels[index], base)
        pending.append((starts[index]..<starts[index + 1], depth + 1, base ^ Int(labels[index])))
      }
    }
  }

  /// The nodes of what only one key has.
  private mutating func placeTail(
    of key: Int, _ keys: SortedKeys, from depth: Int, _ unit: Int
  ) throws(KistError) {
    var unit = unit
    for depth in depth..<keys.byteCount(key) {
      let label = keys.byte(key, depth)
      let base = try place(label)
      units[unit] |= UInt64(base) << DoubleArray.baseShift
      setLabel(label, base)
      unit = base ^ Int(label)
    }
    setValue(keys.value(key), unit)
  }

  private mutating func setValue(_ value: UInt32, _ unit: Int) {
    units[unit] = units[unit] & ~0xFFFF_FFFF | UInt64(value + 1)
  }

  private mutating func setLabel(_ label: UInt8, _ base: Int) {
    units[base ^ Int(label)] = (DoubleArray.occupied | UInt64(label)) << DoubleArray.labelShift
  }

  /// Takes units for children of these labels, and returns their base.
  private mutating func place(_ labels: [UInt8]) throws(KistError) -> Int {
    for position in open.indices where freeCounts[open[position]] >= labels.count {
      let block = open[position]
      var bases = unusedBases[block]
      let units = free[block]
      for label in labels {
        bases.formIntersection(units.permuted(by: label))
        if bases.isEmpty { break }
      }
      if let base = bases.first { return take(labels, position, base) }
    }
    return take(labels, try openBlock(), 0)
  }

  /// The same for a single child, which the first free unit of the oldest block nearly always suits.
  private mutating func place(_ label: UInt8) throws(KistError) -> Int {
    for position in open.indices {
      let block = open[position]
      for word in 0..<4 {
        var rest = free.word(block, word)
        while rest != 0 {
          let base = UInt8(word << 6 | rest.trailingZeroBitCount) ^ label
          if unusedBases.contains(base, block) { return take(CollectionOfOne(label), position, base) }
          rest &= rest - 1
        }
      }
    }
    return take(CollectionOfOne(label), try openBlock(), 0)
  }

  /// Adds a block, and returns its position among the open ones.
  private mutating func openBlock() throws(KistError) -> Int {
    guard freeCounts.count < Self.blockLimit else {
      throw KistError(.unsupported, field: "vocabulary", "needs a trie of more than 8 million nodes")
    }
    open.append(freeCounts.count)
    if open.count > Self.openBlockCount { open.removeFirst() }
    units += repeatElement(0, count: 256)
    free.append(isFull: true)
    freeCounts.append(256)
    unusedBases.append(isFull: true)
    return open.count - 1
  }

  private mutating func take(_ labels: some Collection<UInt8>, _ position: Int, _ base: UInt8) -> Int {
    let block = open[position]
    unusedBases.remove(base, block)
    for label in labels { free.remove(base ^ label, block) }
    freeCounts[block] -= labels.count
    if freeCounts[block] == 0 { open.remove(at: position) }
    return block << 8 | Int(base)
  }
}

/// A set of the 256 places of a block.
private struct BlockSet {
  fileprivate var words: SIMD4<UInt64>

  var isEmpty: Bool { words == SIMD4(repeating: 0) }

  var first: UInt8? {
    for index in 0..<4 where words[index] != 0 { return UInt8(index << 6 | words[index].trailingZeroBitCount) }
    return nil
  }

  mutating func formIntersection(_ other: BlockSet) { words &= other.words }

  /// The set of all `place ^ label`: exchanges neighbouring groups of bits for each bit of the label.
  func permuted(by label: UInt8) -> BlockSet {
    var words = words
    if label & 128 != 0 { words = SIMD4(words[2], words[3], words[0], words[1]) }
    if label & 64 != 0 { words = SIMD4(words[1], words[0], words[3], words[2]) }
    if label & 32 != 0 { words = Self.exchanged(words, 32, 0x0000_0000_FFFF_FFFF) }
    if label & 16 != 0 { words = Self.exchanged(words, 16, 0x0000_FFFF_0000_FFFF) }
    if label & 8 != 0 { words = Self.exchanged(words, 8, 0x00FF_00FF_00FF_00FF) }
    if label & 4 != 0 { words = Self.exchanged(words, 4, 0x0F0F_0F0F_0F0F_0F0F) }
    if label & 2 != 0 { words = Self.exchanged(words, 2, 0x3333_3333_3333_3333) }
    if label & 1 != 0 { words = Self.exchanged(words, 1, 0x5555_5555_5555_5555) }
    return BlockSet(words: words)
  }

  @inline(__always)
  private static func exchanged(_ words: SIMD4<UInt64>, _ distance: UInt64, _ low: UInt64) -> SIMD4<UInt64> {
    let (distance, low) = (SIMD4(repeating: distance), SIMD4(repeating: low))
    return (words & low) &<< distance | (words &>> distance) & low
  }
}

/// A set for each block.
private struct BlockSets {
  private var words: [UInt64] = []

  mutating func append(isFull: Bool) { words += repeatElement(isFull ? .max : 0, count: 4) }

  subscript(block: Int) -> BlockSet {
    BlockSet(words: SIMD4(words[4 * block], words[4 * block + 1], words[4 * block + 2], words[4 * block + 3]))
  }

  func word(_ block: Int, _ index: Int) -> UInt64 { words[4 * block + index] }

  func contains(_ place: UInt8, _ block: Int) -> Bool {
    words[4 * block + Int(place >> 6)] >> UInt64(place & 63) & 1 != 0
  }

  mutating func remove(_ place: UInt8, _ block: Int) {
    words[4 * block + Int(place >> 6)] &= ~(1 << UInt64(place & 63))
  }
}

/// Keys in the order of their bytes, in one buffer.
private struct SortedKeys {
  private struct Entry {
    /// The first eight bytes, which decide nearly every comparison.
    var head: UInt64 = 0
    var start: UInt32
    var count: UInt32
    var value: UInt32
    var index: UInt32
  }

  private var bytes: [UInt8] = []
  private var entries: [Entry] = []

  init(_ keys: [(bytes: [UInt8], value: UInt32)]) {
    entries.reserveCapacity(keys.count)
    bytes.reserveCapacity(keys.reduce(0) { $0 + $1.bytes.count })
    for (index, key) in keys.enumerated() where !key.bytes.isEmpty {
      var entry = Entry(
        start: UInt32(bytes.count), count: UInt32(key.bytes.count), value: key.value, index: UInt32(index))
      for byte in key.bytes.prefix(8) { entry.head = entry.head << 8 | UInt64(byte) }
      entry.head <<= UInt64(8 * max(0, 8 - key.bytes.count))
      bytes += key.bytes
      entries.append(entry)
    }
    let bytes = bytes
    entries.sort { $0.head != $1.head ? $0.head < $1.head : Self.precedes($0, $1, bytes) }
  }

  private static func precedes(_ one: Entry, _ other: Entry, _ bytes: [UInt8]) -> Bool {
    for offset in 0..<Int(min(one.count, other.count)) {
      let (left, right) = (bytes[Int(one.start) + offset], bytes[Int(other.start) + offset])
      if left != right { return left < right }
    }
    return one.count != other.count ? one.count < other.count : one.index < other.index
  }

  var count: Int { entries.count }
  func byteCount(_ index: Int) -> Int { Int(entries[index].count) }
  func value(_ index: Int) -> UInt32 { entries[index].value }
  func byte(_ index: Int, _ offset: Int) -> UInt8 { bytes[Int(entries[index].start) + offset] }
}
