import KistCore

/// An open GGUF: the header, the values of its keys and the data where they lie.
public struct GGUFFile: Sendable {
  private enum Content: Sendable {
    case mapped(MappedFile)
    /// A header kept without the data.
    case detached([UInt8])
  }

  private let content: Content
  public let header: GGUFHeader

  /// - Throws: what ``GGUFHeader/init(_:)`` throws, naming the file; `missing` or `system` when it can't be read.
  public init(path: String) throws(KistError) { try self.init(try MappedFile(path: path)) }

  package init(_ file: MappedFile) throws(KistError) {
    content = .mapped(file)
    do throws(KistError) {
      header = file.isRemote ? try GGUFFile.fetchHeader(file) : try GGUFHeader(file.bytes)
      try file.checkIntact()
    } catch { throw error.inFile(file.path) }
  }

  /// Reads a header from a server. How long it is, only reading it tells: what is not there yet reads as zeros, and then more is fetched.
  private static func fetchHeader(_ file: MappedFile) throws(KistError) -> GGUFHeader {
    var byteCount = firstByteCount
    while true {
      byteCount = min(byteCount, file.count)
      try file.fetch(0..<byteCount)
      do throws(KistError) {
        let header = try GGUFHeader(file.bytesAtHand)
        if byteCount == file.count || header.outside.first?.upperBound ?? 0 <= byteCount { return header }
      } catch {
        // What is wrong in what is there stays wrong.
        guard byteCount < min(file.count, mostSearchedByteCount), error.offset ?? .max >= byteCount else { throw error }
      }
      byteCount *= 2
    }
  }

  private static let firstByteCount = 1 << 20
  private static let mostSearchedByteCount = 128 << 20

  /// A GGUF whose tensors' data is elsewhere: its keys can be read.
  ///
  /// - Parameter bytes: What ``outsideRanges`` has, one after the other.
  public init(detached bytes: [UInt8]) throws(KistError) {
    content = .detached(bytes)
    header = try GGUFHeader(detached: unsafe bytes.span.bytes)
  }

  /// A GGUF of which only the keys are wanted: a whole file, or a header that was kept without the data.
  ///
  /// - Parameter bytes: The beginning of them is the header in both.
  package init(headerOf bytes: [UInt8]) throws(KistError) {
    content = .detached(bytes)
    do throws(KistError) { header = try GGUFHeader(unsafe bytes.span.bytes) } catch {
      guard let detached = try? GGUFHeader(detached: unsafe bytes.span.bytes) else { throw error }
      header = detached
    }
  }

  /// The mapped file, unless only the header is there.
  package var mapped: MappedFile? { if case .mapped(let file) = content { file } else { nil } }

  public var byteCount: Int { header.fileByteCount }

  /// The parts of the file that belong to no tensor, in order: the header, padding, and what follows.
  package var outsideRanges: [Range<Int>] { header.outside }

  /// The file's bytes, or those of the header that was kept: keys and tensors are listed at the same places in both.
  private func withBytes<Result>(_ body: (RawSpan) throws(KistError) -> Result) throws(KistError) -> Result {
    switch content {
    case .mapped(let file):
      let result = try body(file.bytesAtHand)
      try file.checkIntact()
      return result
    case .detached(let bytes): return try body(unsafe bytes.span.bytes)
    }
  }
}

// MARK: - Values

extension GGUFFile {
  /// The value of a key.
  ///
  /// - Parameter limit: Most elements to read of each array.
  public func value(of item: GGUFHeader.Item, atMost limit: Int = .max) throws(KistError) -> GGUFValue {
    try withBytes { bytes throws(KistError) in
      var cursor = GGUFCursor(bytes, at: item.value.lowerBound)
      return try cursor.value(item.type, atMost: limit, "key '\(item.key)'")
    }
  }

