import KistCore

/// What stands before the data of a .npy file: the header, and where the data begins.
///
/// ```
/// \x93NUMPY │ version, 2 bytes │ header length │ {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), } │ data
/// ```
///
/// - Source: numpy/lib/_format_impl.py.
struct NpyPreamble {
  let header: NpyHeader
  /// Bytes before the data.
  let byteCount: Int

  static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)
  private static let maximumHeaderByteCount = 65536
  /// As much as can stand before the data.
  static let maximumByteCount = 12 + maximumHeaderByteCount

  /// Reads the beginning of a file.
  ///
  /// - Parameter start: The first ``maximumByteCount`` bytes of the file, or all of a shorter one.
  init(_ start: RawSpan) throws(KistError) {
    let fixed = start.array(0..<min(start.byteCount, 12))
    guard fixed.count >= 10, Array(fixed[..<6]) == Self.magic else {
      throw KistError(.invalid, field: "magic", "is not a NumPy array file (.npy)")
    }
    // Version 1 has a length of 2 bytes, 2 and 3 of 4.
    guard (1...3).contains(fixed[6]) else {
      throw KistError(.unsupported, field: "version", "version \(fixed[6]) of the format is not known")
    }
    let lengthByteCount = fixed[6] == 1 ? 2 : 4
    let length = fixed[8..<min(fixed.count, 8 + lengthByteCount)].reversed().reduce(0) { $0 << 8 | Int($1) }
    byteCount = 8 + lengthByteCount + length
    guard length <= Self.maximumHeaderByteCount, byteCount <= start.byteCount else {
      throw KistError(.damaged, field: "header length", "\(length) bytes is not possible here")
    }
    header = try NpyHeader(start.array(8 + lengthByteCount..<byteCount))
  }

  /// Where the elements lie in a file of `fileByteCount` bytes, which must end with them.
  func layout(fileByteCount: Int) throws(KistError) -> ElementLayout {
    let (dtype, shape) = (header.dtype, header.shape)
    let dataByteCount = fileByteCount - byteCount
    guard shape.elementCount.flatMap(dtype.byteCount(ofElements:)) == dataByteCount else {
      throw KistError(
        .damaged, field: "shape", "\(shape) of \(dtype) does not go with \(dataByteCount) bytes of data")
    }
    let swapWidth = header.isBigEndian ? dtype.componentByteCount : 1
    return try header.isFortranOrder
      ? ElementLayout(
        columnMajor: shape, width: dtype.unitByteCount, swapWidth: swapWidth, offset: byteCount,
        available: fileByteCount)
      : ElementLayout(
        rowMajor: shape, width: dtype.unitByteCount, swapWidth: swapWidth, offset: byteCount, available: fileByteCount)
  }
}
