import CKernels
import KistCore

/// A part of a text: an added token, or what lies between.
package struct Segment: Sendable, Equatable {
  /// Of an added token, with the white space that it takes along.
  package var range: Range<Int>
  package var id: UInt32?

  package init(range: Range<Int>, id: UInt32?) {
    self.range = range
    self.id = id
  }
}

/// Finds added tokens in one text: the leftmost, and of those the longest.
package struct AddedTokenFinder: Sendable {
  let trie: DoubleArray
  let table: AddedTokenTable
  let beginnings: ByteScan
  /// Whether longer tokens are looked for first, in the whole text.
  private let prefersLonger: Bool

  init(_ trie: DoubleArray, _ table: AddedTokenTable) {
    self.trie = trie
    self.table = table
    prefersLonger = table.count > 0 && table.flags(at: 0).contains(.yieldsToLonger)
    beginnings = ByteScan((UInt8.min...UInt8.max).filter { trie.child(of: trie.root, $0).exists })
  }

  /// Whether there is nothing to find.
  package var isEmpty: Bool { beginnings.isEmpty }

  /// A text in parts, in order, none of them without both bytes and id; none for the empty text.
  ///
  /// - Parameter parsesSpecial: Whether special tokens are found. Where they are not, their content is text, but no
  ///   other token is found within it (tokenizers' `encode_special_tokens`).
  /// - Throws: As ``appendSegments(of:parsesSpecial:to:)``.
  package func segments(of text: UnsafeRawBufferPointer, parsesSpecial: Bool) throws(KistError) -> [Segment] {
    var segments: [Segment] = []
    unsafe try appendSegments(of: text, parsesSpecial: parsesSpecial, to: &segments)
    return segments
  }

  /// The same, appended to a list.
  ///
  /// - Throws: `invalid` where a token that takes the white space before it along lies within what the one before took.
  /// - Complexity: linear in the text where no token can begin, several GB/s; elsewhere, bounded by the longest token.
  package func appendSegments(
    of text: UnsafeRawBufferPointer, parsesSpecial: Bool, to segments: inout [Segment]
  ) throws(KistError) {
    guard !prefersLonger else {
      return unsafe appendLongerFirst(of: text, parsesSpecial: parsesSpecial, to: &segments)
    }
    var position = 0
    var textStart = 0
    var spaces = 0..<0
    while true {
      position = unsafe beginnings.next(in: text, from: position)
      guard position < text.count else { break }
      guard
        let match = unsafe trie.longestMatch(
          in: text, from: position, startingAt: trie.root, atMost: DoubleArrayBuilder.maximumKeyByteCount)
      else {
        position += 1
        continue
      }
      let found = position..<match.end
      position = match.end
      let flags = table.flags(at: Int(match.value))
      if flags.contains(.isSpecial), !parsesSpecial { continue }
      if flags.contains(.singleWord), unsafe TextBoundary.isWithinWord(found, in: text) { continue }
      var (start, end) = (found.lowerBound, found.upperBound)
      if flags.contains(.stripsLeft) {
        let isASCII = flags.contains(.stripsASCIISpaceOnly)
        start = unsafe max(
          textStart, TextBoundary.startOfSpace(before: start, in: text, notBefore: textStart, isASCII: isASCII))
      }
      if flags.contains(.stripsRight) {
        if !(spaces.lowerBound <= end && end < spaces.upperBound) {
          let isASCII = flags.contains(.stripsASCIISpaceOnly)
          spaces = unsafe end..<TextBoundary.endOfSpace(after: end, in: text, isASCII: isASCII)
        }
        end = spaces.upperBound
      }
      if textStart < start { segments.append(Segment(range: textStart..<start, id: nil)) }
      guard start <= end else { throw Self.overlap }
      // What lies within the white space that the token before took along is gone.
      if start < end { segments.append(Segment(range: start..<end, id: table.id(at: Int(match.value)))) }
      textStart = end
    }
    if textStart < text.count { segments.append(Segment(range: textStart..<text.count, id: nil)) }
  }

  private static var overlap: KistError {
    KistError(
      .invalid, field: "text", "has an added token within the white space that the one before it takes along",
      advice: "tokenizers fails here too")
  }
}

/// Skips to the next byte of a set.
struct ByteScan: Sendable {
  /// Each byte of a small set eight times; empty when there are more.
  private let patterns: [UInt64]
  private var isMember = [Bool](repeating: false, count: 256)
  /// The byte of a set of one.
  private let sole: UInt8?
  let isEmpty: Bool

  init(_ bytes: [UInt8]) {
    isEmpty = bytes.isEmpty
    sole = bytes.count == 1 ? bytes.first : nil
    patterns = bytes.count <= 4 ? bytes.map { UInt64($0) &* Self.ones } : []
    for byte in bytes { isMember[Int(byte)] = true }
  }

  private static let ones: UInt64 = 0x0101_0101_0101_0101

  /// The place of the next byte of the set; the end of the text when there is none.
  func next(in text: UnsafeRawBufferPointer, from start: Int) -> Int {
    guard !isEmpty else { return text.count }
    if let sole { return unsafe Self.next(sole, in: text, from: start) }
    var position = start
    if let first = patterns.first {
      // Bytes equal to a pattern become zeros, and the lowest zero byte is found exactly.
      let (second, third) = (patterns.count > 1 ? patterns[1] : first, patterns.count > 2 ? patterns[2] : first)
      let fourth = patterns.count > 3 ? patterns[3] : first
      while position &+ 8 <= text.count {
        let word = UInt64(littleEndian: unsafe text.loadUnaligned(fromByteOffset: position, as: UInt64.self))
        let hits =
          Self.zeros(word ^ first) | Self.zeros(word ^ second) | Self.zeros(word ^ third) | Self.zeros(word ^ fourth)
        if hits != 0 { return position &+ hits.trailingZeroBitCount >> 3 }
        position &+= 8
      }
    }
    while position < text.count, unsafe !isMember[Int(text[position])] { position &+= 1 }
    return position
  }

  private static func next(_ byte: UInt8, in text: UnsafeRawBufferPointer, from start: Int) -> Int {
    guard start < text.count, let base = text.baseAddress else { return text.count }
    guard let found = unsafe kist_find_byte(base + start, byte, text.count - start) else { return text.count }
    return unsafe base.distance(to: found)
  }

  /// The high bit of each zero byte; above the lowest of them also of bytes of one.
  @inline(__always)
  private static func zeros(_ word: UInt64) -> UInt64 { (word &- ones) & ~word & (ones << 7) }
}
