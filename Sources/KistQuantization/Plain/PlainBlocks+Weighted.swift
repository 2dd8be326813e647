import KistCore

/// Simple types with an importance matrix, and IQ4_NL and IQ4_XS.
extension PlainBlocks {
  static func weightedBlock(_ dtype: DType, _ x: [Float], importance: [Float], sigma2: Float) -> [UInt8] {
    let w = zip(x, importance).map { $1 * (sigma2 + $0 * $0).squareRoot() }
    var b = BlockBytes([])
    let quants: [Int]
    if dtype == .q4_0 || dtype == .q5_0 {
      let found = searchSymmetric(x, w, half: dtype == .q4_0 ? 8 : 16)
      b.append(Int(Half.encode(found.scale)), bytes: 2)
      quants = found.quants
    } else {
      let found = searchAffine(x, w, highest: dtype == .q4_1 ? 15 : 31, first: -0.9, step: 0.05, steps: 36)
      b.append(Int(Half.encode(found.scale)), bytes: 2)
      b.append(Int(Half.encode(-found.minimum)), bytes: 2)
      quants = found.quants
    }
    appendSmall(quants, hasFifths: dtype == .q5_0 || dtype == .q5_1, to: &b)
    return b.bytes
  }

  /// `best_index_int8`: the place of the nearest value.
  private static func iq4Place(_ x: Float) -> Int {
    if x <= iq4Values[0] { return 0 }
    if x >= iq4Values[15] { return 15 }
    var (low, high) = (0, 15)
    while high - low > 1 {
      let middle = (low + high) / 2
      if x < iq4Values[middle] { high = middle } else { low = middle }
    }
    return x - iq4Values[high - 1] < iq4Values[high] - x ? high - 1 : high
  }

  /// `quantize_row_iq4_nl_impl`: the scale of 32 numbers.
  private static func searchIQ4(_ x: [Float], _ w: [Float]) -> Float {
    let extreme = extreme(x)
    guard extreme.magnitude >= 1e-15 else { return 0 }
    func sums(_ factor: Float) -> (qx: Float, q2: Float) {
      x.indices.reduce((0, 0)) { sums, i in
        let q = iq4Values[iq4Place(factor * x[i])]
        return (sums.0 + w[i] * q * x[i], sums.1 + w[i] * q * q)
      }
    }
    var sum = sums(1 / (-extreme / -127))
    var scale = sum.q2 > 0 ? sum.qx / sum.q2 : 0
    var best = scale * sum.qx
    for attempt in -7...7 {
      sum = sums((Float(attempt) - 127) / extreme)
      if sum.q2 > 0 && sum.qx * sum.qx > best * sum.q2 {
        scale = sum.qx / sum.q2
        best = scale * sum.qx
      }
    }
    return scale
  }

  static func iq4NL(_ x: [Float], importance: [Float]?) -> [UInt8] {
    let w = weights([x], importance, sigma2: sumOfSquares(x) * (2.0 / 32)) { $0.map { $0 * $0 } }
    let scale = searchIQ4(x, w[0])
    var b = BlockBytes([])
    b.append(Int(Half.encode(scale)), bytes: 2)
    appendSmall(x.map { iq4Place(scale.inverse * $0) }, hasFifths: false, to: &b)
    return b.bytes
  }

  static func iq4XS(_ values: [Float], importance: [Float]?) -> [UInt8] {
    let x = subBlocks(values, 32)
    let w = weights(x, importance, sigma2: sumOfSquares(values) * (2.0 / 256)) { $0.map { $0 * $0 } }
    let scales = zip(x, w).map { searchIQ4($0, $1) }
    let d = -extreme(scales) / 32
    let codes = scales.map { (d.inverse * $0).nearest.clamped(-32, 31) }
    var b = BlockBytes([])
    b.append(Int(Half.encode(d)), bytes: 2)
    b.append(codes.indices.reduce(0) { $0 | ((codes[$1] + 32) >> 4) << (2 * $1) }, bytes: 2)
    for j in stride(from: 0, to: 8, by: 2) { b.append((codes[j] + 32) & 15 | ((codes[j + 1] + 32) & 15) << 4) }
    for (x, code) in zip(x, codes) {
      let inverse = (d * Float(code)).inverse
      appendSmall(x.map { iq4Place(inverse * $0) }, hasFifths: false, to: &b)
    }
    return b.bytes
  }
}