  /// The value of a key; nil when there is no such key.
  public func value(_ key: String, atMost limit: Int = .max) throws(KistError) -> GGUFValue? {
    guard let item = header.item(key) else { return nil }
    return try value(of: item, atMost: limit)
  }

  /// Hands on the bytes of a value, as they are.
  package func withEncodedValue<Result>(
    of item: GGUFHeader.Item, _ body: (UnsafeRawBufferPointer) -> Result
  ) throws(KistError) -> Result {
    try withBytes { bytes throws(KistError) in
      unsafe bytes.extracting(item.value).withUnsafeBytes { unsafe body($0) }
    }
  }

  /// The bytes of an item, as they are: key, type and value.
  package func encoded(_ item: GGUFHeader.Item) throws(KistError) -> [UInt8] {
    try withBytes { bytes throws(KistError) in bytes.array(item.range) }
  }

  /// Hands on the strings of an array, in order; they live as long as the call.
  ///
  /// - Throws: `damaged` when the item is no array of strings.
  package func forEachString(
    of item: GGUFHeader.Item, _ body: (UnsafeRawBufferPointer) throws(KistError) -> Void
  ) throws(KistError) {
    let count = try elementCount(of: item, as: [.string])
    try withBytes { bytes throws(KistError) in
      var cursor = GGUFCursor(bytes, at: item.value.lowerBound + GGUFValueType.array.minimumByteCount)
      for _ in 0..<count {
        let range = try cursor.string("key '\(item.key)'")
        let result = unsafe bytes.extracting(range).withUnsafeBytes { text in
          Result { () throws(KistError) in unsafe try body(text) }
        }
        try result.get()
      }
    }
  }

  /// The numbers of an array of floats.
  ///
  /// - Throws: `damaged` when the item is no array of f32.
  package func floats(of item: GGUFHeader.Item) throws(KistError) -> [Float] {
    try numbers(of: item, as: .float32) { (bits: UInt32) in Float(bitPattern: bits) }
  }

  /// The numbers of an array of 32-bit integers.
  ///
  /// - Throws: `damaged` when the item is no array of i32 or u32.
  package func integers(of item: GGUFHeader.Item) throws(KistError) -> [Int] {
    guard item.elements?.type != .uint32 else {
      return try numbers(of: item, as: .uint32) { (number: UInt32) in Int(number) }
    }
    return try numbers(of: item, as: .int32) { (number: Int32) in Int(number) }
  }

  /// The bytes of an array of i8 or u8.
  package func bytes(of item: GGUFHeader.Item) throws(KistError) -> [UInt8] {
    let count = try elementCount(of: item, as: [.uint8, .int8])
    return try withBytes { bytes throws(KistError) in
      bytes.array(item.value.upperBound - count..<item.value.upperBound)
    }
  }

  private func numbers<Bits: FixedWidthInteger & BitwiseCopyable, Number>(
    of item: GGUFHeader.Item, as type: GGUFValueType, _ convert: (Bits) -> Number
  ) throws(KistError) -> [Number] {
    let count = try elementCount(of: item, as: [type])
    return try withBytes { bytes throws(KistError) in
      var cursor = GGUFCursor(bytes, at: item.value.lowerBound + GGUFValueType.array.minimumByteCount)
      var numbers: [Number] = []
      numbers.reserveCapacity(count)
      for _ in 0..<count { numbers.append(convert(try cursor.number(Bits.self, "key '\(item.key)'"))) }
      return numbers
    }
  }

  private func elementCount(of item: GGUFHeader.Item, as types: [GGUFValueType]) throws(KistError) -> Int {
    guard let elements = item.elements, types.contains(elements.type) else {
      let found = item.elements.map { "an array of \($0.type.name)" } ?? item.type.name
      throw KistError(
        .damaged, field: "key '\(item.key)'", offset: item.value.lowerBound,
        "is of type \(found), not an array of \(types.map(\.name).joined(separator: " or "))")
    }
    return elements.count
  }
}
