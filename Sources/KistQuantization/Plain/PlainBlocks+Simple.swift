import Foundation
import KistCore

/// Quantization with one scale per block.
extension PlainBlocks {
  /// The number of the greatest magnitude, the first of them; NaNs are passed over.
  static func extreme(_ x: [Float]) -> Float { x.reduce(0) { $1.magnitude > $0.magnitude ? $1 : $0 } }

  static func plainBlock(_ dtype: DType, _ x: [Float]) -> [UInt8] {
    var b = BlockBytes([])
    switch dtype {
    case .q1_0:
      b.append(Int(Half.encode(x.reduce(0) { $0 + $1.magnitude } / 128)), bytes: 2)
      for group in stride(from: 0, to: 128, by: 8) {
        b.append((0..<8).reduce(0) { $0 | (x[group + $1] >= 0 ? 1 << $1 : 0) })
      }
    case .q2_0:
      let d = extreme(x).magnitude
      b.append(Int(Half.encode(d)), bytes: 2)
      let q = x.map { ($0 * d.inverse).roundedAway.clamped(-1, 2) + 1 }
      for group in stride(from: 0, to: 64, by: 4) { b.append((0..<4).reduce(0) { $0 | q[group + $1] << (2 * $1) }) }
    case .q4_0, .q5_0:
      let half: Float = dtype == .q4_0 ? 8 : 16
      let d = extreme(x) / -half
      b.append(Int(Half.encode(d)), bytes: 2)
      let q = x.map { byte(($0 * d.inverse + (half + 0.5)).truncated, atMost: Int(half) * 2 - 1) }
      appendSmall(q, hasFifths: dtype == .q5_0, to: &b)
    case .q4_1, .q5_1:
      let low = x.reduce(Float.greatestFiniteMagnitude) { $1 < $0 ? $1 : $0 }
      let high = x.reduce(-Float.greatestFiniteMagnitude) { $1 > $0 ? $1 : $0 }
      let highest = dtype == .q4_1 ? 15 : 31
      let d = (high - low) / Float(highest)
      b.append(Int(Half.encode(d)), bytes: 2)
      b.append(Int(Half.encode(low)), bytes: 2)
      let q = x.map { (($0 - low) * d.inverse + 0.5).truncated }
      appendSmall(dtype == .q4_1 ? q.map { byte($0, atMost: 15) } : q, hasFifths: dtype == .q5_1, to: &b)
    case .q8_0:
      let d = extreme(x).magnitude / 127
      b.append(Int(Half.encode(d)), bytes: 2)
      for number in x { b.append((number * d.inverse).roundedAway) }
    case .mxfp4:
      let greatest = extreme(x).magnitude
      let e = greatest > 0 ? (log2f(greatest).rounded(.down) - 2 + 127).truncated & 255 : 0
      b.append(e)
      let q = x.map { nearestE2M1($0, halfOfE8M0(e)) }
      for i in 0..<16 { b.append(q[i] | q[i + 16] << 4) }
    case .nvfp4:
      let runs = stride(from: 0, to: 64, by: 16).map { Array(x[$0..<$0 + 16]) }
      let scales = runs.map { ue4m3(extreme($0).magnitude / 6) }
      for scale in scales { b.append(scale) }
      for (run, scale) in zip(runs, scales) {
        let q = run.map { nearestE2M1($0, halfOfUE4M3(scale)) }
        for i in 0..<8 { b.append(q[i] | q[i + 8] << 4) }
      }
    default: appendTernary(dtype, x, to: &b)
    }
    return b.bytes
  }

  private static func byte(_ number: Int, atMost highest: Int) -> Int {
    min(Int(Int8(truncatingIfNeeded: number)), highest)
  }

  /// 32 numbers of 4 bits, with a fifth bit of each before them.
  static func appendSmall(_ q: [Int], hasFifths: Bool, to b: inout BlockBytes) {
    if hasFifths { b.append((0..<32).reduce(0) { $0 | (q[$1] >> 4 & 1) << $1 }, bytes: 4) }
    for i in 0..<16 { b.append((hasFifths ? q[i] & 15 : q[i]) | (hasFifths ? q[i + 16] & 15 : q[i + 16]) << 4) }
  }

  private static func nearestE2M1(_ x: Float, _ scale: Float) -> Int {
    var (best, error) = (0, (doubledE2M1[0] * scale - x).magnitude)
    for i in 1..<16 where (doubledE2M1[i] * scale - x).magnitude < error {
      (best, error) = (i, (doubledE2M1[i] * scale - x).magnitude)
    }
    return best
  }

  /// To unsigned E4M3, halves up.
  private static func ue4m3(_ x: Float) -> Int {
    guard x > 0 else { return 0 }
    let x = min(x, 448)
    let exponent = Int(x.bitPattern >> 23 & 255) - 120
    if exponent <= 0 { return min((x * 512 + 0.5).truncated, 7) }
    let number = exponent << 3 + Int(x.bitPattern >> 20 & 7) + Int(x.bitPattern >> 19 & 1)
    return min(number, 0x7E)
  }

  private static func appendTernary(_ dtype: DType, _ x: [Float], to b: inout BlockBytes) {
    let d = extreme(x).magnitude
    let digits = x.map { number -> Int in
      let rounded = (number * d.inverse).roundedAway
      return (rounded == Int(Int32.min) ? 0 : rounded) + 1
    }
    if dtype == .tq1_0 {
      for (start, width, count) in [(0, 32, 5), (160, 16, 5), (240, 4, 4)] {
        for m in 0..<width {
          var number = (0..<count).reduce(0) { $0 * 3 + digits[start + width * $1 + m] }
          if count == 4 { number *= 3 }
          b.append(((number & 255) * 256 + 242) / 243)
        }
      }
    } else {
      for i in 0..<64 {
        b.append((0..<4).reduce(0) { $0 | (digits[i / 32 * 128 + i % 32 + 32 * $1] & 3) << (2 * $1) })
      }
    }
    b.append(Int(Half.encode(d)), bytes: 2)
  }
}
