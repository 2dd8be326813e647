extension ByteAlphabet {
  /// Bytes as the characters that stand for them.
  package static func spelling(of bytes: [UInt8]) -> [UInt8] {
    var text = ""
    for byte in bytes { text.unicodeScalars.append(scalar(of: byte)) }
    return Array(text.utf8)
  }

  /// The bytes that characters stand for; nil when one stands for none.
  package static func bytes(ofSpelling text: [UInt8]) -> [UInt8]? {
    unsafe text.withUnsafeBytes { text in
      var bytes: [UInt8] = []
      var offset = 0
      while offset < text.count {
        let unit = unsafe UTF8Unit(text, at: offset)
        guard let byte = byte(of: unit.value) else { return nil }
        bytes.append(byte)
        offset += unit.byteCount
      }
      return bytes
    }
  }
}
