import KistCore

/// Lays out a GGUF: metadata and tensors in the order in which they are added, byte for byte as gguf-py 0.19 writes them.
///
/// It gives the header and the places of the tensors; their data is written by whoever has it, in order, with zeros between.
public struct GGUFWriter: Sendable {
  /// A GGUF to be written.
  public struct Layout: Sendable {
    /// What comes before the data, with its padding.
    public var header: [UInt8]
    /// The tensors' places in the file, in the order in which they were added. Bytes between them are zero.
    public var ranges: [Range<Int>]
    public var fileByteCount: Int
  }

  private struct Tensor {
    var name: String
    var dtype: DType
    var shape: Shape
    var byteCount: Int
  }

  /// Multiples at which tensors begin. A file whose alignment is not 32 also needs the key `general.alignment`.
  public let alignment: Int
  private let version: UInt32
  private var items: [UInt8] = []
  private var itemCount = 0
  private var keys: Set<NameBytes> = []
  private var tensors: [Tensor] = []
  private var names: Set<NameBytes> = []

  /// - Parameter alignment: A power of two.
  public init(alignment: Int = GGUFHeader.defaultAlignment, version: UInt32 = 3) {
    precondition(alignment > 0 && alignment & (alignment - 1) == 0, "an alignment is a power of two")
    self.alignment = alignment
    self.version = version
  }

  // MARK: - Metadata

  /// Adds a key.
  ///
  /// - Throws: `invalid` when the key is there already, is empty or too long, or an array's elements are not of its type.
  public mutating func add(_ key: String, _ value: GGUFValue) throws(KistError) {
    try begin(key, value.type)
    try append(value, key)
  }

  /// Adds a list of strings, such as a vocabulary.
  public mutating func add(_ key: String, strings: [[UInt8]]) throws(KistError) {
    try beginArray(key, .string, strings.count)
    for text in strings { append(text) }
  }

  /// Adds a list of numbers.
  public mutating func add(_ key: String, floats: [Float]) throws(KistError) {
    try beginArray(key, .float32, floats.count)
    for number in floats { append(number.bitPattern) }
  }

  /// Adds a list of numbers.
  public mutating func add(_ key: String, integers: [Int32]) throws(KistError) {
    try beginArray(key, .int32, integers.count)
    for number in integers { append(number) }
  }

  /// Adds a key of another file as it is there.
  package mutating func add(_ item: GGUFHeader.Item, of file: GGUFFile) throws(KistError) {
    try register(item.key)
    items += try file.encoded(item)
  }

  private mutating func beginArray(_ key: String, _ type: GGUFValueType, _ count: Int) throws(KistError) {
    try begin(key, .array)
    append(type.rawValue)
    append(UInt64(count))
  }

  private mutating func begin(_ key: String, _ type: GGUFValueType) throws(KistError) {
    try register(key)
    append(Array(key.utf8))
    append(type.rawValue)
  }

  private mutating func register(_ key: String) throws(KistError) {
    guard (1...65535).contains(key.utf8.count) else {
      throw KistError(.invalid, field: "key '\(key)'", "has \(key.utf8.count) bytes, not 1 to 65535")
    }
    guard keys.insert(NameBytes(key)).inserted else {
      throw KistError(.invalid, field: "key '\(key)'", "duplicate: it was added already")
    }
    itemCount += 1
  }

  private mutating func append(_ value: GGUFValue, _ key: String) throws(KistError) {
    switch value {
    case .uint8(let number): append(number)
    case .int8(let number): append(number)
    case .uint16(let number): append(number)
    case .int16(let number): append(number)
    case .uint32(let number): append(number)
    case .int32(let number): append(number)
    case .uint64(let number): append(number)
    case .int64(let number): append(number)
    case .float32(let number): append(number.bitPattern)
    case .float64(let number): append(number.bitPattern)
    case .bool(let flag): append(UInt8(flag ? 1 : 0))
    case .string(let text): append(text)
    case .array(let type, let elements):
      append(type.rawValue)
      append(UInt64(elements.count))
      for element in elements {
        guard element.type == type else {
          throw KistError(.invalid, field: "key '\(key)'", "has a \(element.type.name) in an array of \(type.name)")
        }
        try append(element, key)
      }
    }
  }

  private mutating func append(_ text: [UInt8]) {
    append(UInt64(text.count))
    items += text
  }

  private mutating func append(_ number: some FixedWidthInteger) { items.append(littleEndian: number) }

  // MARK: - Tensors

