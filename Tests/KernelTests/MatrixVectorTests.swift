import TestSupport
import Testing

/// How a matrix is stored: the kernel that multiplies it, and what its bytes stand for.
struct StoredMatrix: CustomTestStringConvertible, Sendable {
  let testDescription: String
  let kernel: Clone.MatrixVector
  let columnMultiple: Int
  /// The bytes of a row whose numbers are near the given ones.
  let encode: @Sendable ([Float]) -> [UInt8]
  /// The numbers of a row.
  let decode: @Sendable ([UInt8]) -> [Float]

  static let all: [StoredMatrix] = [
    StoredMatrix(
      testDescription: "f32", kernel: .f32, columnMultiple: 1, encode: littleEndianBytes,
      decode: { words($0, of: UInt32.self).map(Float.init(bitPattern:)) }),
    StoredMatrix(
      testDescription: "bf16", kernel: .bf16, columnMultiple: 1,
      encode: { littleEndian($0.map { UInt16($0.bitPattern >> 16) }) },
      decode: { words($0, of: UInt16.self).map { Float(bitPattern: UInt32($0) << 16) } }),
    StoredMatrix(
      testDescription: "f16", kernel: .f16, columnMultiple: 1,
      encode: { littleEndian($0.map { Float16($0).bitPattern }) },
      decode: { words($0, of: UInt16.self).map { Float(Float16(bitPattern: $0)) } }),
    StoredMatrix(
      testDescription: "q8_0", kernel: .q8, columnMultiple: 32, encode: encodeQ8, decode: decodeQ8),
  ]

  private static func littleEndian(_ values: [UInt16]) -> [UInt8] {
    values.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] }
  }

  private static func words<Word: FixedWidthInteger>(_ bytes: [UInt8], of: Word.Type) -> [Word] {
    let width = Word.bitWidth / 8
    return stride(from: 0, to: bytes.count, by: width).map { start in
      (0..<width).reduce(0) { $0 | Word(bytes[start + $1]) << (8 * Word($1)) }
    }
  }

  private static func encodeQ8(_ values: [Float]) -> [UInt8] {
    stride(from: 0, to: values.count, by: 32).flatMap { start -> [UInt8] in
      let block = values[start..<start + 32]
      let scale = Float16((block.map(abs).max() ?? 0) / 127)
      let numbers = block.map { Int8(max(-128, min(127, ($0 / max(Float(scale), 1e-30)).rounded()))) }
      return littleEndian([scale.bitPattern]) + numbers.map(UInt8.init(bitPattern:))
    }
  }

  private static func decodeQ8(_ bytes: [UInt8]) -> [Float] {
    stride(from: 0, to: bytes.count, by: 34).flatMap { start -> [Float] in
      let scale = Float(Float16(bitPattern: words(Array(bytes[start..<start + 2]), of: UInt16.self)[0]))
      return bytes[start + 2..<start + 34].map { scale * Float(Int8(bitPattern: $0)) }
    }
  }

  func multiply(_ clone: Clone, _ rows: [UInt8], _ rowCount: Int, _ x: [Float]) -> [Float] {
    clone.multiply(kernel, rows: rows, rowCount: rowCount, x)
  }
}

@Suite struct MatrixVectorTests {
  @Test(arguments: StoredMatrix.all, Clone.all)
  func `a stored matrix times a vector is the product of its numbers`(matrix: StoredMatrix, clone: Clone) {
    var random = SeededGenerator(seed: 41)
    for columns in edgeLengths.map({ $0 * matrix.columnMultiple }) where columns <= 4099 {
      let x = random.weights(columns, deviation: 1)
      let rows = (0..<5).map { _ in matrix.encode(random.weights(columns)) }
      let result = matrix.multiply(clone, rows.flatMap { $0 }, 5, x)
      for (row, y) in zip(rows, result) {
        let products = zip(matrix.decode(row), x).map { Double($0) * Double($1) }
        #expect(abs(Double(y) - products.reduce(0, +)) <= 3e-7 * products.reduce(0) { $0 + abs($1) })
      }
      #expect(result == matrix.multiply(Clone.all[0], rows.flatMap { $0 }, 5, x))
      #expect(matrix.multiply(clone, rows[3], 1, x) == [result[3]])
    }
    #expect(matrix.multiply(clone, [], 0, []) == [])
    #expect(matrix.multiply(clone, [], 3, []) == [0, 0, 0])
  }

  @Test(arguments: Clone.all) func `every bit pattern of a 16-bit float is decoded`(clone: Clone) {
    let patterns = (0...UInt16.max).map { $0 }
    let bytes = patterns.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] }
    for matrix in StoredMatrix.all where ["bf16", "f16"].contains(matrix.testDescription) {
      #expect(bits(matrix.multiply(clone, bytes, patterns.count, [1])) == bits(matrix.decode(bytes).map { $0 + 0 }))
    }
  }

  @Test(arguments: Clone.all) func `a block of Q8_0 scales every byte, whatever the scale`(clone: Clone) {
    let matrix = StoredMatrix.all[3]
    for scale in [1, -0.5, 6e-8, 6e-5, 65504, 0] as [Float16] {
      for start in stride(from: 0, to: 256, by: 32) {
        let pattern = scale.bitPattern
        let block = [UInt8(truncatingIfNeeded: pattern), UInt8(pattern >> 8)] + (start..<start + 32).map { UInt8($0) }
        for k in 0..<32 {
          var unit = [Float](repeating: 0, count: 32)
          unit[k] = 1
          #expect(matrix.multiply(clone, block, 1, unit) == [matrix.decode(block)[k]])
        }
      }
    }
  }
}
