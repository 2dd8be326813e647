import Foundation
import KistCore

/// The tokens of a vocabulary that is being read, by their bytes: an open-addressed table, so that half a million merges are looked up in
/// a fraction of a second.
///
/// The bytes of all tokens lie one after the other. A slot holds half of a token's hash and its position plus one; 0 is free. Hashes are
/// polynomials, so that the hash of two tokens together follows from theirs.
@safe struct TokenTable {
  private struct Entry {
    var start: UInt32
    var count: UInt32
    var id: UInt32
  }

  private var entries: [Entry] = []
  private var bytes: [UInt8] = []
  private var slots: [UInt64]
  private var slotShift: UInt64

  /// Ids up to here are read: tables are laid out by id, and a file of a few bytes must not ask for gigabytes.
  static let maximumID = VocabularyTable.highestID

  /// - Parameter count: How many tokens there will be; more are taken, too.
  init(count: Int) {
    var bitCount: UInt64 = 6
    while 1 << bitCount < 2 * min(count, 1 << 20) { bitCount += 1 }
    slots = [UInt64](repeating: 0, count: 1 << bitCount)
    slotShift = 64 - bitCount
    entries.reserveCapacity(count)
  }

  var count: Int { entries.count }

  func token(_ position: Int) -> ArraySlice<UInt8> {
    let entry = entries[position]
    return bytes[Int(entry.start)..<Int(entry.start + entry.count)]
  }

  func name(_ position: Int) -> String { String(decoding: token(position), as: UTF8.self) }

  func id(_ position: Int) -> UInt32 { entries[position].id }

  mutating func setID(_ position: Int, _ id: UInt32) { entries[position].id = id }

  /// The id of a token; nil when there is no such token.
  func id(of token: [UInt8]) -> UInt32? {
    unsafe token.withUnsafeBytes { unsafe find($0, hash: Self.hash($0)) }.map(id(_:))
  }

  /// Adds a token.
  ///
  /// - Returns: The position of the token that has these bytes already; it stays as it is.
  @unsafe mutating func insert(_ token: UnsafeRawBufferPointer, id: UInt32) -> Int? {
    if 2 * (count + 1) > slots.count { grow() }
    let hash = unsafe Self.hash(token)
    if let position = unsafe find(token, hash: hash) { return position }
    entries.append(Entry(start: UInt32(bytes.count), count: UInt32(token.count), id: id))
    unsafe bytes.append(contentsOf: token)
    place(hash, count - 1)
    return nil
  }

  mutating func insert(_ token: [UInt8], id: UInt32) -> Int? {
    unsafe token.withUnsafeBytes { unsafe insert($0, id: id) }
  }

  /// The position of a token.
  @unsafe func find(_ token: UnsafeRawBufferPointer, hash: UInt64) -> Int? {
    unsafe find(token, UnsafeRawBufferPointer(start: nil, count: 0), hash: hash)
  }

  /// The position of the token that two strings of bytes make together.
  @unsafe func find(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer, hash: UInt64) -> Int? {
    let mixed = Self.mixed(hash)
    var slot = Int(mixed >> slotShift)
    while slots[slot] != 0 {
      let position = Int(slots[slot] & 0xFFFF_FFFF) - 1
      if slots[slot] >> 32 == mixed & 0xFFFF_FFFF, unsafe matches(position, left, right) { return position }
      slot = (slot + 1) & (slots.count - 1)
    }
    return nil
  }

  /// Where tokens of those hashes may be, one after the other without waiting: positions, or -1 for nowhere.
  func places(_ hashes: [UInt64]) -> [Int32] {
    hashes.map { hash in
      let mixed = Self.mixed(hash)
      var slot = Int(mixed >> slotShift)
      while slots[slot] != 0, slots[slot] >> 32 != mixed & 0xFFFF_FFFF { slot = (slot + 1) & (slots.count - 1) }
      return Int32(truncatingIfNeeded: slots[slot] & 0xFFFF_FFFF) - 1
    }
  }

