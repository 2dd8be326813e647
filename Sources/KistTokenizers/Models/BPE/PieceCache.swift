import CKernels
import Foundation

/// The ids of pieces that came before, of one thread.
///
/// A slot is half a cache line, laid out as `kist_piece_slot`: a key of 16 bytes and up to four ids. Pieces of up to 15 bytes are their own key, with their length in
/// its last byte. The key of a longer one is its hash, length and place in `longPieces`. More than four ids lie in `longResults`, and so do
/// lists of other kinds (``WordList``).
/// A piece stands within ``longestProbe`` slots from its hash or not at all, so text made to collide costs little; nothing is ever
/// removed, but when the cache is as large as it may get it begins anew.
///
/// Learned from gigatoken, `src/bpe/pretoken_cache.rs`.
@safe struct PieceCache: ~Copyable {
  struct Key {
    var low: UInt64
    var high: UInt64

    @inline(__always) var hash: UInt64 {
      let product = (low ^ TokenHash.multiplier).multipliedFullWidth(by: high ^ 0xD6E8_FEB8_6659_FD93)
      return product.high ^ product.low
    }
  }

  struct Slot {
    var low: UInt64
    var high: UInt64
    /// The first holds the number of ids in its upper four bits. None: the second is a place in `longResults`, the third a count, the fourth
    /// a kind of list.
    var ids: SIMD4<UInt32>
  }

  static let longestShortPiece = 15
  static let longestPiece = 1024
  private static let longestProbe = 8
  private static let largestSlotCount = 1 << 20
  private static let largestSideCount = 1 << 24
  private static let countShift: UInt32 = 28
  private static let idsPerSlot = 4

  private var slots: UnsafeMutablePointer<Slot>
  private var slotCount: Int
  /// Where `slots` lie.
  private var memory: UnsafeMutableRawPointer
  private var usedCount = 0
  private var longPieces: [UInt8] = []
  private var longResults: [UInt32] = []
  /// Of pieces that were met and not kept, a part of the hash, where the rest of it says.
  private let marks: UnsafeMutablePointer<UInt16>

  init(slotCount: Int = 1 << 10) {
    self.slotCount = slotCount
    unsafe (slots, memory) = Self.allocate(slotCount)
    guard let zeros = unsafe calloc(Int(kist_mark_count), MemoryLayout<UInt16>.stride) else {
      preconditionFailure("no memory for marks")
    }
    unsafe marks = zeros.bindMemory(to: UInt16.self, capacity: Int(kist_mark_count))
  }

  deinit {
    unsafe free(memory)
    unsafe free(marks)
  }

  /// Free slots. Memory that comes from the system is zero already, which `calloc` knows.
  private static func allocate(_ count: Int) -> (slots: UnsafeMutablePointer<Slot>, memory: UnsafeMutableRawPointer) {
    let byteCount = count * MemoryLayout<Slot>.stride
    // Huge pages, where the system has them: a large table is read at places far apart.
    let alignment = byteCount >= 1 << 21 ? 1 << 21 : 64
    guard let memory = unsafe calloc(byteCount + alignment, 1) else {
      preconditionFailure("no memory for \(count) slots")
    }
    let aligned = unsafe memory.alignedUp(toMultipleOf: alignment)
    #if os(Linux)
      if byteCount >= 1 << 21 { unsafe madvise(aligned, byteCount, MADV_HUGEPAGE) }
    #endif
    return unsafe (aligned.bindMemory(to: Slot.self, capacity: count), memory)
  }

  /// Tells keys of parts of pieces from those of pieces.
  static let partTag: UInt64 = 0x80 &<< 56

