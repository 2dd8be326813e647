import KistCore

/// MXFP4 as ggml has it, of what checkpoints on the hub have in two tensors: a byte of scale, then 16 bytes whose low halves are the first
/// 16 numbers of the block. There neighbours share a byte.
/// Source: OCP Microscaling Formats 1.0, section 5.3; block_mxfp4 of llama.cpp's ggml-common.h.
struct MXFP4Blocks: ByteSource {
  let blocks: any ByteSource
  let scales: any ByteSource

  static let packedByteCount = 16
  static let blockByteCount = packedByteCount + 1

  var byteCount: Int { scales.byteCount * Self.blockByteCount }

  func withBytes(
    _ range: Range<Int>, _ body: (UnsafeRawBufferPointer) throws(KistError) -> Void
  ) throws(KistError) {
    let wanted = numbers(around: range)
    var output = [UInt8](repeating: 0, count: wanted.count * Self.blockByteCount)
    unsafe try scales.withBytes(wanted) { scales throws(KistError) in
      for index in 0..<wanted.count { output[index * Self.blockByteCount] = unsafe scales[index] }
    }
    // A range of blocks is a little shorter than one of ggml's.
    let packed = wanted.lowerBound * Self.packedByteCount..<wanted.upperBound * Self.packedByteCount
    unsafe try blocks.withBytes(packed) { bytes throws(KistError) in
      for index in 0..<wanted.count {
        let (from, to) = (index * Self.packedByteCount, index * Self.blockByteCount + 1)
        for place in 0..<8 {
          let (low, high) = unsafe (bytes[from + place], bytes[from + place + 8])
          output[to + 2 * place] = low & 15 | high << 4
          output[to + 2 * place + 1] = low >> 4 | high & 0xF0
        }
      }
    }
    let start = range.lowerBound - wanted.lowerBound * Self.blockByteCount
    let result = unsafe output.withUnsafeBytes { all in
      Result { () throws(KistError) in
        unsafe try body(UnsafeRawBufferPointer(rebasing: all[start..<start + range.count]))
      }
    }
    try result.get()
  }

  func release(_ range: Range<Int>) {
    let unused = numbers(around: range)
    scales.release(unused)
    blocks.release(unused.lowerBound * Self.packedByteCount..<unused.upperBound * Self.packedByteCount)
  }

  private func numbers(around range: Range<Int>) -> Range<Int> {
    range.lowerBound / Self.blockByteCount..<(range.upperBound + Self.blockByteCount - 1) / Self.blockByteCount
  }
}
