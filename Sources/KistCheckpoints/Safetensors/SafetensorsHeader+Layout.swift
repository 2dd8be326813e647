import KistCore

extension SafetensorsHeader {
  /// A tensor that is to be written.
  public struct Description: Sendable {
    public var name: String
    public var dtype: DType
    public var shape: Shape

    public init(name: String, dtype: DType, shape: Shape) {
      self.name = name
      self.dtype = dtype
      self.shape = shape
    }
  }

  /// A header and the places that it gives to tensors.
  public struct FileLayout: Sendable {
    /// The length field and the JSON.
    public var bytes: [UInt8]
    /// In the order of the file: which tensor, and its bytes.
    public var order: [(index: Int, range: Range<Int>)]
    public var fileByteCount: Int
  }

  /// Lays a file out as the safetensors library does: tensors sorted by width, widest first, then by name; the JSON padded with spaces to
  /// a multiple of 8.
  ///
  /// - Throws: `invalid` when a shape overflows, or does not end on a byte; `unsupported` when the header would be too long.
  /// - Source: safetensors/src/tensor.rs, `prepare`.
  public static func layOut(_ tensors: [Description], metadata: [MetadataItem]) throws(KistError) -> FileLayout {
    let sorted = tensors.indices.sorted { a, b in
      let ranks = (alignmentRank(tensors[a].dtype), alignmentRank(tensors[b].dtype))
      return ranks.0 != ranks.1
        ? ranks.0 > ranks.1 : tensors[a].name.utf8.lexicographicallyPrecedes(tensors[b].name.utf8)
    }
    let ranges = try ranges(of: sorted.map { tensors[$0] })
    let end = ranges.last?.upperBound ?? 0
    var json = json(zip(sorted, ranges).map { (tensors[$0], $1) }, metadata)
    json += [UInt8](repeating: UInt8(ascii: " "), count: (8 - json.count % 8) % 8)
    guard json.count <= maximumByteCount else {
      throw KistError(
        .unsupported, field: "header",
        "\(tensors.count) tensors need more than the "
          + "\(maximumByteCount) bytes that a safetensors header may have", advice: "write them in shards")
    }
    let length = UInt64(json.count)
    let bytes = (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + json
    return FileLayout(
      bytes: bytes,
      order: zip(sorted, ranges).map { ($0, bytes.count + $1.lowerBound..<bytes.count + $1.upperBound) },
      fileByteCount: bytes.count + end)
  }

  /// The places of tensors that lie one after the other.
  private static func ranges(of tensors: [Description]) throws(KistError) -> [Range<Int>] {
    var end = 0
    return try tensors.map { tensor throws(KistError) in
      guard let count = tensor.shape.elementCount.flatMap(tensor.dtype.byteCount(ofElements:)) else {
        throw KistError(
          .invalid, field: "tensor '\(tensor.name)'", "\(tensor.shape) of \(tensor.dtype) has no length in bytes")
      }
      guard count <= Int.max - maximumByteCount - 8 - end else {
        throw KistError(.invalid, field: "tensor '\(tensor.name)'", "ends past the end of any file")
      }
      defer { end += count }
      return end..<end + count
    }
  }

  /// The library sorts by the order in which its enumeration of dtypes lists them: by alignment, widest last.
  private static let enumeration: [DType] = [
    .bool, .f4, .f6e2m3, .f6e3m2, .u8, .i8, .f8e5m2, .f8e4m3, .f8e8m0, .f8e4m3fnuz, .f8e5m2fnuz, .i16, .u16, .f16,
    .bf16,
    .i32, .u32, .f32, .c64, .f64, .i64, .u64,
  ]

  private static func alignmentRank(_ dtype: DType) -> Int { enumeration.firstIndex(of: dtype) ?? -1 }

  private static func json(_ tensors: [(Description, Range<Int>)], _ metadata: [MetadataItem]) -> [UInt8] {
    var members: [(key: String, value: (inout JSONText) -> Void)] = []
    if !metadata.isEmpty {
      members.append(("__metadata__", { $0.object(metadata.map { item in (item.key, { $0.string(item.value) }) }) }))
    }
    members += tensors.map { tensor, range in
      (
        tensor.name,
        { text in
          text.object([
            ("dtype", { $0.string(tensor.dtype.name) }),
            ("shape", { $0.array(tensor.shape.dimensions) { $0.literal(String($1)) } }),
            ("data_offsets", { $0.array([range.lowerBound, range.upperBound]) { $0.literal(String($1)) } }),
          ])
        }
      )
    }
    var text = JSONText()
    text.object(members)
    return text.bytes
  }
}
