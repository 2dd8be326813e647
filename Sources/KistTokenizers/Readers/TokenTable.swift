import KistCore

/// The tokens of a vocabulary that is being read, by their bytes: an open-addressed table, so that half a million merges are looked up in
/// a fraction of a second.
///
/// The bytes of all tokens lie one after the other. A slot holds the upper half of a token's hash and its position plus one; 0 is free.
@safe struct TokenTable {
  private(set) var ids: [UInt32] = []
  private var bytes: [UInt8] = []
  private var starts: [Int] = [0]
  private var slots: [UInt64]
  /// Differs from run to run, so that no file can be made whose tokens all fall into one slot. No result depends on it.
  private let seed = UInt64.random(in: 0 ... .max)

  /// Ids up to here are read: tables are laid out by id, and a file of a few bytes must not ask for gigabytes.
  static let maximumID: UInt32 = 1 << 24

  /// - Parameter count: How many tokens there will be; more are taken, too.
  init(count: Int) {
    slots = [UInt64](repeating: 0, count: Self.slotCount(min(count, 1 << 20)))
    ids.reserveCapacity(count)
    starts.reserveCapacity(count + 1)
  }

  private static func slotCount(_ count: Int) -> Int {
    var slots = 64
    while slots < 2 * count { slots *= 2 }
    return slots
  }

  var count: Int { ids.count }

  func token(_ position: Int) -> ArraySlice<UInt8> { bytes[starts[position]..<starts[position + 1]] }

  func name(_ position: Int) -> String { String(decoding: token(position), as: UTF8.self) }

  /// The id of a token; nil when there is no such token.
  func id(of token: [UInt8]) -> UInt32? {
    unsafe token.withUnsafeBytes { token in unsafe find(token, UnsafeRawBufferPointer(start: nil, count: 0)) }
      .map { ids[$0] }
  }

  /// Adds a token.
  ///
  /// - Returns: The position of the token that has these bytes already; it stays as it is.
  @unsafe mutating func insert(_ token: UnsafeRawBufferPointer, id: UInt32) -> Int? {
    if 2 * (count + 1) > slots.count { grow() }
    let hash = unsafe Self.hash(token, seed)
    var slot = Self.slot(hash, slots.count)
    while slots[slot] != 0 {
      let position = Int(slots[slot] & 0xFFFF_FFFF) - 1
      if slots[slot] >> 32 == hash >> 32, unsafe matches(position, token, UnsafeRawBufferPointer(start: nil, count: 0))
      {
        return position
      }
      slot = (slot + 1) & (slots.count - 1)
    }
    ids.append(id)
    unsafe bytes.append(contentsOf: token)
    starts.append(bytes.count)
    slots[slot] = (hash & ~0xFFFF_FFFF) | UInt64(ids.count)
    return nil
  }

  mutating func insert(_ token: [UInt8], id: UInt32) -> Int? {
    unsafe token.withUnsafeBytes { unsafe insert($0, id: id) }
  }

  mutating func setID(_ position: Int, _ id: UInt32) { ids[position] = id }

  /// The position of the token that two strings of bytes make together.
  @unsafe func find(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Int? {
    let hash = unsafe Self.hash(right, Self.hash(left, seed))
    var slot = Self.slot(hash, slots.count)
    while slots[slot] != 0 {
      let position = Int(slots[slot] & 0xFFFF_FFFF) - 1
      if slots[slot] >> 32 == hash >> 32, unsafe matches(position, left, right) { return position }
      slot = (slot + 1) & (slots.count - 1)
    }
    return nil
  }

  private func matches(_ position: Int, _ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
    let start = starts[position]
    guard starts[position + 1] - start == left.count + right.count else { return false }
    for index in 0..<left.count where unsafe bytes[start + index] != left[index] { return false }
    let middle = start + left.count
    for index in 0..<right.count where unsafe bytes[middle + index] != right[index] { return false }
    return true
  }

  /// FNV-1a: it goes on where another string ended.
  private static func hash(_ token: UnsafeRawBufferPointer, _ seed: UInt64) -> UInt64 {
    var hash = seed
    for index in 0..<token.count { hash = unsafe (hash ^ UInt64(token[index])) &* 0x0000_0100_0000_01B3 }
    return hash
  }

  private static func slot(_ hash: UInt64, _ slotCount: Int) -> Int {
    let mixed = (hash ^ hash >> 32) &* 0x9E37_79B9_7F4A_7C15
    return Int(truncatingIfNeeded: mixed >> 32) & (slotCount - 1)
  }

  private mutating func grow() {
    slots = [UInt64](repeating: 0, count: slots.count * 2)
    for position in ids.indices {
      let hash = unsafe bytes.withUnsafeBytes { bytes in
        unsafe Self.hash(UnsafeRawBufferPointer(rebasing: bytes[starts[position]..<starts[position + 1]]), seed)
      }
      var slot = Self.slot(hash, slots.count)
      while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
      slots[slot] = (hash & ~0xFFFF_FFFF) | UInt64(position + 1)
    }
  }
}

extension TokenTable {
  /// The tokens by id.
  ///
  /// - Throws: `damaged` when two have the same id, `unsupported` when an id is too large.
  func vocabulary(_ field: String) throws(KistError) -> Vocabulary {
    var order = Array(0..<count)
    let isSorted = zip(ids, ids.dropFirst()).allSatisfy { $0 < $1 }
    if !isSorted { order.sort { ids[$0] < ids[$1] } }
    for (one, other) in zip(order, order.dropFirst()) where ids[one] == ids[other] {
      throw KistError(.damaged, field: field, "'\(name(one))' and '\(name(other))' both have id \(ids[one])")
    }
    if let last = order.last, ids[last] > Self.maximumID {
      throw KistError(
        .unsupported, field: field, "'\(name(last))' has id \(ids[last])",
        advice: "ids up to \(Self.maximumID) are read")
    }
    return Vocabulary(tokens: order.map { Vocabulary.Token(bytes: Array(token($0)), id: ids[$0]) })
  }
}
