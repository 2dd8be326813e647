import KistCore

/// Reads merges, `["a b", …]` or `[["a", "b"], …]`, and looks their tokens up.
struct MergeReader {
  let table: TokenTable
  /// How many bytes of a merge's right token do not become part of the merged one.
  let prefixLength: Int

  func read(_ fields: JSONFields) throws(KistError) -> [BPEDefinition.Pair] {
    let value = try fields.required("merges")
    guard var elements = value.elementSequence else { throw fields.wrong("merges", "is not an array") }
    var merges: [BPEDefinition.Pair] = []
    merges.reserveCapacity(value.childCount)
    // The library reads a list of pairs, or else one of strings.
    var first = elements
    let isOfPairs = first.next()?.value.elementSequence != nil
    var index = 0
    while let (_, element) = elements.next() {
      if isOfPairs {
        guard let (left, right) = unsafe element.stringPair else {
          throw fields.wrong("merges[\(index)]", "is not a pair of tokens")
        }
        merges.append(try unsafe pair(left, right, "\(fields.place("merges"))[\(index)]"))
      } else {
        guard let line = unsafe element.utf8 else { throw fields.wrong("merges[\(index)]", "is not a string") }
        if let merge = try unsafe pair(line, "\(fields.place("merges"))[\(index)]") { merges.append(merge) }
      }
      index += 1
    }
    return Self.lastOfEach(merges)
  }

  /// `left right`; nil for the line that tells a version.
  @unsafe func pair(
    _ line: UnsafeRawBufferPointer, _ place: @autoclosure () -> String
  ) throws(KistError) -> BPEDefinition.Pair? {
    guard unsafe !line.starts(with: "#version".utf8) else { return nil }
    guard let space = unsafe line.firstIndex(of: 0x20), unsafe !line[(space + 1)...].contains(0x20) else {
      throw KistError(
        .damaged, field: place(),
        unsafe "'\(String(decoding: line, as: UTF8.self))' is not two tokens with one space between them")
    }
    return try unsafe pair(
      UnsafeRawBufferPointer(rebasing: line[..<space]), UnsafeRawBufferPointer(rebasing: line[(space + 1)...]), place())
  }

  func pair(_ line: [UInt8], _ place: @autoclosure () -> String) throws(KistError) -> BPEDefinition.Pair? {
    let result = unsafe line.withUnsafeBytes { line -> Result<BPEDefinition.Pair?, KistError> in
      do throws(KistError) { return .success(try unsafe pair(line, place())) } catch { return .failure(error) }
    }
    return try result.get()
  }

  /// The merge of two tokens. `place` is only asked for when it fails.
  @unsafe private func pair(
    _ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer, _ place: @autoclosure () -> String
  ) throws(KistError) -> BPEDefinition.Pair {
    let nothing = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
    guard let leftPosition = unsafe table.find(left, nothing) else { throw unsafe missing(left, nothing, place()) }
    guard let rightPosition = unsafe table.find(right, nothing) else { throw unsafe missing(right, nothing, place()) }
    let rest = unsafe UnsafeRawBufferPointer(rebasing: right[min(prefixLength, right.count)...])
    guard prefixLength <= right.count, let merged = unsafe table.find(left, rest) else {
      throw unsafe missing(left, rest, place())
    }
    return BPEDefinition.Pair(left: table.ids[leftPosition], right: table.ids[rightPosition], merged: table.ids[merged])
  }

  private func missing(
    _ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer, _ place: String
  ) -> KistError {
    let name = unsafe String(decoding: left, as: UTF8.self) + String(decoding: right, as: UTF8.self)
    return KistError(.damaged, field: place, "needs '\(name)', which the vocabulary does not have")
  }

  /// Of merges of the same pair the library keeps the last.
  static func lastOfEach(_ merges: [BPEDefinition.Pair]) -> [BPEDefinition.Pair] {
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
