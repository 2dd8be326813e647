import KistCore
import KistQuantization
import Testing

/// Blocks and numbers are, bit for bit, those of llama.cpp, on every kind of processor.
@Suite struct BlockGoldenTests {
  static let dtypes = DType.blockTypes.filter { $0 != .q8_1 && $0 != .q8_k }

  @Test func `there are golden data for every type`() {
    #expect(Set(BlockSamples.golden.keys) == Set(Self.dtypes.map(\.name)))
  }

  @Test(arguments: dtypes, BlockCodec.Level.runnable)
  func `random blocks are dequantized as llama.cpp does it`(dtype: DType, level: BlockCodec.Level) throws {
    let codec = try #require(BlockCodec(dtype, level: level))
    let values = codec.dequantized(BlockSamples.blocks(of: dtype))
    #expect(BlockSamples.digest(values) == BlockSamples.golden[dtype.name]?["dequantized"])
  }

  @Test(arguments: dtypes, BlockCodec.Level.runnable)
  func `numbers are quantized as llama.cpp does it`(dtype: DType, level: BlockCodec.Level) throws {
    let codec = try #require(BlockCodec(dtype, level: level))
    let golden = try #require(BlockSamples.golden[dtype.name])
    for isWeighted in codec.requiresImportance ? [true] : [false, true] {
      let suffix = isWeighted ? " weighted" : ""
      for name in BlockSamples.cases {
        let blocks = codec.quantized(
          BlockSamples.numbers(name, for: dtype), columns: BlockSamples.columns,
          importance: isWeighted ? BlockSamples.importance : nil)
        #expect(BlockSamples.digest(blocks) == golden[name + suffix], "\(name)\(suffix)")
        guard name == "normal" else { continue }
        let hex = blocks.prefix(dtype.unitByteCount).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }
        #expect(hex.joined() == golden["first block" + suffix])
      }
    }
  }

  @Test func `types of intermediate results are read but not written`() throws {
    for dtype in [DType.q8_1, .q8_k] { #expect(try #require(BlockCodec(dtype)).canQuantize == false) }
    for dtype in Self.dtypes { #expect(try #require(BlockCodec(dtype)).canQuantize) }
    #expect(BlockCodec(.f16) == nil)
  }
}

extension BlockCodec {
  func dequantized(_ blocks: [UInt8]) -> [Float] {
    unsafe [Float](unsafeUninitializedCapacity: blocks.count / dtype.unitByteCount * dtype.unitElementCount) {
      values, count in
      count = unsafe values.count
      guard let base = unsafe values.baseAddress else { return }
      unsafe blocks.withUnsafeBytes { unsafe dequantize(blocks: $0, into: base) }
    }
  }

  func quantized(_ values: [Float], columns: Int, importance: [Float]? = nil) -> [UInt8] {
    let size = values.count / dtype.unitElementCount * dtype.unitByteCount
    return unsafe [UInt8](unsafeUninitializedCapacity: size) { blocks, count in
      count = size
      guard let target = unsafe UnsafeMutableRawPointer(blocks.baseAddress) else { return }
      unsafe values.withUnsafeBufferPointer { values in
        guard let source = unsafe values.baseAddress else { return }
        let rows = values.count / columns
        guard let importance else {
          return unsafe quantize(source, rows: rows, columns: columns, into: target)
        }
        unsafe importance.withUnsafeBufferPointer {
          unsafe quantize(source, rows: rows, columns: columns, importance: $0.baseAddress, into: target)
        }
      }
    }
  }
}
