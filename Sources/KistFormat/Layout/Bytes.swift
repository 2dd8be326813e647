import KistCore

// Little-endian fields of a record. The caller has checked that the record is whole; a wrong offset here is a bug and
// stops at the span's own bounds check.
extension RawSpan {
  package func u8(_ offset: Int) -> UInt8 { unsafe unsafeLoad(fromByteOffset: offset, as: UInt8.self) }
  package func u16(_ offset: Int) -> UInt16 { UInt16(littleEndian: load(offset)) }
  package func u32(_ offset: Int) -> UInt32 { UInt32(littleEndian: load(offset)) }
  package func u64(_ offset: Int) -> UInt64 { UInt64(littleEndian: load(offset)) }

  @inline(__always)
  private func load<Number: FixedWidthInteger & BitwiseCopyable>(_ offset: Int) -> Number {
    unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: Number.self)
  }

  /// A number that has to fit an Int to be of any use; too large ones become Int.max, which no check lets pass.
  package func size(_ offset: Int) -> Int { Int(exactly: u64(offset)) ?? .max }

  package func sha256(_ offset: Int) -> Digest {
    Digest(words: (u64(offset), u64(offset + 8), u64(offset + 16), u64(offset + 24)))
  }

  package func isZero(_ range: Range<Int>) -> Bool {
    for offset in range where u8(offset) != 0 { return false }
    return true
  }
}

/// Builds a record field by field.
package struct ByteWriter {
  package private(set) var bytes: [UInt8]

  package init(capacity: Int = 0) {
    bytes = []
    bytes.reserveCapacity(capacity)
  }

  package mutating func u8(_ value: UInt8) { bytes.append(value) }
  package mutating func u16(_ value: UInt16) { append(value.littleEndian) }
  package mutating func u32(_ value: UInt32) { append(value.littleEndian) }
  package mutating func u64(_ value: UInt64) { append(value.littleEndian) }
  package mutating func u64(_ value: Int) { append(UInt64(value).littleEndian) }
  package mutating func digest(_ value: Digest) { unsafe value.withBytes { unsafe bytes.append(contentsOf: $0) } }
  package mutating func raw(_ value: some Sequence<UInt8>) { bytes.append(contentsOf: value) }

  /// Zeros up to a length.
  package mutating func pad(to count: Int) { bytes.append(contentsOf: repeatElement(0, count: count - bytes.count)) }

  private mutating func append(_ value: some FixedWidthInteger & BitwiseCopyable) {
    unsafe withUnsafeBytes(of: value) { unsafe bytes.append(contentsOf: $0) }
  }
}
