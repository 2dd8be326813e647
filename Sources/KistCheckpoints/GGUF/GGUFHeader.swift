import KistCore

/// The header of a GGUF: its metadata, and what tensors it has, and where.
///
/// ```
/// "GGUF" │ u32 version │ u64 tensor count │ u64 key count
///   keys:    string │ u32 type │ value                     string: u64 length │ bytes
///   tensors: string │ u32 rank │ u64 × rank │ u32 type │ u64 offset in the data
/// padding to the alignment │ data, each tensor on the alignment
/// ```
///
/// Values stay where they lie: a vocabulary of 256k tokens is passed over, and read when it is asked for. Dimensions, which the file has
/// fastest first, are turned around here; above this code they are slowest first.
///
/// - Source: ggml/docs/gguf.md; llama.cpp's ggml/src/gguf.cpp.
public struct GGUFHeader: Sendable {
  /// A key of the metadata, and where its value lies.
  public struct Item: Sendable {
    public let key: String
    public let type: GGUFValueType
    /// Of an array: what it has, and how many.
    public let elements: (type: GGUFValueType, count: Int)?
    /// Key, type and value in the file.
    let range: Range<Int>
    /// The value in the file.
    let value: Range<Int>
  }

  /// A tensor of the file.
  public struct Tensor: Sendable {
    public let name: String
    public let dtype: DType
    /// Slowest dimension first.
    public let shape: Shape
    /// The tensor's bytes in the file.
    public let range: Range<Int>
  }

  public let version: UInt32
  /// Tensors begin at multiples of it.
  public let alignment: Int
  /// In the order of the file.
  public let items: [Item]
  /// In the order of the file's list, which need not be that of their data.
  public let tensors: [Tensor]
  /// The parts of the file that belong to no tensor, in order: the header, padding, and what follows.
  let outside: [Range<Int>]
  public let fileByteCount: Int

  static let magic = Array("GGUF".utf8)
  public static let defaultAlignment = 32
  package static let alignmentKey = "general.alignment"
  /// As a cap for llama.cpp proposes it; nobody needs more, and padding grows with it.
  package static let maximumAlignment = 1 << 20
  static let maximumArrayDepth = 8
  /// GGML has 4 dimensions, gguf-tools 8.
  static let maximumRank = 8
  /// Most bytes outside of tensors: of the header mostly, which is kept in memory when it is written.
  package static let maximumByteCount = 1 << 30

  /// Reads the header of a whole file.
  ///
  /// - Throws: `damaged` naming the field that is wrong; `unsupported` for versions, types and sizes beyond ours.
  /// - Complexity: O(*n*) in keys, tensors and strings: about 2 ms for 1,000 tensors and 256k tokens.
  public init(_ file: RawSpan) throws(KistError) { try self.init(file, isDetached: false) }

  /// Reads a header that was kept without the tensors' data: what ``outside`` has, one after the other.
  public init(detached bytes: RawSpan) throws(KistError) { try self.init(bytes, isDetached: true) }

  private init(_ bytes: RawSpan, isDetached: Bool) throws(KistError) {
    var cursor = GGUFCursor(bytes)
    let counts: (tensors: Int, items: Int)
    (version, counts.tensors, counts.items) = try GGUFHeader.start(&cursor)
    items = try GGUFHeader.items(counts.items, &cursor)
    alignment = try GGUFHeader.alignment(items, bytes)
    let infos = try GGUFHeader.tensorInfos(counts.tensors, &cursor, alignment: alignment)
    var fileByteCount = bytes.byteCount
    if isDetached {
      for info in infos {
        let (sum, overflow) = fileByteCount.addingReportingOverflow(info.byteCount)
        guard !overflow else { throw KistError(.damaged, field: "tensors", "have more bytes than any file") }
        fileByteCount = sum
      }
    }
    let layout = try GGUFTensorLayout(
      infos, headerByteCount: cursor.offset, alignment: alignment, fileByteCount: fileByteCount)
    tensors = layout.tensors
    outside = layout.outside
    self.fileByteCount = fileByteCount
    guard isDetached == false || outside.reduce(0, { $0 + $1.count }) == bytes.byteCount else {
      throw KistError(.damaged, field: "header", "does not go with the tensors that it names")
    }
  }

