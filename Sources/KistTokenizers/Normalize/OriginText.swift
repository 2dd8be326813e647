/// Text on its way through normalizers, and how much of its beginning comes from the first character of the original.
///
/// tokenizers keeps an offset into the original for each byte; all that ids depend on is whether the first byte's is 0.
struct OriginText: Sendable {
  /// Valid UTF-8.
  private(set) var bytes: [UInt8]
  /// How many bytes from the beginning stand for the first character of the original: whole scalars.
  private(set) var originCount: Int

  init(_ text: NormalizedText) {
    bytes = text.bytes
    originCount = 0
    if text.beginsAtOrigin { originCount = boundary(atOrAfter: 1) }
  }

  private init(bytes: [UInt8]) {
    self.bytes = bytes
    originCount = bytes.count
  }

  var normalized: NormalizedText { NormalizedText(bytes: bytes, beginsAtOrigin: originCount > 0 || bytes.isEmpty) }

  /// The first end of a scalar at or after an offset; the end of the text when there is none.
  private func boundary(atOrAfter offset: Int) -> Int {
    var offset = min(offset, bytes.count)
    while offset < bytes.count, bytes[offset] & 0xC0 == 0x80 { offset += 1 }
    return offset
  }

  /// Takes new bytes, of which some stand for the first character of the original.
  mutating func replace(with newBytes: [UInt8], originCount newCount: Int) {
    bytes = newBytes
    originCount = boundary(atOrAfter: newCount)
  }

  /// Takes new bytes that a function makes of the old ones, without looking far: what it makes of the beginning alone tells how much
  /// of the new bytes stands for it.
  mutating func transform(_ function: (_ text: borrowing [UInt8]) -> [UInt8]?) {
    guard let new = function(bytes) else { return }
    let count =
      originCount == 0 ? 0 : (function([UInt8](bytes[..<originCount])) ?? [UInt8](bytes[..<originCount])).count
    replace(with: new, originCount: count)
  }

  /// Changes ASCII bytes to other ASCII bytes.
  mutating func mapASCII(_ function: (UInt8) -> UInt8) {
    for index in bytes.indices where bytes[index] < 0x80 { bytes[index] = function(bytes[index]) }
  }

  /// Puts text before a text that is not empty. Source: tokenizers, `NormalizedString::prepend`.
  mutating func prepend(_ content: [UInt8]) {
    guard !bytes.isEmpty else { return }
    // With nothing to put there, the reference inserts the first character anew, at the origin.
    let begins = originCount > 0 || content.isEmpty
    bytes.insert(contentsOf: content, at: 0)
    originCount = begins ? boundary(atOrAfter: content.count + max(originCount, 1)) : 0
  }

  /// Removes white space at the ends.
  mutating func strip(left: Bool, right: Bool) {
    let (start, end) = unsafe bytes.withUnsafeBufferPointer { unsafe Self.stripped($0, left: left, right: right) }
    bytes.removeSubrange(end...)
    bytes.removeSubrange(..<start)
    originCount = max(0, min(originCount, end) - start)
  }

  private static func stripped(_ text: UnsafeBufferPointer<UInt8>, left: Bool, right: Bool) -> (start: Int, end: Int) {
    var (start, end) = (0, text.count)
    while left, start < end {
      let (scalar, length) = unsafe UTF8Walk.scalar(in: text, at: start)
      guard UnicodeTable.isWhiteSpace(scalar) else { break }
      start += length
    }
    while right, end > start {
      var last = end - 1
      while last > start, unsafe text[last] & 0xC0 == 0x80 { last -= 1 }
      guard UnicodeTable.isWhiteSpace(unsafe UTF8Walk.scalar(in: text, at: last).scalar) else { break }
      end = last
    }
    return (start, end)
  }
}

extension [UInt8] {
  /// Appends a scalar in UTF-8.
  @inline(__always)
  mutating func append(scalar: UInt32) {
    switch scalar {
    case 0..<0x80:
      append(UInt8(truncatingIfNeeded: scalar))
    case 0x80..<0x800:
      append(UInt8(truncatingIfNeeded: 0xC0 | scalar >> 6))
      append(UInt8(truncatingIfNeeded: 0x80 | scalar & 0x3F))
    case 0x800..<0x10000:
      append(UInt8(truncatingIfNeeded: 0xE0 | scalar >> 12))
      append(UInt8(truncatingIfNeeded: 0x80 | scalar >> 6 & 0x3F))
      append(UInt8(truncatingIfNeeded: 0x80 | scalar & 0x3F))
    default:
      append(UInt8(truncatingIfNeeded: 0xF0 | scalar >> 18 & 0x07))
      append(UInt8(truncatingIfNeeded: 0x80 | scalar >> 12 & 0x3F))
      append(UInt8(truncatingIfNeeded: 0x80 | scalar >> 6 & 0x3F))
      append(UInt8(truncatingIfNeeded: 0x80 | scalar & 0x3F))
    }
  }
}
