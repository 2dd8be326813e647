import KistCore

/// A NumPy array file: one tensor.
public struct NpyFile: Sendable {
  public let dtype: DType
  public let shape: Shape
  private let elements: ElementSource
  /// The elements: row-major, little-endian, whatever the file has.
  public var source: any ByteSource { elements }

  /// - Throws: `damaged` when the header or the length is wrong; `unsupported` for structured and object arrays.
  public init(path: String) throws(KistError) { try self.init(try MappedFile(path: path)) }

  package init(_ file: MappedFile) throws(KistError) {
    let content = MappedPart(file, 0..<file.count)
    do throws(KistError) {
      try self.init(content, start: file.bytes)
      try file.checkIntact()
    } catch {
      throw error.inFile(file.path)
    }
  }

  /// - Parameters:
  ///   - content: The file.
  ///   - start: Its first ``NpyPreamble/maximumByteCount`` bytes at least, or all of them.
  init(_ content: any StoredContent, start: RawSpan) throws(KistError) {
    let preamble = try NpyPreamble(start)
    dtype = preamble.header.dtype
    shape = preamble.header.shape
    elements = ElementSource(content, try preamble.layout(fileByteCount: content.byteCount))
  }

  /// All elements.
  ///
  /// - Throws: `damaged` when the file was cut short meanwhile.
  public func bytes() throws(KistError) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(elements.byteCount)
    unsafe try elements.withBytes(0..<elements.byteCount) { part throws(KistError) in
      unsafe bytes.append(contentsOf: part)
    }
    return bytes
  }
}

extension NpyFile {
  /// The bytes before the data of a file of version 1.0, as `numpy.save` writes them: padded to a multiple of 64.
  ///
  /// - Throws: `unsupported` when NumPy has no such dtype; see ``KistCore/DType/numpyDescriptor``.
  public static func header(dtype: DType, shape: Shape) throws(KistError) -> [UInt8] {
    guard let descriptor = dtype.numpyDescriptor else {
      throw KistError(.unsupported, field: "dtype", "NumPy has no \(dtype)")
    }
    let dimensions = shape.dimensions
    let tuple =
      dimensions.count == 1 ? "(\(dimensions[0]),)" : "(\(dimensions.map(String.init).joined(separator: ", ")))"
    var text = Array("{'descr': '\(descriptor)', 'fortran_order': False, 'shape': \(tuple), }".utf8)
    let unpadded = NpyPreamble.magic.count + 4 + text.count + 1
    text += [UInt8](repeating: UInt8(ascii: " "), count: (64 - unpadded % 64) % 64) + [UInt8(ascii: "\n")]
    return NpyPreamble.magic + [1, 0, UInt8(text.count & 255), UInt8(text.count >> 8)] + text
  }
}

extension DType {
  /// NumPy's name of the dtype in little-endian order; nil for those that it does not have.
  public var numpyDescriptor: String? { NpyHeader.descriptors.first { $0.dtype == self }?.name }
}
