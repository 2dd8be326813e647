import CKernels

/// Where a text may be cut at `▁` without changing its segmentation: where no piece of the vocabulary can lie across
/// the cut.
///
/// A piece across a cut before `▁` has the byte before it and `▁` side by side, and one across a cut after `▁` has `▁`
/// and the byte after it. So the bytes that stand so in any piece are all there is to know. Most vocabularies have none
/// before `▁`: each word is on its own.
struct SpaceBoundaries: Sendable {
  private var before = [Bool](repeating: false, count: 256)
  private var after = [Bool](repeating: false, count: 256)

  static let space: (UInt8, UInt8, UInt8) = (0xE2, 0x96, 0x81)

  init(pieces: [[UInt8]]) {
    for piece in pieces { note(piece) }
  }

  private mutating func note(_ piece: [UInt8]) {
    guard String(validating: piece, as: UTF8.self) != nil else {
      // Its ends may lie within a ▁.
      before = [Bool](repeating: true, count: 256)
      after = before
      return
    }
    for index in piece.indices.dropLast(2) where (piece[index], piece[index + 1], piece[index + 2]) == Self.space {
      if index > 0 { before[Int(piece[index - 1])] = true }
      if index + 3 < piece.count { after[Int(piece[index + 3])] = true }
    }
  }

  /// From eight words, as ``words`` gives them.
  init(words: [UInt64]) {
    for byte in 0..<256 {
      before[byte] = words[byte >> 6] >> UInt64(byte & 63) & 1 != 0
      after[byte] = words[4 + (byte >> 6)] >> UInt64(byte & 63) & 1 != 0
    }
  }

  var words: [UInt64] {
    var words = [UInt64](repeating: 0, count: 8)
    for byte in 0..<256 {
      if before[byte] { words[byte >> 6] |= 1 << UInt64(byte & 63) }
      if after[byte] { words[4 + (byte >> 6)] |= 1 << UInt64(byte & 63) }
    }
    return words
  }

  /// Writes the cuts from a place on, which is one itself, and gives how many there are; the end of the text is the last.
  @unsafe func ends(
    in text: UnsafeRawBufferPointer, from start: Int, into ends: UnsafeMutableBufferPointer<Int>
  ) -> Int {
    guard !before.contains(true), let base = text.baseAddress, let to = ends.baseAddress else {
      unsafe ends[0] = next(after: start, in: text)
      return 1
    }
    return unsafe kist_marker_ends(base.assumingMemoryBound(to: UInt8.self), text.count, start, to, ends.count)
  }

  /// The next cut after `start`, which is one itself; the end of the text when there is none.
  @inline(__always)
  func next(after start: Int, in text: UnsafeRawBufferPointer) -> Int {
    var index = start
    while index &+ 2 < text.count {
      guard unsafe text[index] == Self.space.0, unsafe text[index &+ 1] == Self.space.1,
        unsafe text[index &+ 2] == Self.space.2
      else {
        index &+= 1
        continue
      }
      if index > start, unsafe !before[Int(text[index &- 1])] { return index }
      index &+= 3
      if index < text.count, unsafe !after[Int(text[index])] { return index }
    }
    return text.count
  }
}
