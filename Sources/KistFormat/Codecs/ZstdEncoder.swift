import CZstd
import KistCore

/// How the frame of one plane is found. Any choice gives a standard zstd frame; they differ in size and time.
package enum FrameCoding: Sendable, Hashable {
  /// Raw blocks: for noise, at the speed of memory.
  case stored
  /// Blocks of Huffman-coded literals without any search for matches: for skewed bytes.
  case literals(blockByteCount: Int)
  /// zstd's own search at a level.
  case level(Int32)
}

/// Writes zstd frames. One thread at a time.
@safe package final class ZstdEncoder {
  private nonisolated(unsafe) let literalContext: OpaquePointer
  private nonisolated(unsafe) let levelContext: OpaquePointer

  package init() throws(KistError) {
    guard let literal = unsafe ZSTD_createCCtx(), let level = unsafe ZSTD_createCCtx() else {
      throw KistError(.system, "out of memory for a zstd context")
    }
    unsafe (literalContext, levelContext) = (literal, level)
    let status = unsafe kist_zstd_use_literal_blocks(literal)
    guard ZSTD_isError(status) == 0 else {
      throw KistError(.system, "this libzstd refuses explicit blocks; version 1.5.0 or newer is needed")
    }
  }

  deinit {
    unsafe ZSTD_freeCCtx(literalContext)
    unsafe ZSTD_freeCCtx(levelContext)
  }

  /// Room that a frame of `byteCount` bytes can need, for every coding.
  package static func bound(_ byteCount: Int) -> Int { ZSTD_compressBound(byteCount) + 64 }

  /// Writes one frame and returns its length.
  package func encode(
    _ bytes: UnsafeRawBufferPointer, as coding: FrameCoding, into output: UnsafeMutableRawBufferPointer
  ) throws(KistError) -> Int {
    let result: Int
    switch coding {
    case .stored: return unsafe StoredFrame.write(bytes, into: output)
    case .literals(let blockByteCount): unsafe result = encodeLiterals(bytes, blockByteCount, output)
    case .level(let level):
      unsafe result = ZSTD_compressCCtx(
        levelContext, output.baseAddress, output.count, bytes.baseAddress, bytes.count, level)
    }
    guard ZSTD_isError(result) == 0 else {
      throw unsafe KistError(.system, "zstd: \(String(cString: ZSTD_getErrorName(result)))")
    }
    return result
  }

  private func encodeLiterals(
    _ bytes: UnsafeRawBufferPointer, _ blockByteCount: Int, _ output: UnsafeMutableRawBufferPointer
  ) -> Int {
    // Each block is one "sequence" of literals and no match, which is also zstd's mark of a block's end.
    var blocks: [ZSTD_Sequence] = []
    var rest = bytes.count
    repeat {
      let count = min(rest, blockByteCount)
      blocks.append(ZSTD_Sequence(offset: 0, litLength: UInt32(count), matchLength: 0, rep: 0))
      rest -= count
    } while rest > 0
    return unsafe ZSTD_compressSequences(
      literalContext, output.baseAddress, output.count, blocks, blocks.count, bytes.baseAddress, bytes.count)
  }
}

/// A zstd frame of raw blocks, written by hand: libzstd has no call that stores without looking. RFC 8878, 3.1.1.
package enum StoredFrame {
  private static let blockByteCount = 128 << 10

  package static func write(_ bytes: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) -> Int {
    var header = ByteWriter(capacity: 12)
    header.u32(UInt32(ZSTD_MAGICNUMBER))
    // Frame header descriptor: single segment (bit 5), and the width of the content size (bits 6, 7).
    switch bytes.count {
    case 0..<256:
      header.u8(0x20)
      header.u8(UInt8(bytes.count))
    case 256..<65536 + 256:
      header.u8(0x60)
      header.u16(UInt16(bytes.count - 256))
    default:
      header.u8(0xA0)
      header.u32(UInt32(bytes.count))
    }
    unsafe output.copyBytes(from: header.bytes)
    var position = header.bytes.count
    var start = 0
    repeat {
      let count = min(blockByteCount, bytes.count - start)
      let isLast = start + count == bytes.count
      // Block header, 24 bits: last block (bit 0), type raw (bits 1, 2), size.
      let block = UInt32(count) << 3 | (isLast ? 1 : 0)
      for byte in 0..<3 { unsafe output[position + byte] = UInt8(truncatingIfNeeded: block >> (8 * byte)) }
      position += 3
      unsafe UnsafeMutableRawBufferPointer(rebasing: output[position...]).copyMemory(
        from: UnsafeRawBufferPointer(rebasing: bytes[start..<start + count]))
      position += count
      start += count
    } while start < bytes.count
    return position
  }
}
