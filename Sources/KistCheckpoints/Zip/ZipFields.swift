import KistCore

/// Little-endian fields of the records of a zip archive. Source: PKWARE's APPNOTE.TXT 6.3.10, sections 4.3 and 4.5.
enum ZipFields {
  static let localHeader: UInt32 = 0x0403_4B50
  static let centralHeader: UInt32 = 0x0201_4B50
  static let end: UInt32 = 0x0605_4B50
  static let zip64End: UInt32 = 0x0606_4B50
  static let zip64Locator: UInt32 = 0x0706_4B50

  static let localHeaderByteCount = 30
  static let centralHeaderByteCount = 46
  static let endByteCount = 22
  static let zip64EndByteCount = 56
  static let zip64LocatorByteCount = 20

  // Places are checked by the caller to lie in the file; a mistake there would trap, not read elsewhere.
  static func u16(_ file: RawSpan, _ at: Int) -> Int {
    Int(unsafe UInt16(littleEndian: file.unsafeLoadUnaligned(fromByteOffset: at, as: UInt16.self)))
  }

  static func u32(_ file: RawSpan, _ at: Int) -> UInt32 {
    unsafe UInt32(littleEndian: file.unsafeLoadUnaligned(fromByteOffset: at, as: UInt32.self))
  }

  static func u64(_ file: RawSpan, _ at: Int) -> UInt64 {
    unsafe UInt64(littleEndian: file.unsafeLoadUnaligned(fromByteOffset: at, as: UInt64.self))
  }

  /// Where the content of an extra field lies.
  ///
  /// - Parameters:
  ///   - id: The field's number; `0x0001` is zip64.
  ///   - extra: All extra fields of a header, inside the file.
  /// - Returns: nil when there is no such field. Fields that do not fit end the search: writers pad with anything.
  static func extraField(_ id: Int, in extra: Range<Int>, of file: RawSpan) -> Range<Int>? {
    var at = extra.lowerBound
    while at + 4 <= extra.upperBound {
      let (found, count) = (u16(file, at), u16(file, at + 2))
      guard at + 4 + count <= extra.upperBound else { return nil }
      if found == id { return at + 4..<at + 4 + count }
      at += 4 + count
    }
    return nil
  }
}
