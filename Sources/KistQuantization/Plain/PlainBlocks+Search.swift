/// The searches for scales: the functions of `ggml-quants.c` that are named with them.
extension PlainBlocks {
  private static let epsilon: Float = 1e-15

  /// `make_qkx2_quants` and `make_qkx3_quants`: x is about scale × l − minimum, l from 0 to `highest`.
  static func searchAffine(
    _ x: [Float], _ w: [Float], highest: Int, first: Float, step: Float, steps: Int, absolute: Bool = false
  ) -> (scale: Float, minimum: Float, quants: [Int]) {
    var (low, high, sumW, sumX) = (x[0], x[0], w[0], w[0] * x[0])
    for i in 1..<x.count {
      if x[i] < low { low = x[i] }
      if x[i] > high { high = x[i] }
      sumW += w[i]
      sumX += w[i] * x[i]
    }
    if low > 0 { low = 0 }
    if high == low { return (0, -low, x.map { _ in 0 }) }
    func round(_ factor: Float) -> [Int] { x.map { (factor * ($0 - low)).nearest.clamped(0, highest) } }
    func error(_ quants: [Int], _ scale: Float, _ low: Float) -> Float {
      x.indices.reduce(0) {
        let difference = scale * Float(quants[$1]) + low - x[$1]
        return $0 + w[$1] * (absolute ? difference.magnitude : difference * difference)
      }
    }
    var scale = 1 / (Float(highest) / (high - low))
    var quants = round(Float(highest) / (high - low))
    var best = error(quants, scale, low)
    for attempt in 0...steps {
      let new = round((first + step * Float(attempt) + Float(highest)) / (high - low))
      var (sumL, sumL2, sumXL) = (0 as Float, 0 as Float, 0 as Float)
      for i in x.indices {
        let l = Float(new[i])
        sumL += w[i] * l
        sumL2 += w[i] * l * l
        sumXL += w[i] * l * x[i]
      }
      let determinant = sumW * sumL2 - sumL * sumL
      guard determinant > 0 else { continue }
      var newScale = (sumW * sumXL - sumX * sumL) / determinant
      var newLow = (sumL2 * sumX - sumL * sumXL) / determinant
      if newLow > 0 { (newLow, newScale) = (0, sumXL / sumL2) }
      let newError = error(new, newScale, newLow)
      if newError < best { (quants, best, scale, low) = (new, newError, newScale, newLow) }
    }
    return (scale, -low, quants)
  }

  /// `make_qx_quants` with rmse_type 1: x is about scale × (l − half), l from 0 to 2 × half − 1.
  static func searchSymmetric(_ x: [Float], _ w: [Float]?, half: Int) -> (scale: Float, quants: [Int]) {
    let extreme = extreme(x)
    guard extreme.magnitude >= epsilon else { return (0, x.map { _ in 0 }) }
    func round(_ factor: Float) -> [Int] { x.map { (factor * $0).nearest.clamped(-half, half - 1) } }
    func sums(_ l: [Int]) -> (lx: Float, l2: Float) {
      x.indices.reduce((0, 0)) { sums, i in
        let weight = w?[i] ?? x[i] * x[i]
        return (sums.0 + weight * x[i] * Float(l[i]), sums.1 + weight * Float(l[i]) * Float(l[i]))
      }
    }
    var quants = round(-Float(half) / extreme)
    var sum = sums(quants)
    var scale = sum.l2 != 0 ? sum.lx / sum.l2 : 0
    var best = scale * sum.lx
    for attempt in -9...9 where attempt != 0 {
      let new = round(-(Float(half) + 0.1 * Float(attempt)) / extreme)
      sum = sums(new)
      if sum.l2 > 0 && sum.lx * sum.lx > best * sum.l2 {
        (quants, scale) = (new, sum.lx / sum.l2)
        best = scale * sum.lx
      }
    }
    return (scale, quants.map { $0 + half })
  }

  /// `make_q3_quants` with do_rmse: as above with half = 4 and weights x², one number after the other.
  static func searchQ3(_ x: [Float]) -> (scale: Float, quants: [Int]) {
    let extreme = extreme(x)
    guard extreme.magnitude >= epsilon else { return (0, x.map { _ in 0 }) }
    var l = x.map { Float((-4 / extreme * $0).nearest.clamped(-4, 3)) }
    var (sumLX, sumL2) = (0 as Float, 0 as Float)
    for i in x.indices {
      sumLX += x[i] * x[i] * x[i] * l[i]
      sumL2 += x[i] * x[i] * l[i] * l[i]
    }
    improve(x, x.map { $0 * $0 }, &l, &sumLX, &sumL2, needsL2: false) { $0.clamped(-4, 3) }
    return (sumL2 > 0 ? sumLX / sumL2 : 0, l.map { Int($0) + 4 })
  }

  /// `make_qp_quants`: x, not negative, is about scale × l, l from 0 to `highest`.
  static func searchPositive(_ x: [Float], _ w: [Float], highest: Int) -> (scale: Float, quants: [Int]) {
    let greatest = x.reduce(0 as Float) { $0 > $1 ? $0 : $1 }
    if greatest < epsilon { return (0, x.map { _ in 0 }) }
    func error(_ scale: Float, _ l: (Float) -> Int) -> Float {
      x.indices.reduce(0) {
        let difference = x[$1] - scale * Float(l(x[$1]))
        return $0 + w[$1] * difference * difference
      }
    }
    var factor = Float(highest) / greatest
    var best = error(1 / factor) { (Float(highest) / greatest * $0).nearest & 255 }
    for attempt in -4...4 where attempt != 0 {
      let newFactor = (0.1 * Float(attempt) + Float(highest)) / greatest
      let newError = error(1 / newFactor) { min((newFactor * $0).nearest, highest) }
      if newError < best { (best, factor) = (newError, newFactor) }
    }
    var (sumLX, sumL2) = (0 as Float, 0 as Float)
    var l = x.map { Float(min((factor * $0).nearest, highest) & 255) }
    for i in x.indices {
      let number = Float(min((factor * x[i]).nearest, highest))
      sumLX += w[i] * x[i] * number
      sumL2 += w[i] * number * number
    }
    improve(x, w, &l, &sumLX, &sumL2, needsL2: true) { min($0, highest) }
    return (sumL2 > 0 ? sumLX / sumL2 : 0, l.map { Int($0) })
  }

  /// Betters one number after the other, up to five times; they are kept as bytes when they have no sign.
  private static func improve(
    _ x: [Float], _ w: [Float], _ l: inout [Float], _ sumLX: inout Float, _ sumL2: inout Float, needsL2: Bool,
    _ cut: (Int) -> Int
  ) {
    for _ in 0..<5 {
      var hasChanged = false
      for i in x.indices {
        var (lx, l2) = (sumLX - w[i] * x[i] * l[i], sumL2 - w[i] * l[i] * l[i])
        guard lx > 0, !needsL2 || l2 > 0 else { continue }
        let number = Float(cut((x[i] * l2 / lx).nearest))
        guard number != l[i] else { continue }
        lx += w[i] * x[i] * number
        l2 += w[i] * number * number
        guard needsL2 || l2 > 0, lx * lx * sumL2 > sumLX * sumLX * l2 else { continue }
        l[i] = needsL2 ? Float(Int(number) & 255) : number
        (sumLX, sumL2, hasChanged) = (lx, l2, true)
      }
      if !hasChanged { return }
    }
  }
}
