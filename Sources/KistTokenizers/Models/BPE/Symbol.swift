/// Symbols are ids, and in SentencePiece's models two things more.
enum Symbol {
  /// A character that is not in the vocabulary: its scalar, or, in a broken encoding, a byte.
  static let unknown: UInt32 = 0x8000_0000
  static let brokenByte: UInt32 = 0x0020_0000
  /// A user-defined piece: an id that does not merge.
  static let frozen: UInt32 = 0x4000_0000

  /// The bytes of an unknown character.
  static func bytes(ofUnknown symbol: UInt32) -> [UInt8] {
    let value = symbol & ~unknown
    if value & brokenByte != 0 { return [UInt8(truncatingIfNeeded: value)] }
    return Unicode.Scalar(value).map { Array(UTF8.encode($0) ?? UTF8.encodedReplacementCharacter) } ?? []
  }
}

/// One character of UTF-8 text.
struct UTF8Unit {
  /// A scalar, or ``Symbol/brokenByte`` and a byte.
  var value: UInt32
  var byteCount: Int

  /// - Parameter value: A byte.
  @inline(__always)
  init(byte value: UInt32) { (self.value, byteCount) = (value, 1) }

  /// The character at an offset within the text.
  @inline(__always)
  init(_ text: UnsafeRawBufferPointer, at offset: Int) {
    let first = unsafe UInt32(text[offset])
    self.init(byte: first < 0x80 ? first : first | Symbol.brokenByte)
    let count = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2
    guard first >= 0xC2, first <= 0xF4, offset &+ count <= text.count else { return }
    var scalar = first & (0x7F &>> UInt32(count))
    for index in 1..<count {
      let byte = unsafe UInt32(text[offset &+ index])
      guard byte & 0xC0 == 0x80 else { return }
      scalar = scalar &<< 6 | byte & 0x3F
    }
    if scalar <= 0x10FFFF { (value, byteCount) = (scalar, count) }
  }
}
