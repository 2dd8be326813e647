import KistCore
import KistQuantization
import TestSupport
import Testing

@Suite struct RowDecoderTests {
  private func decode(_ dtype: DType, _ bytes: [UInt8], count: Int) throws -> [Float] {
    let decoder = try #require(RowDecoder(dtype))
    #expect(decoder.byteCount(of: count) == bytes.count)
    return unsafe [Float](unsafeUninitializedCapacity: count) { values, initialized in
      initialized = count
      guard let base = unsafe values.baseAddress else { return }
      unsafe bytes.withUnsafeBytes { source in
        guard let start = unsafe source.baseAddress else { return }
        unsafe decoder.decode(start, count: count, into: base)
      }
    }
  }

  /// Bits of numbers, every NaN as the same ones.
  private func bits(_ values: [Float]) -> [UInt32] { values.map { $0.isNaN ? 0x7FC0_0000 : $0.bitPattern } }

  @Test(arguments: [DType.f16, .bf16])
  func `every 16-bit float is widened exactly`(dtype: DType) throws {
    guard case .float(let format) = dtype.numbers else { return }
    let bytes = (0...UInt16.max).flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] }
    let expected = (0...UInt16.max).map { format.decode($0) }
    #expect(bits(try decode(dtype, bytes, count: 65536)) == bits(expected))
    for count in [0, 1, 7, 17, 33] {
      #expect(bits(try decode(dtype, Array(bytes[..<(2 * count)]), count: count)) == bits(Array(expected[..<count])))
    }
  }

  @Test func `every pattern of small floats is decoded, the first from the lowest bits`() throws {
    for dtype in DType.all where !dtype.isBlockType && dtype.bitsPerElement <= 8 {
      guard case .float(let format) = dtype.numbers else { continue }
      let width = dtype.bitsPerElement
      var bytes = [UInt8](repeating: 0, count: (1 << width) * width / 8)
      for pattern in 0..<1 << width {
        for bit in 0..<width where pattern >> bit & 1 == 1 {
          bytes[(pattern * width + bit) / 8] |= 1 << UInt8((pattern * width + bit) % 8)
        }
      }
      let expected = (0..<1 << width).map { format.decode(UInt16($0)) }
      #expect(bits(try decode(dtype, bytes, count: 1 << width)) == bits(expected), "\(dtype)")
    }
  }

  @Test func `integers and wide floats are rounded to the nearest`() throws {
    #expect(try decode(.i8, [0x80, 0x7F], count: 2) == [-128, 127])
    #expect(try decode(.u8, [0, 255], count: 2) == [0, 255])
    #expect(try decode(.bool, [0, 1, 7], count: 3) == [0, 1, 1])
    #expect(try decode(.i16, [0, 0x80], count: 1) == [-32768])
    #expect(try decode(.u32, [255, 255, 255, 255], count: 1) == [4_294_967_296])
    #expect(try decode(.i64, [255, 255, 255, 255, 255, 255, 255, 255], count: 1) == [-1])
    let third = (1.0 / 3).bitPattern
    #expect(
      try decode(.f64, (0..<8).map { UInt8(truncatingIfNeeded: third >> (8 * $0)) }, count: 1) == [Float(1.0 / 3)])
    #expect(try decode(.f32, [0, 0, 0xC0, 0x3F], count: 1) == [1.5])
  }

  @Test func `block types are decoded block by block, at any address`() throws {
    let blocks = BlockSamples.blocks(of: .q6_k)
    let codec = try #require(BlockCodec(.q6_k))
    let count = BlockSamples.rows * BlockSamples.columns
    #expect(bits(try decode(.q6_k, blocks, count: count)) == bits(codec.dequantized(blocks)))
    let shifted = [0] + blocks
    let values = unsafe [Float](unsafeUninitializedCapacity: count) { values, initialized in
      initialized = count
      guard let base = unsafe values.baseAddress else { return }
      unsafe shifted.withUnsafeBytes { source in
        unsafe codec.dequantize(blocks: UnsafeRawBufferPointer(rebasing: source[1...]), into: base)
      }
    }
    #expect(bits(values) == bits(codec.dequantized(blocks)))
    #expect(RowDecoder(.c64) == nil)
  }
}