  /// The key of a piece of 1 to 15 bytes.
  @inline(__always)
  static func shortKey(_ piece: UnsafeRawBufferPointer, tag: UInt64) -> Key {
    let count = piece.count
    let tag = UInt64(count) &<< 56 | tag
    if count >= 8 {
      let low = unsafe piece.loadUnaligned(as: UInt64.self)
      let last = unsafe piece.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self)
      return Key(low: UInt64(littleEndian: low), high: (UInt64(littleEndian: last) >> UInt64(8 &* (16 &- count))) | tag)
    }
    if count >= 4 {
      let low = unsafe UInt32(littleEndian: piece.loadUnaligned(as: UInt32.self))
      let last = unsafe UInt32(littleEndian: piece.loadUnaligned(fromByteOffset: count &- 4, as: UInt32.self))
      return Key(low: UInt64(low) | UInt64(last) &<< UInt64(8 &* (count &- 4)), high: tag)
    }
    let middle = count / 2
    let low = unsafe UInt64(piece[0]) | UInt64(piece[middle]) &<< UInt64(8 &* middle)
    return unsafe Key(low: low | UInt64(piece[count &- 1]) &<< UInt64(8 &* (count &- 1)), high: tag)
  }

  /// The slot of a short piece.
  @inline(__always)
  func find(_ key: Key) -> Slot? {
    var place = Int(truncatingIfNeeded: key.hash) & (slotCount &- 1)
    for _ in 0..<Self.longestProbe {
      let slot = unsafe slots[place]
      if slot.low == key.low, slot.high == key.high { return slot }
      if slot.high == 0 { return nil }
      place = (place &+ 1) & (slotCount &- 1)
    }
    return nil
  }

  /// Appends the ids of the first of some pieces, up to one that is not here. Many at once, so that what they need from
  /// memory is on its way.
  ///
  /// - Returns: How many pieces these are.
  @inline(__always)
  func appendFound(
    _ text: UnsafeRawBufferPointer, _ pieces: PieceList, from first: Int, tag: UInt64, to output: inout [UInt32]
  ) -> Int {
    guard let base = text.baseAddress else { return 0 }
    let remaining = unsafe min(pieces.count &- first, PieceWindow.pieceCount)
    let place = unsafe first &* pieces.stride
    var found = 0
    output.append(addingCapacity: Self.idsPerSlot &* remaining) { room in
      unsafe room.withUnsafeMutableBufferPointer { room, count in
        found = unsafe find(base, text.count, pieces, place, remaining, tag, room, &count)
      }
    }
    return found
  }

  @inline(__always)
  private func find(
    _ text: UnsafeRawPointer, _ byteCount: Int, _ pieces: PieceList, _ first: Int, _ pieceCount: Int, _ tag: UInt64,
    _ room: UnsafeMutableBufferPointer<UInt32>, _ count: inout Int
  ) -> Int {
    unsafe longResults.withUnsafeBufferPointer { longResults in
      unsafe longPieces.withUnsafeBufferPointer { longPieces in
        unsafe kist_find_pieces(
          text.assumingMemoryBound(to: UInt8.self), byteCount, pieces.starts + first, pieces.ends + first,
          pieces.stride, pieceCount, tag, UnsafeRawPointer(slots).assumingMemoryBound(to: kist_piece_slot.self),
          slotCount, longPieces.baseAddress, longPieces.count, longResults.baseAddress, longResults.count,
          room.baseAddress, room.count, &count)
      }
    }
  }

  /// Appends the ids of a slot.
  @inline(__always)
  func append(_ slot: Slot, to output: inout [UInt32]) {
    let count = Int(slot.ids.x &>> Self.countShift)
    let ids = slot.ids & SIMD4(1 &<< Self.countShift &- 1, .max, .max, .max)
    if count == 1 { return output.append(ids.x) }
    if count == 0 { return appendLongResult(slot, to: &output) }
    for index in 0..<count { output.append(ids[index]) }
  }

  private func appendLongResult(_ slot: Slot, to output: inout [UInt32]) {
    let start = Int(slot.ids.y)
    output.append(contentsOf: longResults[start..<start + Int(slot.ids.z)])
  }

  /// The slot of a piece of 1 to ``longestPiece`` bytes.
  func slot(of piece: UnsafeRawBufferPointer) -> Slot? {
    guard piece.count > Self.longestShortPiece else { return find(unsafe Self.shortKey(piece, tag: 0)) }
    return unsafe findLong(piece, TokenHash.hash(piece))
  }

  private func findLong(_ piece: UnsafeRawBufferPointer, _ hash: UInt64) -> Slot? {
    var place = Int(truncatingIfNeeded: hash) & (slotCount - 1)
    for _ in 0..<Self.longestProbe {
      let slot = unsafe slots[place]
      if slot.high == 0 { return nil }
      if slot.low == hash, slot.high >> 32 == Self.longTag(piece.count), unsafe holds(slot, piece) { return slot }
      place = (place + 1) & (slotCount - 1)
    }
    return nil
  }

  /// Appends the ids of a longer piece that came before.
  func appendLong(_ piece: UnsafeRawBufferPointer, _ hash: UInt64, to output: inout [UInt32]) -> Bool {
    guard let slot = unsafe findLong(piece, hash) else { return false }
    append(slot, to: &output)
    return true
  }

  /// Whether there are neither ids nor ways.
  func hasNoIDs(_ slot: Slot) -> Bool { slot.ids.x &>> Self.countShift == 0 && slot.ids.z == 0 }

  /// The list of a slot that has one of ways.
  func ways(of slot: Slot) -> [UInt32]? {
    guard slot.ids.x &>> Self.countShift == 0, slot.ids.z > 0, slot.ids.w != WordList.ids.rawValue else { return nil }
    return Array(longResults[Int(slot.ids.y)..<Int(slot.ids.y) + Int(slot.ids.z)])
  }

  /// Whether a longer piece was met lately, and so may come again: most come once, and to keep those is for nothing.
  func isMetAgain(_ hash: UInt64) -> Bool { unsafe kist_is_met_again(marks, hash) }

  /// Hands on all memory as a kernel takes it.
  @inline(__always)
  func withMemory(_ body: (UnsafePointer<kist_piece_cache>) -> Void) {
    unsafe longResults.withUnsafeBufferPointer { lists in
      unsafe longPieces.withUnsafeBufferPointer { bytes in
        var cache = unsafe kist_piece_cache(
          slots: UnsafeRawPointer(slots).assumingMemoryBound(to: kist_piece_slot.self), slot_count: slotCount,
          long_bytes: bytes.baseAddress, long_byte_count: bytes.count, lists: lists.baseAddress,
          list_count: lists.count, marks: marks)
        unsafe body(&cache)
      }
    }
  }

  private static func longTag(_ count: Int) -> UInt64 { 0xFF00_0000 | UInt64(count) }

  private func holds(_ slot: Slot, _ piece: UnsafeRawBufferPointer) -> Bool {
    let start = Int(UInt32(truncatingIfNeeded: slot.high))
    return unsafe longPieces.withUnsafeBytes { bytes in
      unsafe TokenHash.areEqual(UnsafeRawBufferPointer(rebasing: bytes[start..<start + piece.count]), piece)
    }
  }

  /// Keeps the ids of a short piece that was not there.
  mutating func insert(_ key: Key, _ ids: ArraySlice<UInt32>) {
    makeRoom(0, ids.count)
    let value = value(ids)
    store(Slot(low: key.low, high: key.high, ids: value), key.hash)
  }

  /// Keeps the ids of a longer piece that was not there, of up to ``longestPiece`` bytes.
  mutating func insertLong(_ piece: UnsafeRawBufferPointer, _ hash: UInt64, _ ids: ArraySlice<UInt32>) {
    makeRoom(piece.count, ids.count)
    let value = value(ids)
    store(unsafe Slot(low: hash, high: keepLong(piece), ids: value), hash)
  }

  /// Keeps the ids of a piece of any length that was not there.
  mutating func insert(_ piece: UnsafeRawBufferPointer, _ ids: ArraySlice<UInt32>) {
    if piece.count <= Self.longestShortPiece {
      insert(unsafe Self.shortKey(piece, tag: 0), ids)
    } else {
      unsafe insertLong(piece, TokenHash.hash(piece), ids)
    }
  }

  /// Keeps a list of what may become of a word that was not there.
  mutating func insert(_ word: UnsafeRawBufferPointer, _ list: [UInt32], _ kind: WordList) {
    makeRoom(word.count, list.count)
    let value = SIMD4(0, UInt32(longResults.count), UInt32(list.count), kind.rawValue)
    longResults += list
    if word.count <= Self.longestShortPiece {
      let key = unsafe Self.shortKey(word, tag: 0)
      store(Slot(low: key.low, high: key.high, ids: value), key.hash)
    } else {
      let hash = unsafe TokenHash.hash(word)
      store(unsafe Slot(low: hash, high: keepLong(word), ids: value), hash)
    }
  }

  /// Keeps the bytes of a longer piece, and gives the upper half of its key.
  private mutating func keepLong(_ piece: UnsafeRawBufferPointer) -> UInt64 {
    let high = Self.longTag(piece.count) << 32 | UInt64(longPieces.count)
    unsafe longPieces.append(contentsOf: piece)
    return high
  }

  private mutating func value(_ ids: ArraySlice<UInt32>) -> SIMD4<UInt32> {
    var value = SIMD4<UInt32>()
    // The id of an unknown token that is missing has all bits.
    if (1...4).contains(ids.count), ids[ids.startIndex] >> Self.countShift == 0 {
      for (index, id) in ids.enumerated() { value[index] = id }
      value.x = value.x & (1 << Self.countShift - 1) | UInt32(ids.count) << Self.countShift
    } else {
      value.y = UInt32(longResults.count)
      value.z = UInt32(ids.count)
      longResults += ids
    }
    return value
  }

  /// Grows or empties the cache when that is due.
  private mutating func makeRoom(_ byteCount: Int, _ idCount: Int) {
    let isFull = 2 * (usedCount + 1) > slotCount
    let sidesAreFull =
      longPieces.count + byteCount > Self.largestSideCount
      || longResults.count + idCount > Self.largestSideCount / 2
    if sidesAreFull || isFull && slotCount >= Self.largestSlotCount { return clear() }
    if isFull { grow() }
  }

  private mutating func clear() {
    unsafe UnsafeMutableRawPointer(slots)
      .initializeMemory(as: UInt8.self, repeating: 0, count: slotCount * MemoryLayout<Slot>.stride)
    usedCount = 0
    longPieces.removeAll(keepingCapacity: true)
    longResults.removeAll(keepingCapacity: true)
  }

  private mutating func grow() {
    let (old, oldMemory, oldCount) = unsafe (slots, memory, slotCount)
    slotCount = oldCount < 1 << 16 ? 4 * oldCount : 2 * oldCount
    usedCount = 0
    unsafe (slots, memory) = Self.allocate(slotCount)
    for index in 0..<oldCount {
      let slot = unsafe old[index]
      guard slot.high != 0 else { continue }
      let isLong = slot.high >> 56 == 0xFF
      store(slot, isLong ? slot.low : Key(low: slot.low, high: slot.high).hash)
    }
    unsafe free(oldMemory)
  }

  /// Puts a slot where its hash says: the first free place, or in place of what stands at the first.
  private mutating func store(_ slot: Slot, _ hash: UInt64) {
    let first = Int(truncatingIfNeeded: hash) & (slotCount - 1)
    for distance in 0..<Self.longestProbe {
      let place = (first + distance) & (slotCount - 1)
      if unsafe slots[place].high == 0 {
        usedCount += 1
        unsafe slots[place] = slot
        return
      }
    }
    unsafe slots[first] = slot
  }
}
