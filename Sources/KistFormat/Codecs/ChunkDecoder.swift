import CZstd
import KistCore

/// Decodes packed chunks into buffers of exactly the size that the index states. One thread at a time.
@safe package final class ChunkDecoder: @unchecked Sendable {
  private nonisolated(unsafe) let context: OpaquePointer
  /// Planes before they are merged, or a whole chunk of which a part is wanted.
  private nonisolated(unsafe) let planes: UnsafeMutableRawBufferPointer
  private nonisolated(unsafe) let whole: UnsafeMutableRawBufferPointer

  package init() throws(KistError) {
    guard let context = unsafe ZSTD_createDCtx() else { throw KistError(.system, "out of memory for a zstd context") }
    unsafe self.context = context
    unsafe planes = .allocate(byteCount: Layout.maximumChunkByteCount, alignment: Layout.alignment)
    unsafe whole = .allocate(byteCount: Layout.maximumChunkByteCount, alignment: Layout.alignment)
  }

  deinit {
    unsafe ZSTD_freeDCtx(context)
    unsafe planes.deallocate()
    unsafe whole.deallocate()
  }

  /// Decodes a chunk whose stored bytes match their checksum.
  ///
  /// - Parameters:
  ///   - stored: the table of plane lengths and the frames.
  ///   - output: exactly the chunk's raw length, overwritten.
  /// - Throws: `damaged` when the planes do not fill the chunk exactly.
  package func decode(
    _ stored: UnsafeRawBufferPointer, _ layout: PlaneLayout, into output: UnsafeMutableRawBufferPointer
  ) throws(KistError) {
    let widths = layout.planeWidths
    let unitCount = output.count / layout.unitByteCount
    guard stored.count >= 4 * widths.count, output.count == unitCount * layout.unitByteCount,
      output.count <= Layout.maximumChunkByteCount
    else { throw KistError(.damaged, field: "planes", "the chunk is too short for its planes") }
    let target = unsafe widths.count == 1 ? output : UnsafeMutableRawBufferPointer(rebasing: planes[..<output.count])
    var position = 4 * widths.count
    var start = 0
    for (plane, width) in widths.enumerated() {
      let length = unsafe Int(UInt32(littleEndian: stored.loadUnaligned(fromByteOffset: 4 * plane, as: UInt32.self)))
      guard length <= stored.count - position else {
        throw KistError(.damaged, field: "plane \(plane)", "\(length) bytes is more than the chunk has left")
      }
      let planeByteCount = unitCount * width
      unsafe try decodeFrame(
        UnsafeRawBufferPointer(rebasing: stored[position..<position + length]), plane: plane,
        into: UnsafeMutableRawBufferPointer(rebasing: target[start..<start + planeByteCount]))
      position += length
      start += planeByteCount
    }
    guard position == stored.count else {
      throw KistError(.damaged, field: "planes", "\(stored.count - position) bytes follow the last plane")
    }
    guard widths.count > 1 else { return }
    unsafe Planes.merge(UnsafeRawBufferPointer(target), layout, into: output)
  }

  private func decodeFrame(
    _ frame: UnsafeRawBufferPointer, plane: Int, into output: UnsafeMutableRawBufferPointer
  ) throws(KistError) {
    func damage(_ problem: String) -> KistError { KistError(.damaged, field: "plane \(plane)", problem) }
    // The magic number keeps out skippable frames and the formats before 1.0, which libzstd would also take.
    guard frame.count > 4, unsafe frame.loadUnaligned(as: UInt32.self).littleEndian == UInt32(ZSTD_MAGICNUMBER),
      unsafe ZSTD_findFrameCompressedSize(frame.baseAddress, frame.count) == frame.count
    else {
      throw damage("not exactly one zstd frame")
    }
    let result = unsafe ZSTD_decompressDCtx(context, output.baseAddress, output.count, frame.baseAddress, frame.count)
    guard ZSTD_isError(result) == 0 else {
      throw unsafe damage("zstd: \(String(cString: ZSTD_getErrorName(result)).lowercased())")
    }
    guard result == output.count else {
      throw damage("the frame holds \(result) bytes, where the plane has \(output.count)")
    }
  }

  /// Decodes a chunk and gives a part of it.
  package func decode(
    _ stored: UnsafeRawBufferPointer, _ layout: PlaneLayout, rawByteCount: Int, part: Range<Int>,
    into output: UnsafeMutableRawBufferPointer
  ) throws(KistError) {
    let chunk = unsafe UnsafeMutableRawBufferPointer(rebasing: whole[..<rawByteCount])
    unsafe try decode(stored, layout, into: chunk)
    unsafe output.copyMemory(from: UnsafeRawBufferPointer(rebasing: chunk[part]))
  }
}