  /// The item of a key, compared byte by byte.
  public func item(_ key: String) -> Item? { items.first { $0.key.utf8.elementsEqual(key.utf8) } }
}

// MARK: - Reading

extension GGUFHeader {
  private static func start(
    _ cursor: inout GGUFCursor
  ) throws(KistError) -> (version: UInt32, tensorCount: Int, itemCount: Int) {
    for expected in magic {
      guard try cursor.number(UInt8.self, "magic") == expected else {
        throw KistError(.invalid, field: "magic", offset: 0, "is not a GGUF file")
      }
    }
    let version = try cursor.number(UInt32.self, "version")
    guard version & 0xFFFF != 0 else {
      throw KistError(
        .unsupported, field: "version", offset: 4, "the file is big-endian", advice: "convert it to little-endian")
    }
    guard version == 2 || version == 3 else {
      throw KistError(
        .unsupported, field: "version", offset: 4, "GGUF version \(version) is not known; 2 and 3 are",
        advice: version == 1 ? "convert it with an older llama.cpp" : nil)
    }
    let tensorCount = try cursor.number(UInt64.self, "tensor count")
    let itemCount = try cursor.number(UInt64.self, "key count")
    // An item takes at least 14 bytes, a tensor at least 25.
    guard itemCount <= UInt64(cursor.remaining / 14) else {
      throw KistError(.damaged, field: "key count", offset: 16, "\(itemCount) keys don't fit into the file")
    }
    guard tensorCount <= UInt64(cursor.remaining / 25) else {
      throw KistError(.damaged, field: "tensor count", offset: 8, "\(tensorCount) tensors don't fit into the file")
    }
    return (version, Int(tensorCount), Int(itemCount))
  }

  private static func items(_ count: Int, _ cursor: inout GGUFCursor) throws(KistError) -> [Item] {
    var items: [Item] = []
    var seen: Set<NameBytes> = []
    for index in 0..<count {
      let start = cursor.offset
      let key = try cursor.name("key \(index)")
      guard seen.insert(NameBytes(key)).inserted else {
        throw KistError(.damaged, field: "key '\(key)'", offset: start, "duplicate: it is there twice")
      }
      let type = try cursor.valueType("key '\(key)': type")
      let valueStart = cursor.offset
      var elements: (type: GGUFValueType, count: Int)?
      if type == .array {
        var head = cursor
        elements = try head.arrayHead("key '\(key)'")
      }
      try cursor.skip(type, "key '\(key)'")
      items.append(
        Item(
          key: key, type: type, elements: elements, range: start..<cursor.offset, value: valueStart..<cursor.offset))
    }
    return items
  }

  private static func alignment(_ items: [Item], _ bytes: RawSpan) throws(KistError) -> Int {
    let key = GGUFHeader.alignmentKey
    guard let item = items.first(where: { $0.key == key }) else { return defaultAlignment }
    guard item.type == .uint32 else {
      throw KistError(
        .damaged, field: "key '\(key)'", offset: item.value.lowerBound, "is of type \(item.type.name), not u32")
    }
    var cursor = GGUFCursor(bytes, at: item.value.lowerBound)
    let alignment = Int(try cursor.number(UInt32.self, "key '\(key)'"))
    guard alignment > 0, alignment & (alignment - 1) == 0 else {
      throw KistError(
        .damaged, field: "key '\(key)'", offset: item.value.lowerBound, "\(alignment) is not a power of two")
    }
    guard alignment <= maximumAlignment else {
      throw KistError(
        .unsupported, field: "key '\(key)'", offset: item.value.lowerBound,
        "\(alignment) is more than \(maximumAlignment)")
    }
    return alignment
  }
}
