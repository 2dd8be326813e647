import KistCore

/// Reads the bytes of a pickle from front to back.
@safe struct PickleReader {
  private let bytes: UnsafeRawBufferPointer
  private(set) var position = 0

  init(_ bytes: UnsafeRawBufferPointer) { unsafe self.bytes = bytes }

  private var leftByteCount: Int { unsafe bytes.count - position }

  func error(_ kind: KistError.Kind, at place: Int? = nil, _ problem: String, advice: String? = nil) -> KistError {
    KistError(kind, offset: place ?? position, problem, advice: advice)
  }

  mutating func byte() throws(KistError) -> UInt8 {
    guard leftByteCount > 0 else { throw error(.damaged, "ends in the middle", advice: "the file was cut short") }
    defer { position += 1 }
    return unsafe bytes[position]
  }

  private mutating func take(_ count: Int) throws(KistError) -> Range<Int> {
    guard count <= leftByteCount else {
      throw error(.damaged, "\(count) bytes, where \(leftByteCount) are left")
    }
    defer { position += count }
    return position..<position + count
  }

  /// A little-endian number.
  private mutating func unsigned(width: Int) throws(KistError) -> UInt64 {
    let range = try take(width)
    return unsafe bytes[range].reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }

  /// A length, or with `isData` false a number that says nothing of the bytes that follow.
  mutating func length(width: Int, isData: Bool = true) throws(KistError) -> Int {
    let place = position
    let value = try unsigned(width: width)
    guard !isData || value <= UInt64(leftByteCount), let length = Int(exactly: value) else {
      throw error(.damaged, at: place, "a length of \(value) bytes, where \(leftByteCount) are left")
    }
    return length
  }

  /// Bytes after their length.
  mutating func slice(lengthWidth: Int) throws(KistError) -> PickleSlice {
    let range = try take(try length(width: lengthWidth))
    return PickleSlice(start: UInt32(range.lowerBound), count: UInt32(range.count))
  }

  mutating func number(_ opcode: PickleOpcode) throws(KistError) -> PickleValue {
    switch opcode {
    case .newTrue: return .bool(true)
    case .newFalse: return .bool(false)
    case .uint8: return .int(Int(try unsigned(width: 1)))
    case .uint16: return .int(Int(try unsigned(width: 2)))
    case .int32: return .int(Int(Int32(truncatingIfNeeded: try unsigned(width: 4))))
    case .long1: return try integer(of: try length(width: 1))
    case .long4: return try integer(of: try length(width: 4))
    case .float:
      let range = try take(8)
      // The one number that pickles have in big-endian order.
      return .float(Double(bitPattern: unsafe bytes[range].reduce(0) { $0 << 8 | UInt64($1) }))
    default: return .none
    }
  }

  /// A number in two's complement of any length.
  private mutating func integer(of count: Int) throws(KistError) -> PickleValue {
    let range = try take(count)
    guard count <= 8 else { return .opaque(.largeInteger) }
    let magnitude = unsafe bytes[range].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    let isNegative = unsafe count > 0 && bytes[range.upperBound - 1] >= 0x80
    let signBits = count < 8 && isNegative ? UInt64.max << UInt64(8 * count) : 0
    return .int(Int(truncatingIfNeeded: Int64(bitPattern: magnitude | signBits)))
  }

  // MARK: - Names

  /// A slice as text; nil when it is not UTF-8.
  func text(_ slice: PickleSlice) -> String? { unsafe String(validating: bytes[slice.range], as: UTF8.self) }

  /// Whether a slice is these ASCII characters.
  func equals(_ slice: PickleSlice, _ text: String) -> Bool { unsafe bytes[slice.range].elementsEqual(text.utf8) }

  private static let longestName = 256

  /// Module and name as lines.
  mutating func global(at place: Int) throws(KistError) -> TorchGlobal {
    let (module, name) = (try line(), try line())
    return try global(named: "\(module).\(name)", at: place)
  }

  func global(_ module: PickleValue, _ name: PickleValue, at place: Int) throws(KistError) -> TorchGlobal {
    guard case .text(let module) = module, case .text(let name) = name, module.count <= Self.longestName,
      name.count <= Self.longestName, let module = text(module), let name = text(name)
    else { throw error(.damaged, at: place, "the name of a class or function is not text") }
    return try global(named: "\(module).\(name)", at: place)
  }

  private func global(named name: String, at place: Int) throws(KistError) -> TorchGlobal {
    if let global = TorchGlobal(name) { return global }
    throw error(
      .unsupported, at: place,
      "asks for '\(name)', and only tensors, numbers, text, dicts, lists and tuples are read: nothing was run",
      advice: "in a Python that you trust the file in, save its tensors alone")
  }

  private mutating func line() throws(KistError) -> String {
    let start = position
    while try byte() != UInt8(ascii: "\n") {
      guard position - start <= Self.longestName else {
        throw error(.damaged, at: start, "the name of a class or function is too long")
      }
    }
    guard let text = unsafe String(validating: bytes[start..<position - 1], as: UTF8.self) else {
      throw error(.damaged, at: start, "the name of a class or function is not text")
    }
    return text
  }
}
