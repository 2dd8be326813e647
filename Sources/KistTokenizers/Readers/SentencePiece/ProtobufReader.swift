import KistCore

/// Walks the fields of one protobuf message. Source: protobuf's "Encoding" page.
struct ProtobufReader {
  enum Value {
    case varint(UInt64)
    case fixed64(UInt64)
    case fixed32(UInt32)
    /// Where a string, bytes or a message lies.
    case bytes(Range<Int>)
  }

  private let bytes: [UInt8]
  private var position: Int
  private let end: Int
  /// The message's name, for errors.
  let name: String

  init(_ bytes: [UInt8], _ range: Range<Int>? = nil, name: String) {
    self.bytes = bytes
    position = range?.lowerBound ?? 0
    end = range?.upperBound ?? bytes.count
    self.name = name
  }

  /// The next field and its value; nil at the end.
  mutating func next() throws(KistError) -> (field: UInt64, value: Value)? {
    guard position < end else { return nil }
    let tag = try varint()
    guard tag >> 3 > 0 else { throw damaged("has a field of number 0") }
    switch tag & 7 {
    case 0: return (tag >> 3, .varint(try varint()))
    case 1: return (tag >> 3, .fixed64(try fixed(8)))
    case 2:
      let count = try varint()
      guard count <= UInt64(end - position) else { throw damaged("has a field that reaches past its end") }
      defer { position += Int(count) }
      return (tag >> 3, .bytes(position..<position + Int(count)))
    case 5: return (tag >> 3, .fixed32(UInt32(truncatingIfNeeded: try fixed(4))))
    default: throw damaged("has a field of an unknown wire type")
    }
  }

  private mutating func varint() throws(KistError) -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 70, by: 7) {
      guard position < end else { throw damaged("ends within a number") }
      let byte = bytes[position]
      position += 1
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
    }
    throw damaged("has a number of more than ten bytes")
  }

  private mutating func fixed(_ count: Int) throws(KistError) -> UInt64 {
    guard count <= end - position else { throw damaged("ends within a number") }
    defer { position += count }
    return (0..<count).reduce(0) { $0 | UInt64(bytes[position + $1]) << UInt64(8 * $1) }
  }

  private func damaged(_ problem: String) -> KistError {
    KistError(.damaged, field: name, offset: position, problem)
  }
}

extension ProtobufReader.Value {
  var bool: Bool? {
    if case .varint(let number) = self { number != 0 } else { nil }
  }

  var number: UInt64? {
    if case .varint(let number) = self { number } else { nil }
  }

  var float: Float? {
    if case .fixed32(let bits) = self { Float(bitPattern: bits) } else { nil }
  }

  var range: Range<Int>? {
    if case .bytes(let range) = self { range } else { nil }
  }
}