  /// As ``find(_:_:hash:)``, looking first where ``places(_:)`` says.
  @unsafe func find(
    _ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer, hash: UInt64, at place: Int32
  ) -> Int? {
    guard place >= 0 else { return nil }
    if unsafe matches(Int(place), left, right) { return Int(place) }
    return unsafe find(left, right, hash: hash)
  }

  /// Whether a token's bytes are those of two strings together.
  @unsafe private func matches(_ position: Int, _ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool
  {
    let entry = entries[position]
    guard Int(entry.count) == left.count + right.count else { return false }
    return unsafe bytes.withUnsafeBytes { bytes in
      let (start, middle) = (Int(entry.start), Int(entry.start) + left.count)
      return unsafe UnsafeRawBufferPointer(rebasing: bytes[start..<middle]).isEqual(to: left)
        && UnsafeRawBufferPointer(rebasing: bytes[middle..<middle + right.count]).isEqual(to: right)
    }
  }

  // MARK: Hashes

  /// Differs from run to run, so that no file can be made whose tokens all fall into one slot. No result depends on it.
  private static let base = UInt64.random(in: 0 ... .max) | 1

  private static let powers: [UInt64] = {
    var powers: [UInt64] = [1]
    for _ in 0..<64 { powers.append((powers.last ?? 1) &* base) }
    return powers
  }()

  static func hash(_ token: UnsafeRawBufferPointer) -> UInt64 {
    let base = base
    var hash: UInt64 = 0
    for index in 0..<token.count { hash = unsafe hash &* base &+ UInt64(token[index]) &+ 1 }
    return hash
  }

  /// The hash of two strings together.
  static func hash(_ left: UInt64, _ right: UInt64, rightCount: Int) -> UInt64 {
    var hash = left
    var count = rightCount
    while count > 64 { (hash, count) = (hash &* powers[64], count - 64) }
    return hash &* powers[count] &+ right
  }

  private static func mixed(_ hash: UInt64) -> UInt64 {
    let mixed = (hash ^ hash >> 32) &* 0x9E37_79B9_7F4A_7C15
    return mixed ^ mixed >> 29
  }

  private mutating func place(_ hash: UInt64, _ position: Int) {
    let mixed = Self.mixed(hash)
    var slot = Int(mixed >> slotShift)
    while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
    slots[slot] = mixed << 32 | UInt64(position + 1)
  }

  private mutating func grow() {
    slots = [UInt64](repeating: 0, count: slots.count * 2)
    slotShift -= 1
    for position in entries.indices {
      place(unsafe token(position).withUnsafeBytes { unsafe Self.hash($0) }, position)
    }
  }
}

extension UnsafeRawBufferPointer {
  fileprivate func isEqual(to other: UnsafeRawBufferPointer) -> Bool {
    guard count == other.count else { return false }
    guard count > 0, let one = baseAddress, let two = other.baseAddress else { return true }
    return unsafe memcmp(one, two, count) == 0
  }
}

extension TokenTable {
  /// The tokens by id.
  ///
  /// - Throws: `damaged` when two have the same id, `unsupported` when an id is too large.
  func vocabulary(_ field: String) throws(KistError) -> Vocabulary {
    var order = Array(0..<count)
    let isSorted = zip(order, order.dropFirst()).allSatisfy { id($0) < id($1) }
    if !isSorted { order.sort { id($0) < id($1) } }
    for (one, other) in zip(order, order.dropFirst()) where id(one) == id(other) {
      throw KistError(.damaged, field: field, "'\(name(one))' and '\(name(other))' both have id \(id(one))")
    }
    if let last = order.last, id(last) > Self.maximumID {
      throw KistError(
        .unsupported, field: field, "'\(name(last))' has id \(id(last))",
        advice: "ids up to \(Self.maximumID) are read")
    }
    return Vocabulary(tokens: order.map { Vocabulary.Token(bytes: Array(token($0)), id: id($0)) })
  }
}
