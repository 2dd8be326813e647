import KistCore

/// The plain twins of the kernels in CKernels/Blocks: they define what those compute, one block after the other, in the
/// order of operations of llama.cpp's `ggml-quants.c`.
///
/// Tests compare the two over finite numbers, NaNs and infinities. Nothing else uses them.
package enum PlainBlocks {
  /// The numbers of whole blocks.
  package static func dequantize(_ dtype: DType, _ bytes: [UInt8]) -> [Float] {
    stride(from: 0, to: bytes.count, by: dtype.unitByteCount).flatMap { start in
      dequantizeBlock(dtype, BlockBytes(Array(bytes[start..<start + dtype.unitByteCount])))
    }
  }

  private static func dequantizeBlock(_ dtype: DType, _ block: BlockBytes) -> [Float] {
    switch dtype {
    case .q1_0, .q2_0, .q4_0, .q4_1, .q5_0, .q5_1, .q8_0, .q8_1, .iq4_nl, .mxfp4, .nvfp4, .tq1_0, .tq2_0:
      simple(dtype, block)
    case .q2_k, .q3_k, .q4_k, .q5_k, .q6_k, .q8_k, .iq4_xs: superBlock(dtype, block)
    default: gridBlock(dtype, block)
    }
  }

  /// The blocks of whole rows; as ``BlockCodec/quantize(_:rows:columns:importance:into:)``.
  package static func quantize(_ dtype: DType, _ values: [Float], columns: Int, importance: [Float]?) -> [UInt8] {
    let size = dtype.unitElementCount
    return stride(from: 0, to: values.count, by: columns).flatMap { row in
      let meanSquare = values[row..<row + columns].reduce(0) { $0 + $1 * $1 } / Float(columns)
      return stride(from: 0, to: columns, by: size).flatMap { start in
        quantizeBlock(
          dtype, Array(values[row + start..<row + start + size]),
          importance: importance.map { Array($0[start..<start + size]) }, rowMeanSquare: meanSquare)
      }
    }
  }

  private static func quantizeBlock(
    _ dtype: DType, _ x: [Float], importance: [Float]?, rowMeanSquare: Float
  ) -> [UInt8] {
    switch dtype {
    case .q1_0, .q2_0, .q8_0, .mxfp4, .nvfp4, .tq1_0, .tq2_0: plainBlock(dtype, x)
    case .q4_0, .q4_1, .q5_0, .q5_1:
      importance.map { weightedBlock(dtype, x, importance: $0, sigma2: rowMeanSquare) } ?? plainBlock(dtype, x)
    case .iq4_nl: iq4NL(x, importance: importance)
    case .iq4_xs: iq4XS(x, importance: importance)
    case .q2_k: q2K(x, importance: importance)
    case .q3_k: q3K(x, importance: importance)
    case .q4_k, .q5_k: affineK(dtype, x, importance: importance)
    case .q6_k: q6K(x, importance: importance)
    case .iq1_s: iq1S(x, importance: importance)
    case .iq1_m: iq1M(x, importance: importance)
    default: gridBlock(dtype, x, importance: importance)
    }
  }
}

/// The bytes of a block, and the numbers in them.
struct BlockBytes {
  var bytes: [UInt8]

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  subscript(index: Int) -> Int { Int(bytes[index]) }
  func u16(_ index: Int) -> Int { self[index] | self[index + 1] << 8 }
  func u32(_ index: Int) -> Int { u16(index) | u16(index + 2) << 16 }
  func half(_ index: Int) -> Float { Half.decode(UInt16(u16(index))) }

  /// Bits of a run of numbers of `width` bits, the first in the lowest bits of its byte.
  func field(_ start: Int, _ width: Int, _ index: Int) -> Int {
    self[start + index * width / 8] >> (index * width % 8) & ((1 << width) - 1)
  }

  mutating func append(_ number: Int, bytes count: Int = 1) {
    for shift in 0..<count { bytes.append(UInt8(truncatingIfNeeded: number >> (8 * shift))) }
  }
}

/// IEEE binary16 as GGML converts it.
enum Half {
  static func decode(_ half: UInt16) -> Float { MiniFloat.f16.decode(half) }

  /// Rounds to nearest, ties to even; every NaN becomes 7E00 with its sign.
  static func encode(_ x: Float) -> UInt16 {
    let doubled = x.bitPattern &+ x.bitPattern
    var base = x.magnitude * 0x1p112 * 0x1p-110
    base = Float(bitPattern: max(doubled & 0xFF00_0000, 0x7100_0000) >> 1 + 0x0780_0000) + base
    let number = base.bitPattern >> 13 & 0x7C00 + base.bitPattern & 0x0FFF
    return UInt16(x.bitPattern >> 16 & 0x8000 | (doubled > 0xFF00_0000 ? 0x7E00 : number))
  }

  /// What is left of a number that is stored.
  static func rounded(_ x: Float) -> Float { decode(encode(x)) }
}

/// Conversions to whole numbers, also of numbers that are none or too large.
extension Float {
  /// `nearest_int`: to nearest, ties to even, up to 2^22; beyond it the same nonsense as there.
  var nearest: Int { Int((self + 12_582_912).bitPattern & 0x007F_FFFF) - 0x0040_0000 }

  /// What x86 makes of it: without what follows the point; the least Int32 when it does not fit.
  var truncated: Int { self < 0x1p31 && self >= -0x1p31 ? Int(self) : Int(Int32.min) }

  /// Halves away from zero.
  var roundedAway: Int { rounded(.toNearestOrAwayFromZero).truncated }

  var inverse: Float { self != 0 ? 1 / self : 0 }
}

extension Int {
  func clamped(_ low: Int, _ high: Int) -> Int { Swift.max(low, Swift.min(high, self)) }
}
