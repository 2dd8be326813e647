/// GPT-2's alphabet of bytes: a printable scalar for each, itself where it is one. A space is `Ġ`.
///
/// Source: openai/gpt-2, `encoder.py`, `bytes_to_unicode`; tokenizers, `pre_tokenizers/byte_level.rs`.
package enum ByteAlphabet {
  /// The scalar that stands for a byte.
  package static func scalar(of byte: UInt8) -> Unicode.Scalar { scalars[Int(byte)] }

  /// The byte that a scalar stands for; nil when it stands for none.
  package static func byte(of scalar: UInt32) -> UInt8? {
    guard scalar < bytes.count else { return nil }
    return bytes[Int(scalar)]
  }

  private static func isPrintable(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x21...0x7E, 0xA1...0xAC, 0xAE...0xFF: true
    default: false
    }
  }

  /// The bytes that are not printable follow from U+0100 on, in their order.
  private static let scalars: [Unicode.Scalar] = {
    var next: UInt32 = 0x100
    return (UInt8.min...UInt8.max).map { byte in
      guard !isPrintable(byte), let scalar = Unicode.Scalar(next) else { return Unicode.Scalar(byte) }
      next += 1
      return scalar
    }
  }()

  private static let bytes: [UInt8?] = {
    var bytes = [UInt8?](repeating: nil, count: 0x100 + scalars.count { $0.value > 0xFF })
    for (byte, scalar) in scalars.enumerated() { bytes[Int(scalar.value)] = UInt8(byte) }
    return bytes
  }()
}
