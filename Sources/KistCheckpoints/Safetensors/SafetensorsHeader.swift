import KistCore

/// The header of a safetensors file: what tensors it has, and where.
///
/// ```
/// u64 length of the JSON │ JSON: {"__metadata__": {…}, name: {"dtype", "shape", "data_offsets"}, …} │ data
/// ```
///
/// It is checked as the safetensors library 0.8.0 checks it (safetensors/src/tensor.rs), and a little more: names that repeat are refused.
public struct SafetensorsHeader: Sendable {
  /// A tensor of the file.
  public struct Tensor: Sendable {
    public let name: String
    public let dtype: DType
    public let shape: Shape
    /// The tensor's bytes in the file.
    public let range: Range<Int>
  }

  /// A key and value of `__metadata__`.
  public struct MetadataItem: Sendable, Equatable {
    public var key: String
    public var value: String

    public init(key: String, value: String) {
      self.key = key
      self.value = value
    }
  }

  /// In the order of the text.
  public let metadata: [MetadataItem]
  /// In the order of their data.
  public let tensors: [Tensor]
  /// Bytes before the data: 8 and the JSON.
  public let byteCount: Int

  /// The longest JSON that the library takes.
  public static let maximumByteCount = 100_000_000
  private static let maximumDepth = 8

  /// Reads the header of a whole file.
  ///
  /// - Throws: `damaged` naming the field that is wrong; `unsupported` for a dtype or a size beyond ours.
  /// - Complexity: about 0.6 µs a tensor.
  public init(_ file: RawSpan) throws(KistError) {
    let jsonByteCount = try SafetensorsHeader.jsonByteCount(file)
    guard jsonByteCount <= file.byteCount - 8 else {
      throw KistError(
        .damaged, field: "header length", offset: 0,
        "\(jsonByteCount) bytes, and the file has only \(file.byteCount - 8) after the length field",
        advice: "the file was cut short, or is not a safetensors file")
    }
    try self.init(json: file.extracting(8..<8 + jsonByteCount))
    let end = tensors.last?.range.upperBound ?? byteCount
    guard end == file.byteCount else {
      throw KistError(
        .damaged, field: "data_offsets", "the tensors end at byte \(end), the file at byte \(file.byteCount)",
        advice: end > file.byteCount ? "the file was cut short; fetch it again" : nil)
    }
  }

  /// Reads a header that was kept without its data.
  public init(detached bytes: [UInt8]) throws(KistError) {
    let span = unsafe bytes.span.bytes
    let jsonByteCount = try SafetensorsHeader.jsonByteCount(span)
    guard jsonByteCount == span.byteCount - 8 else {
      throw KistError(
        .damaged, field: "header length", offset: 0, "\(jsonByteCount) bytes, where \(span.byteCount - 8) are there")
    }
    try self.init(json: span.extracting(8...))
  }

  private static func jsonByteCount(_ file: RawSpan) throws(KistError) -> Int {
    guard file.byteCount >= 8 else {
      throw KistError(.damaged, field: "header length", "\(file.byteCount) bytes are too few for a safetensors file")
    }
    let length = unsafe UInt64(littleEndian: file.unsafeLoadUnaligned(as: UInt64.self))
    guard length <= maximumByteCount else {
      throw KistError(
        .damaged, field: "header length", offset: 0,
        "\(length) bytes is more than a safetensors header may have "
          + "(\(maximumByteCount))", advice: "is this a safetensors file?")
    }
    return Int(length)
  }

  private init(json: RawSpan) throws(KistError) {
    byteCount = 8 + json.byteCount
    let document: JSONDocument
    do throws(KistError) { document = try JSONDocument(json, depth: Self.maximumDepth) } catch {
      throw KistError(.damaged, field: "header", offset: 8, error.problem, advice: "is this a safetensors file?")
    }
    guard let members = document.root.memberSequence else {
      throw KistError(.damaged, field: "header", offset: 8, "not a JSON object")
    }
    var metadata: [MetadataItem]?
    var tensors: [Tensor] = []
    for (name, value) in members {
      if name.utf8.elementsEqual("__metadata__".utf8) {
        guard metadata == nil else { throw KistError(.damaged, field: "__metadata__", "duplicate: it is there twice") }
        metadata = try Self.metadata(value)
      } else {
        tensors.append(try Tensor(name: name, value, dataOffset: byteCount))
      }
    }
    tensors.sort { ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound) }
    try Self.checkUnique(tensors)
    try Self.checkContiguous(tensors, from: byteCount)
    self.metadata = metadata ?? []
    self.tensors = tensors
  }

  private static func metadata(_ value: JSONValue) throws(KistError) -> [MetadataItem] {
    if value.isNull { return [] }
    guard let members = value.memberSequence else {
      throw KistError(.damaged, field: "__metadata__", "not a JSON object")
    }
    var items: [MetadataItem] = []
    var keys: Set<NameBytes> = []
    for (key, value) in members {
      guard keys.insert(NameBytes(key)).inserted else {
        throw KistError(.damaged, field: "__metadata__ '\(key)'", "duplicate: it is there twice")
      }
      guard let text = value.string else {
        throw KistError(.damaged, field: "__metadata__: '\(key)'", "not a string")
      }
      items.append(MetadataItem(key: key, value: text))
    }
    return items
  }

  private static func checkUnique(_ tensors: [Tensor]) throws(KistError) {
    var names = Set<NameBytes>(minimumCapacity: tensors.count)
    for tensor in tensors where !names.insert(NameBytes(tensor.name)).inserted {
      throw KistError(.damaged, field: "tensor '\(tensor.name)'", "duplicate: it is there twice")
    }
  }

  private static func checkContiguous(_ tensors: [Tensor], from start: Int) throws(KistError) {
    var end = start
    for tensor in tensors {
      guard tensor.range.lowerBound == end else {
        let isGap = tensor.range.lowerBound > end
        throw KistError(
          .damaged, field: "tensor '\(tensor.name)': data_offsets", offset: tensor.range.lowerBound,
          isGap
            ? "\(tensor.range.lowerBound - end) bytes before it belong to no tensor" : "overlaps the tensor before it")
      }
      end = tensor.range.upperBound
    }
  }
}

/// A name compared byte by byte: to String, é and e with an accent after it are one.
struct NameBytes: Hashable {
  private let name: String
  /// Kept, so that a set compares whole names only where they are the same.
  private let nameHash: Int

  init(_ name: String) {
    self.name = name
    var hasher = Hasher()
    var name = name
    name.withUTF8 { unsafe hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    nameHash = hasher.finalize()
  }

  static func == (a: NameBytes, b: NameBytes) -> Bool {
    a.nameHash == b.nameHash && a.name.utf8.elementsEqual(b.name.utf8)
  }

  func hash(into hasher: inout Hasher) { hasher.combine(nameHash) }
}
