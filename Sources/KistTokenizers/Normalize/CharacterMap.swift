import CKernels
import KistCore

/// SentencePiece's compiled character map: a double-array trie from strings to places in a text of replacements, each ended by a NUL.
///
/// ```
/// u32 byte count of the trie   u32 units…   replacements, as NUL-ended UTF-8
/// ```
///
/// Every step through the trie is bounds-checked: a map that contradicts itself finds nothing, or too little.
/// Source: sentencepiece, `normalizer.cc`, `DecodePrecompiledCharsMap`; darts-clone, `darts.h`, `DoubleArrayUnit`.
package struct CharacterMap: Sendable {
  private let units: [UInt32]
  private let replacements: [UInt8]
  /// Bits of ASCII bytes that stay whatever ASCII byte follows.
  private let plainASCII: (UInt64, UInt64)
  private let beginnings: KeyBeginnings

  /// - Throws: `damaged` when the trie does not fit, or the replacements are not UTF-8 ended by a NUL.
  package init(_ charsmap: [UInt8]) throws(KistError) {
    let size = charsmap.prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
    guard charsmap.count > 4, size >= 4, size % 4 == 0, size < charsmap.count - 4 else { throw Self.damage("its trie") }
    let replacements = [UInt8](charsmap[(4 + size)...])
    guard replacements.last == 0, UTF8Check.isValid(replacements) else { throw Self.damage("its replacements") }
    let units = unsafe charsmap.withUnsafeBytes { bytes in
      unsafe [UInt32](unsafeUninitializedCapacity: size / 4) { units, count in
        unsafe UnsafeMutableRawBufferPointer(units).copyMemory(
          from: UnsafeRawBufferPointer(rebasing: bytes[4..<4 + size]))
        count = size / 4
        for index in 0..<count { unsafe units[index] = UInt32(littleEndian: units[index]) }
      }
    }
    self.units = units
    self.replacements = replacements
    plainASCII = Self.plainASCII(units)
    beginnings = KeyBeginnings(root: Node(units)) { node, byte in
      var next = node
      return next.step(byte, in: units) ? (next, next.hasLeaf) : nil
    }
  }

  private static func damage(_ part: String) -> KistError {
    KistError(
      .damaged, field: "precompiled_charsmap", "contradicts its format: \(part)",
      advice: "the file was damaged; get it again")
  }

  /// Whether a byte stays when another ASCII byte follows: no key begins with both, nor is it one.
  @inline(__always)
  func isPlain(ascii: UInt8) -> Bool {
    let word = ascii < 64 ? plainASCII.0 : plainASCII.1
    return word >> (ascii & 63) & 1 == 1
  }

  /// Where text stops staying as it is: before the first key from a place on, or at its end.
  package func endOfKept(in text: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
    unsafe kist_plain_end(
      text.baseAddress, text.count, start, units, units.count, plainASCII.0, plainASCII.1, beginnings.words)
  }

  /// The plain twin of ``endOfKept(in:from:)``.
  package func plainEndOfKept(in text: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
    var position = start
    while position < text.count {
      let isKept = unsafe UTF8Walk.isLoneASCII(text, at: position) && isPlain(ascii: text[position])
      if unsafe !isKept && longestMatch(text, at: position) != nil { return position }
      unsafe position += UTF8Walk.scalar(in: text, at: position).length
    }
    return text.count
  }

  private static func plainASCII(_ units: [UInt32]) -> (UInt64, UInt64) {
    var words: (UInt64, UInt64) = (0, 0)
    let root = Node(units)
    for byte in UInt8(0)..<128 {
      var node = root
      let isKey =
        node.step(byte, in: units)
        && (node.hasLeaf
          || (UInt8(0)..<128).contains { continuation in
            var next = node
            return next.step(continuation, in: units)
          })
      guard !isKey else { continue }
      if byte < 64 { words.0 |= 1 << UInt64(byte) } else { words.1 |= 1 << UInt64(byte - 64) }
    }
    return words
  }

  /// The longest key that a text has at a place, and what it becomes.
  func longestMatch(_ text: UnsafeBufferPointer<UInt8>, at start: Int) -> (length: Int, replacement: Range<Int>)? {
    var node = Node(units)
    var (offset, found): (Int, (length: Int, value: Int)?) = (start, nil)
    while offset < text.count, unsafe node.step(text[offset], in: units) {
      offset += 1
      if node.hasLeaf { found = (offset - start, node.value(in: units)) }
    }
    return found.map { ($0.length, replacement(at: $0.value)) }
  }

  /// What the shortest key becomes that a range of a text begins with; nil when none. A NUL ends the text.
  ///
  /// Source: spm_precompiled 0.1.4, `Precompiled::transform`.
  func shortestMatch(_ text: UnsafeBufferPointer<UInt8>, in range: Range<Int>) -> Range<Int>? {
    var node = Node(units)
    for offset in range {
      guard unsafe text[offset] != 0, unsafe node.step(text[offset], in: units) else { return nil }
      if node.hasLeaf { return replacement(at: node.value(in: units)) }
    }
    return nil
  }

  /// The bytes of a replacement, up to its NUL.
  func bytes(_ replacement: Range<Int>) -> ArraySlice<UInt8> { replacements[replacement] }

  private func replacement(at start: Int) -> Range<Int> {
    guard start < replacements.count else { return 0..<0 }
    return start..<(replacements[start...].firstIndex(of: 0) ?? replacements.count)
  }
}

/// A place in a double array. A unit's bits: 0 to 7 the label, 8 whether a value follows, 9 a wider offset, 10 up the offset; a value has bit 31.
private struct Node {
  private var position: Int
  private(set) var hasLeaf = false

  init(_ units: [UInt32]) { position = Self.offset(of: units[0]) }

  /// Goes down by a byte, if there is a way.
  @inline(__always)
  mutating func step(_ byte: UInt8, in units: [UInt32]) -> Bool {
    let child = position ^ Int(byte)
    guard child < units.count, units[child] & 0x8000_00FF == UInt32(byte) else { return false }
    position = child ^ Self.offset(of: units[child])
    hasLeaf = units[child] >> 8 & 1 == 1
    return true
  }

  func value(in units: [UInt32]) -> Int { position < units.count ? Int(units[position] & 0x7FFF_FFFF) : .max }

  @inline(__always)
  private static func offset(of unit: UInt32) -> Int { Int(unit >> 10) << Int((unit & 1 << 9) >> 6) }
}
