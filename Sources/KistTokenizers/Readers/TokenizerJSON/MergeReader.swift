import KistCore

/// Reads merges, `["a b", …]` or `[["a", "b"], …]`, and looks their tokens up.
///
/// A lookup costs little but waiting for memory, so lookups are made for many merges at a time, on several threads: first all their places
/// in the table, then the tokens there.
@safe struct MergeReader {
  private let table: TokenTable
  /// How many bytes of a merge's right token do not become part of the merged one.
  private let prefixLength: Int
  /// How an error names the merge of an index.
  private let place: (Int) -> String
  private var merges: [BPEDefinition.Pair] = []
  /// Merges that wait to be looked up, and their indices in the file.
  private var waiting: [(left: UnsafeRawBufferPointer, right: UnsafeRawBufferPointer, index: Int)] = unsafe []

  private static let batchSize = 256
  /// Merges that are looked up on several threads.
  private static let windowSize = 128 * batchSize

  init(table: TokenTable, prefixLength: Int, place: @escaping (Int) -> String) {
    self.table = table
    self.prefixLength = prefixLength
    self.place = place
  }

  /// The merges of a model's field.
  static func read(_ fields: JSONFields, table: TokenTable, prefixLength: Int) throws(KistError) -> [BPEDefinition.Pair]
  {
    let value = try fields.required("merges")
    guard var elements = value.elementSequence else { throw fields.wrong("merges", "is not an array") }
    var reader = MergeReader(table: table, prefixLength: prefixLength) { fields.place("merges[\($0)]") }
    reader.merges.reserveCapacity(value.childCount)
    // The library reads a list of pairs, or else one of strings.
    var first = elements
    let isOfPairs = first.next()?.value.elementSequence != nil
    var index = 0
    if isOfPairs {
      try unsafe elements.forEachPair { (pair) throws(KistError) in
        guard let (left, right) = unsafe pair else { throw reader.wrong(index, "is not a pair of tokens") }
        try unsafe reader.add(left, right, index)
        index += 1
      }
      return try reader.finish()
    }
    while let (_, element) = unsafe elements.nextInPlace() {
      guard let line = unsafe element.utf8 else { throw reader.wrong(index, "is not a string") }
      try unsafe reader.add(line: line, index)
      index += 1
    }
    return try reader.finish()
  }

  /// The merges of a text, one a line. Source: tokenizers, `models/bpe/model.rs`, `read_file`.
  static func read(lines bytes: [UInt8], table: TokenTable) throws(KistError) -> [BPEDefinition.Pair] {
    let result = unsafe bytes.withUnsafeBytes { bytes -> Result<[BPEDefinition.Pair], KistError> in
      do throws(KistError) { return .success(try unsafe read(lines: bytes, table: table)) } catch {
        return .failure(error)
      }
    }
    return try result.get()
  }

  @unsafe private static func read(
    lines bytes: UnsafeRawBufferPointer, table: TokenTable
  ) throws(KistError) -> [BPEDefinition.Pair] {
    var reader = MergeReader(table: table, prefixLength: 0) { "line \($0)" }
    var (start, number) = (0, 1)
    while start < bytes.count {
      let end = unsafe bytes[start...].firstIndex(of: 0x0A) ?? bytes.count
      let isCRLF = unsafe end > start && end < bytes.count && bytes[end - 1] == 0x0D
      try unsafe reader.add(line: UnsafeRawBufferPointer(rebasing: bytes[start..<(isCRLF ? end - 1 : end)]), number)
      (start, number) = (end + 1, number + 1)
    }
    return try reader.finish()
  }

  private func wrong(_ index: Int, _ problem: String) -> KistError { KistError(.damaged, field: place(index), problem) }

  /// `left right`, or a line that tells a version. The bytes must live until ``finish()``.
  @unsafe private mutating func add(line: UnsafeRawBufferPointer, _ index: Int) throws(KistError) {
    guard unsafe !line.starts(with: "#version".utf8) else { return }
    guard let space = unsafe line.firstIndex(of: 0x20), unsafe !line[(space + 1)...].contains(0x20) else {
      let text = unsafe String(decoding: line, as: UTF8.self)
      throw wrong(index, "'\(text)' is not two tokens with one space between them")
    }
    try unsafe add(
      UnsafeRawBufferPointer(rebasing: line[..<space]), UnsafeRawBufferPointer(rebasing: line[(space + 1)...]), index)
  }

  /// The bytes must live until ``finish()``.
  @unsafe private mutating func add(
    _ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer, _ index: Int
  ) throws(KistError) {
    unsafe waiting.append((left, right, index))
    if unsafe waiting.count == Self.windowSize { try lookUp() }
  }

