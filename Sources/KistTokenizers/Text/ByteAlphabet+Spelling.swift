extension ByteAlphabet {
  /// Bytes as the characters that stand for them.
  package static func spelling(of bytes: [UInt8]) -> [UInt8] {
    var text = ""
    for byte in bytes { text.unicodeScalars.append(scalar(of: byte)) }
    return Array(text.utf8)
  }

  /// The bytes that characters stand for; nil when one stands for none.
  package static func bytes(ofSpelling text: [UInt8]) -> [UInt8]? {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count)
    for scalar in String(decoding: text, as: UTF8.self).unicodeScalars {
      guard let byte = byte(of: scalar.value) else { return nil }
      bytes.append(byte)
    }
    return bytes
  }
}
