import KistCore

extension SafetensorsHeader.Tensor {
  /// Reads a member of the header: `{"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}`.
  ///
  /// - Parameter dataOffset: Where the data begins in the file.
  init(name: String, _ value: JSONValue, dataOffset: Int) throws(KistError) {
    guard (1...65535).contains(name.utf8.count) else {
      throw KistError(.unsupported, field: "tensor name", "a name has 1 to 65535 bytes, not \(name.utf8.count)")
    }
    let fields = try TensorFields(value, of: name)
    guard let dtype = fields.dtype else { throw damage(name, "dtype", "missing") }
    guard let shape = fields.shape else { throw damage(name, "shape", "missing") }
    guard let offsets = fields.offsets else { throw damage(name, "data_offsets", "missing") }
    guard let elementCount = shape.elementCount else {
      throw damage(name, "shape", "the product of \(shape) overflows")
    }
    guard let byteCount = dtype.byteCount(ofElements: elementCount) else {
      throw damage(name, "shape", "\(elementCount) elements of \(dtype) do not end on a byte")
    }
    guard offsets.count == byteCount else {
      throw damage(
        name, "data_offsets", "\(offsets.count) bytes, where shape \(shape) of \(dtype) has \(byteCount)")
    }
    guard offsets.upperBound <= Int.max - dataOffset else {
      throw damage(name, "data_offsets", "past the end of any file")
    }
    self.name = name
    self.dtype = dtype
    self.shape = shape
    range = dataOffset + offsets.lowerBound..<dataOffset + offsets.upperBound
  }
}

/// What a tensor's JSON says; members that the library does not know are passed over, as it does.
private struct TensorFields {
  var dtype: DType?
  var shape: Shape?
  var offsets: Range<Int>?

  init(_ value: JSONValue, of name: String) throws(KistError) {
    guard let members = value.memberSequence else { throw damage(name, "entry", "not a JSON object") }
    for (key, value) in members {
      let isRepeated: Bool
      switch key {
      case "dtype": (isRepeated, dtype) = (dtype != nil, try Self.dtype(value, of: name))
      case "shape": (isRepeated, shape) = (shape != nil, try Self.shape(value, of: name))
      case "data_offsets": (isRepeated, offsets) = (offsets != nil, try Self.offsets(value, of: name))
      default: continue
      }
      guard !isRepeated else { throw damage(name, key, "duplicate: it is there twice") }
    }
  }

  private static func dtype(_ value: JSONValue, of name: String) throws(KistError) -> DType {
    guard let text = value.string else { throw damage(name, "dtype", "not a string") }
    // The look-up takes any case, safetensors only its own.
    guard let dtype = DType(name: text), dtype.name == text else {
      throw KistError(
        .unsupported, field: "tensor '\(name)': dtype", "'\(text)' is not a dtype that safetensors 0.8 has")
    }
    return dtype
  }

  private static func shape(_ value: JSONValue, of name: String) throws(KistError) -> Shape {
    guard let dimensions = sizes(value, atMost: Shape.maximumRank + 1) else {
      throw damage(name, "shape", "not a list of sizes")
    }
    guard dimensions.count <= Shape.maximumRank else {
      throw KistError(.unsupported, field: "tensor '\(name)': shape", "more than \(Shape.maximumRank) dimensions")
    }
    return Shape(dimensions)
  }

  private static func offsets(_ value: JSONValue, of name: String) throws(KistError) -> Range<Int> {
    guard let offsets = sizes(value, atMost: 3), offsets.count == 2, offsets[0] <= offsets[1] else {
      throw damage(name, "data_offsets", "not a beginning and an end")
    }
    return offsets[0]..<offsets[1]
  }

  /// A list of numbers that fit an Int and are not negative; the first `limit` of them.
  private static func sizes(_ value: JSONValue, atMost limit: Int) -> [Int]? {
    guard var elements = value.elementSequence else { return nil }
    var sizes: [Int] = []
    while sizes.count < limit, let (_, element) = elements.next() {
      guard let size = element.int, size >= 0 else { return nil }
      sizes.append(size)
    }
    return sizes
  }
}

private func damage(_ name: String, _ field: String, _ problem: String) -> KistError {
  KistError(.damaged, field: "tensor '\(name)': \(field)", problem)
}