  /// Looks up those that wait.
  private mutating func lookUp() throws(KistError) {
    let batches = unsafe (waiting.count + Self.batchSize - 1) / Self.batchSize
    let reader = self
    var found: [BPEDefinition.Pair] = []
    var batch = 0
    try Parallelism().inOrder(
      next: { () throws(KistError) -> Int? in
        defer { batch += 1 }
        return batch < batches ? batch : nil
      },
      produce: { (batch) throws(KistError) in try reader.lookUp(batch) },
      consume: { (_, pairs) throws(KistError) in found += pairs })
    merges += found
    unsafe waiting.removeAll(keepingCapacity: true)
  }

  private func lookUp(_ batch: Int) throws(KistError) -> [BPEDefinition.Pair] {
    let range = unsafe batch * Self.batchSize..<min((batch + 1) * Self.batchSize, waiting.count)
    var hashes: [UInt64] = []
    hashes.reserveCapacity(3 * range.count)
    for number in range {
      let (left, right, _) = unsafe waiting[number]
      let (leftHash, rightHash) = unsafe (TokenTable.hash(left), TokenTable.hash(right))
      let rest = unsafe rest(right)
      let restHash = prefixLength == 0 ? rightHash : unsafe TokenTable.hash(rest)
      hashes.append(leftHash)
      hashes.append(rightHash)
      hashes.append(TokenTable.hash(leftHash, restHash, rightCount: rest.count))
    }
    let places = table.places(hashes)
    let nothing = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
    var pairs: [BPEDefinition.Pair] = []
    pairs.reserveCapacity(range.count)
    for number in range {
      let (left, right, index) = unsafe waiting[number]
      let key = 3 * (number - range.lowerBound)
      guard let leftID = unsafe id(left, nothing, hashes[key], places[key]) else {
        throw unsafe missing(left, nothing, index)
      }
      guard let rightID = unsafe id(right, nothing, hashes[key + 1], places[key + 1]) else {
        throw unsafe missing(right, nothing, index)
      }
      let rest = unsafe rest(right)
      guard prefixLength <= right.count, let mergedID = unsafe id(left, rest, hashes[key + 2], places[key + 2]) else {
        throw unsafe missing(left, rest, index)
      }
      pairs.append(BPEDefinition.Pair(left: leftID, right: rightID, merged: mergedID))
    }
    return pairs
  }

  @unsafe private func id(
    _ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer, _ hash: UInt64, _ place: Int32
  ) -> UInt32? {
    unsafe table.find(left, right, hash: hash, at: place).map { table.id($0) }
  }

  @unsafe private func rest(_ right: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    unsafe UnsafeRawBufferPointer(rebasing: right[min(prefixLength, right.count)...])
  }

  @unsafe private func missing(
    _ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer, _ index: Int
  ) -> KistError {
    let name = unsafe String(decoding: left, as: UTF8.self) + String(decoding: right, as: UTF8.self)
    return wrong(index, "needs '\(name)', which the vocabulary does not have")
  }

  private mutating func finish() throws(KistError) -> [BPEDefinition.Pair] {
    try lookUp()
    return Self.lastOfEach(merges)
  }

  /// Of merges of the same pair the library keeps the last.
  private static func lastOfEach(_ merges: [BPEDefinition.Pair]) -> [BPEDefinition.Pair] {
    var bitCount = 4
    while 1 << bitCount < 2 * merges.count { bitCount += 1 }
    let mask = 1 << bitCount - 1
    var slots = [UInt32](repeating: 0, count: mask + 1)
    var dropped: [Int] = []
    let seed = UInt64.random(in: 0 ... .max)
    for (position, merge) in merges.enumerated() {
      let key = UInt64(merge.left) << 32 | UInt64(merge.right)
      let hash = ((key ^ seed) &* 0x9E37_79B9_7F4A_7C15).byteSwapped &* 0xD6E8_FEB8_6659_FD93
      var slot = Int(truncatingIfNeeded: hash >> 32) & mask
      while slots[slot] != 0 {
        let other = Int(slots[slot]) - 1
        if merges[other].left == merge.left, merges[other].right == merge.right {
          dropped.append(other)
          break
        }
        slot = (slot + 1) & mask
      }
      slots[slot] = UInt32(position + 1)
    }
    guard !dropped.isEmpty else { return merges }
    let gone = Set(dropped)
    return merges.enumerated().filter { !gone.contains($0.offset) }.map(\.element)
  }
}
