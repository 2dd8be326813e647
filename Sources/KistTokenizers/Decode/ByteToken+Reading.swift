extension ByteToken {
  /// The byte of `<0x..>`: hexadecimal digits of either case, and, as Rust reads numbers, a plus and one digit.
  package static func byte(of token: [UInt8]) -> UInt8? {
    guard token.count == 6, token.starts(with: Array("<0x".utf8)), token[5] == UInt8(ascii: ">") else { return nil }
    let low = hexadecimalDigit(token[4])
    if token[3] == UInt8(ascii: "+") { return low }
    guard let high = hexadecimalDigit(token[3]), let low else { return nil }
    return high << 4 | low
  }

  private static func hexadecimalDigit(_ character: UInt8) -> UInt8? {
    switch character {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0")
    case UInt8(ascii: "A")...UInt8(ascii: "F"): character - UInt8(ascii: "A") + 10
    case UInt8(ascii: "a")...UInt8(ascii: "f"): character - UInt8(ascii: "a") + 10
    default: nil
    }
  }
}
