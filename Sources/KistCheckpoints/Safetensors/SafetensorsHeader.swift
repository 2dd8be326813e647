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
  /// - Complexity: about 0.3 µs a tensor.
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
    guard let members = document.root.members else {
      throw KistError(.damaged, field: "header", offset: 8, "not a JSON object")
    }
    var metadata: [MetadataItem] = []
    var hasMetadata = false
    var tensors: [Tensor] = []
    tensors.reserveCapacity(members.count)
    for (name, value) in members {
      if name.utf8.elementsEqual("__metadata__".utf8) {
        guard !hasMetadata else { throw KistError(.damaged, field: "__metadata__", "duplicate: it is there twice") }
        hasMetadata = true
        metadata = try Self.metadata(value)
      } else {
        tensors.append(try Self.tensor(name, value, dataOffset: byteCount))
      }
    }
    tensors.sort { ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound) }
    try Self.checkUnique(tensors.map(\.name), "tensor")
    try Self.checkUnique(metadata.map(\.key), "__metadata__")
    try Self.checkContiguous(tensors, from: byteCount)
    self.metadata = metadata
    self.tensors = tensors
  }

  private static func metadata(_ value: JSONValue) throws(KistError) -> [MetadataItem] {
    if value.isNull { return [] }
    guard let members = value.members else {
      throw KistError(.damaged, field: "__metadata__", "not a JSON object")
    }
    return try members.map { member throws(KistError) in
      guard let text = member.value.string else {
        throw KistError(.damaged, field: "__metadata__: '\(member.key)'", "not a string")
      }
      return MetadataItem(key: member.key, value: text)
    }
  }

  private static func tensor(_ name: String, _ value: JSONValue, dataOffset: Int) throws(KistError) -> Tensor {
    func damage(_ field: String, _ problem: String) -> KistError {
      KistError(.damaged, field: "tensor '\(name)': \(field)", problem)
    }
    guard (1...65535).contains(name.utf8.count) else {
      throw KistError(.unsupported, field: "tensor name", "a name has 1 to 65535 bytes, not \(name.utf8.count)")
    }
    guard let members = value.members else { throw damage("entry", "not a JSON object") }
    var fields: (dtype: JSONValue?, shape: JSONValue?, offsets: JSONValue?) = (nil, nil, nil)
    try checkUnique(members.map(\.key), "tensor '\(name)': field")
    for (key, field) in members {
      switch key {
      case "dtype": fields.dtype = field
      case "shape": fields.shape = field
      case "data_offsets": fields.offsets = field
      default: break  // the library ignores other members
      }
    }
    guard let dtypeName = fields.dtype?.string else { throw damage("dtype", "missing, or not a string") }
    guard let dtype = DType.all.first(where: { $0.name == dtypeName }) else {
      throw KistError(
        .unsupported, field: "tensor '\(name)': dtype", "'\(dtypeName)' is not a dtype that safetensors 0.8 has")
    }
    guard let dimensions = sizes(fields.shape) else { throw damage("shape", "missing, or not a list of sizes") }
    guard dimensions.count <= Shape.maximumRank else {
      throw KistError(
        .unsupported, field: "tensor '\(name)': shape",
        "\(dimensions.count) dimensions is more than \(Shape.maximumRank)")
    }
    let shape = Shape(dimensions)
    guard let offsets = sizes(fields.offsets), offsets.count == 2, offsets[0] <= offsets[1] else {
      throw damage("data_offsets", "missing, or not a beginning and an end")
    }
    guard let elementCount = shape.elementCount else { throw damage("shape", "the product of \(shape) overflows") }
    guard let byteCount = dtype.byteCount(ofElements: elementCount) else {
      throw damage("shape", "\(elementCount) elements of \(dtype) do not end on a byte")
    }
    guard offsets[1] - offsets[0] == byteCount else {
      throw damage(
        "data_offsets", "\(offsets[1] - offsets[0]) bytes, where shape \(shape) of \(dtype) has \(byteCount)")
    }
    guard offsets[1] <= Int.max - dataOffset else { throw damage("data_offsets", "past the end of any file") }
    return Tensor(name: name, dtype: dtype, shape: shape, range: dataOffset + offsets[0]..<dataOffset + offsets[1])
  }

  /// A list of numbers that fit an Int and are not negative.
  private static func sizes(_ value: JSONValue?) -> [Int]? {
    guard let elements = value?.array else { return nil }
    let sizes = elements.compactMap(\.int).filter { $0 >= 0 }
    return sizes.count == elements.count ? sizes : nil
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

  private static func checkUnique(_ names: [String], _ what: String) throws(KistError) {
    var seen: Set<[UInt8]> = []
    seen.reserveCapacity(names.count)
    for name in names where !seen.insert(Array(name.utf8)).inserted {
      throw KistError(.damaged, field: "\(what) '\(name)'", "duplicate: it is there twice")
    }
  }
}
