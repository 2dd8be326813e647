import KistCore
import KistQuantization
import TestSupport
import Testing

/// Kernels and their plain twins agree, on every kind of processor, where golden data end: over NaNs and infinities, and
/// for any number of blocks and rows.
@Suite struct BlockTwinTests {
  static let written = DType.blockTypes.filter { $0 != .q8_1 && $0 != .q8_k }

  @Test(arguments: DType.blockTypes)
  func `random blocks are dequantized alike`(dtype: DType) throws {
    let bytes = BlockSamples.blocks(of: dtype)
    let expected = BlockSamples.digest(PlainBlocks.dequantize(dtype, bytes))
    for level in BlockCodec.Level.runnable {
      let codec = try #require(BlockCodec(dtype, level: level))
      #expect(BlockSamples.digest(codec.dequantized(bytes)) == expected, "\(level)")
    }
  }

  @Test(arguments: written)
  func `the twins are llama.cpp's too`(dtype: DType) throws {
    let golden = try #require(BlockSamples.golden[dtype.name])
    let isWeighted = try #require(BlockCodec(dtype)).requiresImportance
    for name in ["normal", "outliers", "coarse"] {
      let blocks = PlainBlocks.quantize(
        dtype, BlockSamples.numbers(name, for: dtype), columns: BlockSamples.columns,
        importance: isWeighted ? BlockSamples.importance : nil)
      #expect(BlockSamples.digest(blocks) == golden[name + (isWeighted ? " weighted" : "")], "\(name)")
    }
  }

  /// Rows of one to a few blocks, so that lanes are never full, and of more.
  @Test(arguments: written)
  func `any number of blocks and rows is quantized alike`(dtype: DType) throws {
    var random = SeededGenerator(seed: 5)
    for (rows, blocks) in [(1, 1), (3, 1), (1, 3), (17, 1), (5, 4)] {
      let columns = blocks * dtype.unitElementCount
      try compare(dtype, random.weights(rows * columns), columns: columns, random.weights(columns).map(\.magnitude))
    }
  }

  @Test(arguments: written)
  func `NaNs and infinities are quantized alike`(dtype: DType) throws {
    var random = SeededGenerator(seed: 6)
    let columns = 4 * dtype.unitElementCount
    for special in [Float.nan, .infinity, -.infinity] {
      for share in [2, 40, 100_000] {
        var values = random.weights(2 * columns)
        values[columns / 2] = special
        for index in values.indices where random.next() % UInt64(share) == 0 { values[index] = special }
        try compare(dtype, values, columns: columns, random.weights(columns).map(\.magnitude))
      }
    }
  }

  private func compare(_ dtype: DType, _ values: [Float], columns: Int, _ importance: [Float]) throws {
    for importance in try #require(BlockCodec(dtype)).requiresImportance ? [importance] : [nil, importance] {
      let expected = PlainBlocks.quantize(dtype, values, columns: columns, importance: importance)
      for level in BlockCodec.Level.runnable {
        let codec = try #require(BlockCodec(dtype, level: level))
        let found = codec.quantized(values, columns: columns, importance: importance)
        #expect(found == expected, "\(level), \(values.count / columns) rows of \(columns)")
      }
    }
  }
}