  /// Adds a tensor.
  ///
  /// - Parameter shape: Slowest dimension first.
  /// - Throws: `unsupported` when GGUF has no such dtype or rank; `invalid` when the name is there already, or rows are not whole blocks.
  public mutating func addTensor(_ name: String, dtype: DType, shape: Shape) throws(KistError) {
    let field = "tensor '\(name)'"
    guard dtype.ggmlType != nil else {
      throw KistError(.unsupported, field: field, "GGUF has no tensors of \(dtype)")
    }
    guard shape.rank <= GGUFHeader.maximumRank else {
      throw KistError(.unsupported, field: field, "has \(shape.rank) dimensions, more than \(GGUFHeader.maximumRank)")
    }
    guard (shape.dimensions.last ?? 1) % dtype.unitElementCount == 0,
      let byteCount = shape.elementCount.flatMap(dtype.byteCount(ofElements:))
    else {
      throw KistError(.invalid, field: field, "\(shape) of \(dtype) has no whole blocks, or no length in bytes")
    }
    guard (1...65535).contains(name.utf8.count), names.insert(NameBytes(name)).inserted else {
      throw KistError(.invalid, field: field, "is there already, or has a name of 0 or more than 65535 bytes")
    }
    tensors.append(Tensor(name: name, dtype: dtype, shape: shape, byteCount: byteCount))
  }

  /// The header, and where the tensors go.
  ///
  /// - Throws: `invalid` when the file would be longer than any.
  public func layOut() throws(KistError) -> Layout { try layOut(tensors) }

  /// The same as several files, as llama.cpp's gguf-split divides them: none has tensors of more bytes together than the limit, unless it
  /// has a single one; the first has the keys. One file, which says nothing of parts, when all tensors fit.
  ///
  /// - Source: llama.cpp, tools/gguf-split/gguf-split.cpp, `split_strategy`.
  public func layOut(shardByteCount limit: Int) throws(KistError) -> [Layout] {
    var ranges = [0..<0]
    var size = 0
    for (index, tensor) in tensors.enumerated() {
      let byteCount = padded(tensor.byteCount)
      if size + byteCount > limit, !ranges[ranges.count - 1].isEmpty {
        ranges.append(index..<index)
        size = 0
      }
      ranges[ranges.count - 1] = ranges[ranges.count - 1].lowerBound..<index + 1
      size += byteCount
    }
    guard ranges.count > 1 else { return [try layOut()] }
    guard ranges.count <= UInt16.max else {
      throw KistError(.invalid, "\(ranges.count) parts are more than a GGUF can have", advice: "make them larger")
    }
    return try ranges.enumerated().map { number, range throws(KistError) in
      var part = number == 0 ? self : GGUFWriter(alignment: alignment, version: version)
      if number > 0, alignment != GGUFHeader.defaultAlignment {
        try part.add(GGUFHeader.alignmentKey, .uint32(UInt32(alignment)))
      }
      try part.add(GGUFSplit.numberKey, .uint16(UInt16(clamping: number)))
      // gguf-split knows the count last.
      try part.add(GGUFSplit.tensorCountKey, .int32(Int32(clamping: tensors.count)))
      try part.add(GGUFSplit.countKey, .uint16(UInt16(clamping: ranges.count)))
      return try part.layOut(tensors[range])
    }
  }

  private func layOut(_ tensors: some Collection<Tensor>) throws(KistError) -> Layout {
    var header = GGUFHeader.magic
    header.append(littleEndian: version)
    header.append(littleEndian: UInt64(tensors.count))
    header.append(littleEndian: UInt64(itemCount))
    header += items
    var offsets: [Int] = []
    var end = 0
    for tensor in tensors {
      header.append(littleEndian: UInt64(tensor.name.utf8.count))
      header += Array(tensor.name.utf8)
      header.append(littleEndian: UInt32(tensor.shape.rank))
      for size in tensor.shape.dimensions.reversed() { header.append(littleEndian: UInt64(size)) }
      header.append(littleEndian: tensor.dtype.ggmlType ?? 0)
      header.append(littleEndian: UInt64(end))
      offsets.append(end)
      guard tensor.byteCount < Int.max / 2 - end else {
        throw KistError(.invalid, field: "tensor '\(tensor.name)'", "ends past the end of any file")
      }
      end = padded(end + tensor.byteCount)
    }
    header += [UInt8](repeating: 0, count: padded(header.count) - header.count)
    let ranges = zip(offsets, tensors).map { header.count + $0..<header.count + $0 + $1.byteCount }
    return Layout(header: header, ranges: ranges, fileByteCount: header.count + end)
  }

  private func padded(_ count: Int) -> Int { (count + alignment - 1) / alignment * alignment }
}

extension [UInt8] {
  fileprivate mutating func append<Number: FixedWidthInteger>(littleEndian number: Number) {
    for place in 0..<Number.bitWidth / 8 { append(UInt8(truncatingIfNeeded: number >> (8 * place))) }
  }
}
