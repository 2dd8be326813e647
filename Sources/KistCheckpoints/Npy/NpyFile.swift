import KistCore

/// A NumPy array file: one tensor.
///
/// ```
/// \x93NUMPY │ version, 2 bytes │ header length │ {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), } │ data
/// ```
///
/// - Source: numpy/lib/_format_impl.py.
public struct NpyFile: Sendable {
  public let dtype: DType
  public let shape: Shape
  /// The elements in row-major order, little-endian, whatever the file has.
  public let bytes: [UInt8]

  static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)
  private static let maximumHeaderByteCount = 65536

  /// - Throws: `damaged` when the header or the length is wrong; `unsupported` for structured and object arrays.
  public init(path: String) throws(KistError) {
    let file = try MappedFile(path: path)
    do throws(KistError) {
      self = try NpyFile(file.bytes)
      try file.checkIntact()
    } catch {
      throw error.inFile(path)
    }
  }

  init(_ file: RawSpan) throws(KistError) {
    let start = unsafe file.extracting(0..<min(file.byteCount, 12)).withUnsafeBytes { unsafe [UInt8]($0) }
    guard start.count >= 10, Array(start[..<6]) == Self.magic else {
      throw KistError(.invalid, field: "magic", "is not a NumPy array file (.npy)")
    }
    // Version 1 has a length of 2 bytes, 2 and 3 of 4.
    guard (1...3).contains(start[6]) else {
      throw KistError(.unsupported, field: "version", "version \(start[6]) of the format is not known")
    }
    let lengthByteCount = start[6] == 1 ? 2 : 4
    let length = start[8..<min(start.count, 8 + lengthByteCount)].reversed().reduce(0) { $0 << 8 | Int($1) }
    let dataStart = 8 + lengthByteCount + length
    guard length <= Self.maximumHeaderByteCount, dataStart <= file.byteCount else {
      throw KistError(.damaged, field: "header length", "\(length) bytes is not possible here")
    }
    let text = unsafe file.extracting(8 + lengthByteCount..<dataStart).withUnsafeBytes { unsafe [UInt8]($0) }
    let header = try NpyHeader(text)
    guard let count = header.shape.elementCount.flatMap(header.dtype.byteCount(ofElements:)),
      count == file.byteCount - dataStart
    else {
      throw KistError(
        .damaged, field: "shape",
        "\(header.shape) of \(header.dtype) does not go with \(file.byteCount - dataStart) bytes of data")
    }
    var bytes = unsafe file.extracting(dataStart...).withUnsafeBytes { unsafe [UInt8]($0) }
    if header.isBigEndian { Self.swapBytes(&bytes, width: header.dtype.componentByteCount) }
    if header.isFortranOrder { bytes = Self.rowMajor(bytes, header) }
    dtype = header.dtype
    shape = header.shape
    self.bytes = bytes
  }

  private static func swapBytes(_ bytes: inout [UInt8], width: Int) {
    for start in stride(from: 0, to: bytes.count, by: width) {
      for place in 0..<width / 2 { bytes.swapAt(start + place, start + width - 1 - place) }
    }
  }

  /// Elements of column-major order, in row-major order.
  private static func rowMajor(_ bytes: [UInt8], _ header: NpyHeader) -> [UInt8] {
    let dimensions = header.shape.dimensions
    let width = header.dtype.unitByteCount
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count)
    var strides = [Int](repeating: 1, count: dimensions.count)
    for axis in dimensions.indices.dropFirst() { strides[axis] = strides[axis - 1] * dimensions[axis - 1] }
    var position = [Int](repeating: 0, count: dimensions.count)
    for _ in 0..<bytes.count / width {
      let start = zip(position, strides).reduce(0) { $0 + $1.0 * $1.1 } * width
      result += bytes[start..<start + width]
      for axis in dimensions.indices.reversed() {
        position[axis] += 1
        if position[axis] < dimensions[axis] { break }
        position[axis] = 0
      }
    }
    return result
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
    let unpadded = magic.count + 4 + text.count + 1
    text += [UInt8](repeating: UInt8(ascii: " "), count: (64 - unpadded % 64) % 64) + [UInt8(ascii: "\n")]
    return magic + [1, 0, UInt8(text.count & 255), UInt8(text.count >> 8)] + text
  }
}

extension DType {
  /// NumPy's name of the dtype in little-endian order; nil for those that it does not have.
  public var numpyDescriptor: String? { NpyHeader.descriptors.first { $0.dtype == self }?.name }
}
