import CKernels
import KistCore

extension PlainBlocks {
  static let iq4Values: [Float] = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113]

  /// Twice the values of OCP's E2M1.
  static let doubledE2M1: [Float] = [0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12]

  /// 2^(e − 128).
  static func halfOfE8M0(_ e: Int) -> Float {
    Float(bitPattern: e < 2 ? 0x0020_0000 << UInt32(e) : UInt32(e - 1) << 23)
  }

  /// Half of an unsigned E4M3 number; 7F is 0, and the highest bit means nothing.
  static func halfOfUE4M3(_ x: Int) -> Float {
    if x == 0x7F { return 0 }
    let (exponent, mantissa) = (x >> 3 & 15, x & 7)
    return exponent == 0
      ? Float(mantissa) * 0x1p-10
      : Float(sign: .plus, exponent: exponent - 8, significand: 1 + Float(mantissa) / 8)
  }

  /// Types with one scale per block.
  static func simple(_ dtype: DType, _ b: BlockBytes) -> [Float] {
    let count = dtype.unitElementCount
    switch dtype {
    case .q1_0: return (0..<count).map { b.field(2, 1, $0) == 1 ? b.half(0) : -b.half(0) }
    case .q2_0: return (0..<count).map { Float(b.field(2, 2, $0) - 1) * b.half(0) }
    case .q4_0: return nibbles(b, 2).map { Float($0 - 8) * b.half(0) }
    case .q4_1: return nibbles(b, 4).map { Float($0) * b.half(0) + b.half(2) }
    case .q5_0: return fives(b, high: 2, low: 6).map { Float($0 - 16) * b.half(0) }
    case .q5_1: return fives(b, high: 4, low: 8).map { Float($0) * b.half(0) + b.half(2) }
    case .q8_0: return (0..<count).map { Float(Int8(truncatingIfNeeded: b[2 + $0])) * b.half(0) }
    case .q8_1: return (0..<count).map { Float(Int8(truncatingIfNeeded: b[4 + $0])) * b.half(0) }
    case .iq4_nl: return nibbles(b, 2).map { iq4Values[$0] * b.half(0) }
    case .mxfp4: return nibbles(b, 1).map { doubledE2M1[$0] * halfOfE8M0(b[0]) }
    case .nvfp4:
      return (0..<4).flatMap { s in
        (0..<16).map { doubledE2M1[b[4 + 8 * s + $0 % 8] >> (4 * ($0 / 8)) & 15] * halfOfUE4M3(b[s]) }
      }
    case .tq1_0: return ternaryDigits(b).map { Float($0 - 1) * b.half(52) }
    default:
      return (0..<count).map { Float(b[$0 / 128 * 32 + $0 % 32] >> ($0 % 128 / 32 * 2) & 3) - 1 }.map {
        $0 * b.half(64)
      }
    }
  }

  /// 32 numbers of 4 bits: the low halves of 16 bytes, then the high ones.
  private static func nibbles(_ b: BlockBytes, _ start: Int) -> [Int] {
    (0..<32).map { b[start + $0 % 16] >> (4 * ($0 / 16)) & 15 }
  }

  private static func fives(_ b: BlockBytes, high: Int, low: Int) -> [Int] {
    nibbles(b, low).enumerated().map { $1 | b.field(high, 1, $0) << 4 }
  }

  /// Bytes are fractions of 256 in base 3: 5 digits of 32 bytes, 5 of 16, 4 of 4.
  private static func ternaryDigits(_ b: BlockBytes) -> [Int] {
    let powers = [1, 3, 9, 27, 81]
    return [(0, 32, 5), (32, 16, 5), (48, 4, 4)].flatMap { start, width, digits in
      (0..<digits).flatMap { n in (0..<width).map { (b[start + $0] * powers[n] & 255) * 3 >> 8 } }
    }
  }

  /// Super-blocks of 256 numbers whose sub-blocks have scales.
  static func superBlock(_ dtype: DType, _ b: BlockBytes) -> [Float] {
    (0..<256).map { i in
      // Number i is in its half of 128 numbers in quarter `part`, in column `column` of 32.
      let (half, part, column) = (i / 128, i % 128 / 32, i % 32)
      switch dtype {
      case .q2_k:
        let scale = b[i / 16]
        let q = b[16 + 32 * half + column] >> (2 * part) & 3
        return b.half(80) * Float(scale & 15) * Float(q) - b.half(82) * Float(scale >> 4)
      case .q3_k:
        let q = b[32 + 32 * half + column] >> (2 * part) & 3 | (b[column] >> (4 * half + part) & 1) << 2
        return b.half(108) * Float(q3Scale(b, i / 16) - 32) * Float(q - 4)
      case .q4_k, .q5_k:
        let s = i / 32
        let (scale, minimum) = k4Scale(b, s)
        let low = b[(dtype == .q4_k ? 16 : 48) + s / 2 * 32 + column] >> (4 * (s % 2)) & 15
        let q = dtype == .q4_k ? low : low | (b[16 + column] >> s & 1) << 4
        return b.half(0) * Float(scale) * Float(q) - b.half(2) * Float(minimum)
      case .q6_k:
        let low = b[64 * half + part % 2 * 32 + column] >> (part / 2 * 4) & 15
        let high = b[128 + 32 * half + column] >> (2 * part) & 3
        return b.half(208) * Float(Int8(truncatingIfNeeded: b[192 + i / 16])) * Float((low | high << 4) - 32)
      case .q8_k:
        return Float(bitPattern: UInt32(b.u32(0))) * Float(Int8(truncatingIfNeeded: b[4 + i]))
      default:
        let s = i / 32
        let scale = b.field(4, 4, s) | (b.u16(2) >> (2 * s) & 3) << 4
        let q = b[8 + 16 * s + column % 16] >> (column / 16 * 4) & 15
        return b.half(0) * Float(scale - 32) * iq4Values[q]
      }
    }
  }

  private static func q3Scale(_ b: BlockBytes, _ s: Int) -> Int {
    b[96 + s % 8] >> (4 * (s / 8)) & 15 | (b[104 + s % 4] >> (2 * (s / 4)) & 3) << 4
  }

  private static func k4Scale(_ b: BlockBytes, _ s: Int) -> (scale: Int, minimum: Int) {
    s < 4
      ? (b[4 + s] & 63, b[8 + s] & 63)
      : (b[8 + s] & 15 | (b[s] >> 6) << 4, b[8 + s] >> 4 | (b[4 + s] >> 6) << 4)
  }

  /// Types that take 8 or 4 numbers from a grid.
  static func gridBlock(_ dtype: DType, _ b: BlockBytes) -> [Float] {
    (0..<32).flatMap { g in
      let s = g / 4
      switch dtype {
      case .iq2_xxs:
        let word = b.u32(6 + 8 * s)
        return twos(0, b[2 + 8 * s + g % 4], evenSigns(word >> (7 * (g % 4)) & 127), quarter(b.half(0), word >> 28))
      case .iq2_xs:
        let q = b.u16(2 + 2 * g)
        return twos(1, q & 511, evenSigns(q >> 9), quarter(b.half(0), b.field(66, 4, g / 2)))
      case .iq2_s:
        let place = b[2 + g] | b.field(66, 2, g) << 8
        return twos(2, place, b[34 + g], quarter(b.half(0), b.field(74, 4, g / 2)))
      case .iq3_xxs:
        let word = b.u32(66 + 4 * s)
        let d = b.half(0) * (0.5 + Float(word >> 28)) * 0.5
        let values: [Float] = [4, 12, 20, 28, 36, 44, 52, 62]
        return threes(4, [b[2 + 2 * g], b[3 + 2 * g]], values, evenSigns(word >> (7 * (g % 4)) & 127), d)
      case .iq3_s:
        let places = [0, 1].map { b[2 + 2 * g + $0] | b.field(66, 1, 2 * g + $0) << 8 }
        let d = b.half(0) * Float(1 + 2 * b.field(106, 4, s))
        return threes(5, places, [1, 3, 5, 7, 9, 11, 13, 15], b[74 + g], d)
      case .iq1_s:
        let high = b.u16(34 + 2 * s)
        let d = b.half(0) * Float(2 * (high >> 12 & 7) + 1)
        return ones(b[2 + g] | (high >> (3 * (g % 4)) & 7) << 8, high >> 15 == 1, d)
      default:
        let words = (0..<4).map { b.u16(48 + 2 * $0) }
        let half = (0..<4).reduce(0) { $0 | (words[$1] >> 12) << (4 * $1) }
        let d = Half.decode(UInt16(half)) * Float(2 * (words[g / 8] >> (3 * (g / 2 % 4)) & 7) + 1)
        let high = b.field(32, 4, g)
        return ones(b[g] | (high & 7) << 8, high >> 3 == 1, d)
      }
    }
  }

  private static func quarter(_ d: Float, _ scale: Int) -> Float { d * (0.5 + Float(scale)) * 0.25 }

  /// 7 signs, and an eighth that makes their number even.
  private static func evenSigns(_ bits: Int) -> Int { bits | (bits.nonzeroBitCount & 1) << 7 }

  private static func twos(_ grid: Int32, _ place: Int, _ signs: Int, _ d: Float) -> [Float] {
    let code = Int(kist_grid_code(grid, Int32(place)))
    return (0..<8).map { d * [8, 25, 43][code >> (2 * $0) & 3] * (signs >> $0 & 1 == 1 ? -1 : 1) }
  }

  private static func threes(_ grid: Int32, _ places: [Int], _ values: [Float], _ signs: Int, _ d: Float) -> [Float] {
    (0..<8).map { i in
      let code = Int(kist_grid_code(grid, Int32(places[i / 4])))
      return d * values[code >> (3 * (i % 4)) & 7] * (signs >> i & 1 == 1 ? -1 : 1)
    }
  }

  private static func ones(_ place: Int, _ isDown: Bool, _ d: Float) -> [Float] {
    let code = Int(kist_grid_code(3, Int32(place)))
    return (0..<8).map { d * (Float(code >> (2 * $0) & 3) - 1 + (isDown ? -0.125 : 0.125)) }
  }
}
