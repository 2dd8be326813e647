import KistCore

/// Reads a GGUF front to back. No read goes past the end, and no number in the file makes it allocate.
struct GGUFCursor: ~Escapable {
  private let bytes: RawSpan
  /// What is read next.
  private(set) var offset: Int

  @_lifetime(copy bytes)
  init(_ bytes: RawSpan, at offset: Int = 0) {
    self.bytes = bytes
    self.offset = offset
  }

  var remaining: Int { bytes.byteCount - offset }

  /// A little-endian number.
  ///
  /// - Parameter field: What it is, for the error.
  @_lifetime(self: copy self)
  mutating func number<Number: FixedWidthInteger & BitwiseCopyable>(
    _ type: Number.Type, _ field: @autoclosure () -> String
  ) throws(KistError) -> Number {
    let size = MemoryLayout<Number>.size
    guard size <= remaining else { throw cutShort(field()) }
    defer { offset += size }
    return unsafe Number(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: Number.self))
  }

  /// Where a string's bytes are: those after its length.
  @_lifetime(self: copy self)
  mutating func string(_ field: @autoclosure () -> String) throws(KistError) -> Range<Int> {
    let start = offset
    let length = try number(UInt64.self, field())
    guard length <= UInt64(remaining) else {
      throw KistError(
        .damaged, field: field(), offset: start,
        "a string of \(length) bytes, and the file has only \(remaining) more")
    }
    defer { offset += Int(length) }
    return offset..<offset + Int(length)
  }

  /// A key or a name: UTF-8 of 1 to 65535 bytes.
  @_lifetime(self: copy self)
  mutating func name(_ field: @autoclosure () -> String) throws(KistError) -> String {
    let start = offset
    let range = try string(field())
    guard (1...65535).contains(range.count) else {
      throw KistError(.damaged, field: field(), offset: start, "has \(range.count) bytes, not 1 to 65535")
    }
    guard let name = String(validating: bytes.array(range), as: UTF8.self) else {
      throw KistError(.damaged, field: field(), offset: start, "is not UTF-8")
    }
    return name
  }

  @_lifetime(self: copy self)
  mutating func valueType(_ field: @autoclosure () -> String) throws(KistError) -> GGUFValueType {
    let start = offset
    let number = try number(UInt32.self, field())
    guard let type = GGUFValueType(rawValue: number) else {
      throw KistError(.damaged, field: field(), offset: start, "\(number) is no type of a value; they are 0 to 12")
    }
    return type
  }

  /// An array's head: the type of its elements and how many there are, checked against what is left of the file.
  @_lifetime(self: copy self)
  mutating func arrayHead(_ field: @autoclosure () -> String) throws(KistError) -> (type: GGUFValueType, count: Int) {
    let start = offset
    let type = try valueType("\(field()): type of the elements")
    let count = try number(UInt64.self, "\(field()): length of the array")
    guard count <= UInt64(remaining / type.minimumByteCount) else {
      throw KistError(
        .damaged, field: field(), offset: start,
        "an array of \(count) of type \(type.name), and the file has only \(remaining) bytes more")
    }
    return (type, Int(count))
  }

  /// Passes over a value.
  ///
  /// - Parameter depth: How many arrays it is in.
  @_lifetime(self: copy self)
  mutating func skip(
    _ type: GGUFValueType, depth: Int = 0, _ field: @autoclosure () -> String
  ) throws(KistError) {
    switch type {
    case .string: _ = try string(field())
    case .array:
      guard depth < GGUFHeader.maximumArrayDepth else {
        throw KistError(
          .unsupported, field: field(), offset: offset, "arrays in more than \(GGUFHeader.maximumArrayDepth) arrays")
      }
      let (element, count) = try arrayHead(field())
      if let size = element.byteCount {
        offset += count * size
      } else if element == .string {
        try skipStrings(count, field())
      } else {
        for _ in 0..<count { try skip(element, depth: depth + 1, field()) }
      }
    default:
      guard let size = type.byteCount, size <= remaining else { throw cutShort(field()) }
      offset += size
    }
  }

  /// Passes over strings, a vocabulary's worth of them in a loop that does nothing else.
  @_lifetime(self: copy self)
  private mutating func skipStrings(_ count: Int, _ field: @autoclosure () -> String) throws(KistError) {
    let end = bytes.byteCount
    var (position, remainingCount) = (offset, count)
    while remainingCount > 0, end &- position >= 8 {
      let length = unsafe UInt64(
        littleEndian: bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: position, as: UInt64.self))
      guard length <= UInt64(end &- position &- 8) else { break }
      position = position &+ 8 &+ Int(length)
      remainingCount &-= 1
    }
    offset = position
    // What is wrong with one that does not fit, reading it says.
    if remainingCount > 0 { _ = try string(field()) }
  }

  private func cutShort(_ field: String) -> KistError {
    KistError(
      .damaged, field: field, offset: offset, "the file ends here, in the middle of its header",
      advice: "the file was cut short; fetch it again")
  }
}

extension GGUFCursor {
  /// Reads a value, with at most `limit` elements of each array; the others are passed over.
  @_lifetime(self: copy self)
  mutating func value(
    _ type: GGUFValueType, atMost limit: Int, depth: Int = 0, _ field: @autoclosure () -> String
  ) throws(KistError) -> GGUFValue {
    switch type {
    case .uint8: .uint8(try number(UInt8.self, field()))
    case .int8: .int8(try number(Int8.self, field()))
    case .uint16: .uint16(try number(UInt16.self, field()))
    case .int16: .int16(try number(Int16.self, field()))
    case .uint32: .uint32(try number(UInt32.self, field()))
    case .int32: .int32(try number(Int32.self, field()))
    case .float32: .float32(Float(bitPattern: try number(UInt32.self, field())))
    case .bool: .bool(try number(UInt8.self, field()) != 0)
    case .string: .string(bytes.array(try string(field())))
    case .uint64: .uint64(try number(UInt64.self, field()))
    case .int64: .int64(try number(Int64.self, field()))
    case .float64: .float64(Double(bitPattern: try number(UInt64.self, field())))
    case .array: try array(atMost: limit, depth: depth, field())
    }
  }

  @_lifetime(self: copy self)
  private mutating func array(
    atMost limit: Int, depth: Int, _ field: @autoclosure () -> String
  ) throws(KistError) -> GGUFValue {
    guard depth < GGUFHeader.maximumArrayDepth else {
      throw KistError(
        .unsupported, field: field(), offset: offset, "arrays in more than \(GGUFHeader.maximumArrayDepth) arrays")
    }
    let (element, count) = try arrayHead(field())
    var elements: [GGUFValue] = []
    for index in 0..<count {
      if index < limit {
        elements.append(try value(element, atMost: limit, depth: depth + 1, field()))
      } else if depth > 0 {
        try skip(element, depth: depth + 1, field())
      } else {
        break
      }
    }
    return .array(of: element, elements)
  }
}
