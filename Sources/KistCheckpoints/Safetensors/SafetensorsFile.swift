import KistCore

/// An open safetensors file: the header, and the data where it lies in the mapped file.
public struct SafetensorsFile: Sendable {
  public let path: String
  public let header: SafetensorsHeader
  package let mapped: MappedFile

  public var byteCount: Int { mapped.count }

  /// - Throws: what ``SafetensorsHeader/init(_:)`` throws, naming the file; `missing` or `system` when it can't be read.
  public init(path: String) throws(KistError) { try self.init(try MappedFile(path: path)) }

  package init(_ file: MappedFile) throws(KistError) {
    path = file.path
    mapped = file
    do throws(KistError) {
      try file.fetch(0..<8)
      // The header checks its own length.
      let length = file.count < 8 ? 0 : unsafe file.bytesAtHand.unsafeLoadUnaligned(as: UInt64.self).littleEndian
      try file.fetch(0..<8 + Int(min(length, UInt64(SafetensorsHeader.maximumByteCount))))
      header = try SafetensorsHeader(file.bytesAtHand)
    } catch { throw error.inFile(file.path) }
  }

  /// Where the bytes before the data are.
  package var headerRange: Range<Int> { 0..<header.byteCount }

  /// The bytes before the data, as they are.
  public var headerBytes: [UInt8] { unsafe [UInt8](mapped.pointer(headerRange)) }

  /// A tensor's elements where they lie in the file, as they are: row-major, little-endian.
  ///
  /// - Parameter tensor: One of the header's.
  @_lifetime(borrow self)
  public func bytes(of tensor: SafetensorsHeader.Tensor) -> RawSpan {
    let span = unsafe RawSpan(_unsafeBytes: mapped.pointer(tensor.range))
    return unsafe _overrideLifetime(span, borrowing: self)
  }
}
