/// Steps through UTF-8. Text is valid when it comes here; where it is not, a stray byte counts as U+FFFD, and nothing outside is read.
enum UTF8Walk {
  /// The scalar at a position within the text, and how many bytes it has.
  @inline(__always)
  static func scalar(in text: UnsafeBufferPointer<UInt8>, at position: Int) -> (scalar: UInt32, length: Int) {
    let lead = unsafe UInt32(text[position])
    if lead < 0x80 { return (lead, 1) }
    let available = text.count &- position
    if lead >= 0xC2, lead < 0xE0, available > 1 {
      let (second, isValid) = unsafe continuation(text, position &+ 1)
      if isValid { return ((lead & 0x1F) &<< 6 | second, 2) }
    } else if lead >= 0xE0, lead < 0xF0, available > 2 {
      let (second, isSecond) = unsafe continuation(text, position &+ 1)
      let (third, isThird) = unsafe continuation(text, position &+ 2)
      let scalar = (lead & 0x0F) &<< 12 | second &<< 6 | third
      if isSecond, isThird, scalar >= 0x800, scalar &>> 11 != 0x1B { return (scalar, 3) }
    } else if lead >= 0xF0, lead < 0xF5, available > 3 {
      let (second, isSecond) = unsafe continuation(text, position &+ 1)
      let (third, isThird) = unsafe continuation(text, position &+ 2)
      let (fourth, isFourth) = unsafe continuation(text, position &+ 3)
      let scalar = (lead & 0x07) &<< 18 | second &<< 12 | third &<< 6 | fourth
      if isSecond, isThird, isFourth, scalar >= 0x10000, scalar < 0x110000 { return (scalar, 4) }
    }
    return (0xFFFD, 1)
  }

  @inline(__always)
  private static func continuation(_ text: UnsafeBufferPointer<UInt8>, _ position: Int) -> (UInt32, Bool) {
    let byte = unsafe text[position]
    return (UInt32(byte & 0x3F), byte & 0xC0 == 0x80)
  }
}

extension UnsafeBufferPointer<UInt8> {
  /// Where the ASCII bytes end that begin at a position. Looks at eight at a time.
  func endOfASCII(from start: Int) -> Int {
    let bytes = UnsafeRawBufferPointer(self)
    var offset = start
    while offset + 8 <= bytes.count {
      let word = unsafe UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
      let high = word & 0x8080_8080_8080_8080
      if high != 0 { return offset + high.trailingZeroBitCount / 8 }
      offset += 8
    }
    while offset < bytes.count, unsafe bytes[offset] < 0x80 { offset += 1 }
    return offset
  }
}
