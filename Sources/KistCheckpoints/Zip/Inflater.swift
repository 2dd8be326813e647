import CZlib
import KistCore

/// zlib's inflater over the mapped bytes of an archive.
@safe final class Inflater {
  private let stream: UnsafeMutablePointer<z_stream>
  private let input: MappedPart
  /// How much of the input zlib has been given.
  private var given = 0
  private var hasEnded = false

  private static let inputPiece = 1 << 20

  /// - Parameter input: Raw deflate data.
  init(_ input: MappedPart) throws(KistError) {
    self.input = input
    unsafe stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    unsafe stream.initialize(to: z_stream())
    guard unsafe kist_inflate_init(stream) == Z_OK else {
      throw KistError(.system, file: input.file.path, "zlib could not begin: no memory")
    }
  }

  deinit {
    unsafe inflateEnd(stream)
    unsafe stream.deallocate()
  }

  /// Unpacks the next bytes.
  ///
  /// - Parameter output: At most 1 GiB.
  /// - Returns: How much of `output` was filled; less than all of it only at the end of the data.
  /// - Throws: `damaged` when the data is not deflate's, or ends too early.
  func read(into output: UnsafeMutableRawBufferPointer) throws(KistError) -> Int {
    unsafe stream.pointee.next_out = output.bindMemory(to: UInt8.self).baseAddress
    unsafe stream.pointee.avail_out = UInt32(output.count)
    while unsafe stream.pointee.avail_out > 0, !hasEnded {
      if unsafe stream.pointee.avail_in == 0 { giveInput() }
      let hadInput = unsafe stream.pointee.avail_in > 0
      switch unsafe inflate(stream, Z_NO_FLUSH) {
      case Z_STREAM_END: hasEnded = true
      case Z_OK where hadInput: break
      default:
        throw KistError(
          .damaged, offset: input.range.lowerBound + consumedByteCount, "the deflated data is damaged or cut short")
      }
    }
    return unsafe output.count - Int(stream.pointee.avail_out)
  }

  /// Whether the data has ended, with the last byte of the input.
  var isAtEnd: Bool { hasEnded && consumedByteCount == input.byteCount }

  private var consumedByteCount: Int { unsafe given - Int(stream.pointee.avail_in) }

  private func giveInput() {
    input.release(0..<given)
    let count = min(Self.inputPiece, input.byteCount - given)
    unsafe stream.pointee.next_in = UnsafeMutablePointer(
      mutating: input.pointer.baseAddress.map { unsafe ($0 + given).assumingMemoryBound(to: UInt8.self) })
    unsafe stream.pointee.avail_in = UInt32(count)
    given += count
  }
}

/// A CRC-32 as zip has it, of bytes that come piece by piece.
struct CRC32 {
  private(set) var value: UInt32 = 0

  mutating func add(_ bytes: UnsafeRawBufferPointer) {
    unsafe value = UInt32(
      truncatingIfNeeded: crc32_z(UInt(value), bytes.bindMemory(to: UInt8.self).baseAddress, bytes.count))
  }
}
