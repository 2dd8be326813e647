import KistCore

/// Quantization of IQ2_XXS, IQ2_XS, IQ2_S, IQ3_XXS and IQ3_S.
extension PlainBlocks {
  /// What differs between them.
  private struct GridKind {
    var grid: Int
    var size = 16
    var attempts = 9
    var step: Float = 0.1
    var epsilon: Float = 1e-15
    var sigmaFactor: Float = 1
    var dFactor: Float = 1
    var hasEvenSigns = true
    var startsOnGrid = true
    var redoesAll = false

    init(_ dtype: DType) {
      switch dtype {
      case .iq2_xxs:
        grid = 0
        (size, attempts, redoesAll) = (32, 6, true)
      case .iq2_xs: grid = 1
      case .iq2_s:
        grid = 2
        (epsilon, sigmaFactor, dFactor, hasEvenSigns) = (1e-8, 2, 0.9875, false)
      case .iq3_xxs:
        grid = 4
        (size, attempts, step, epsilon, sigmaFactor, dFactor) = (32, 15, 0.2, 1e-8, 2, 1.0125)
      default:
        grid = 5
        (size, step, epsilon, sigmaFactor, dFactor) = (32, 0.2, 0, 2, 1.033)
        (hasEvenSigns, startsOnGrid, redoesAll) = (false, false, true)
      }
    }
  }

  private struct GridResult {
    var codes: [Int]
    var signs: [Int]
    var scale: Float
  }

  static func gridBlock(_ dtype: DType, _ values: [Float], importance: [Float]?) -> [UInt8] {
    let kind = GridKind(dtype)
    let grid = PlainGrid.all[kind.grid]
    let x = subBlocks(values, kind.size)
    let sigma2 = kind.sigmaFactor * sumOfSquares(values) / 256
    let w = weights(x, importance, sigma2: sigma2) { $0.map { (dtype == .iq2_s ? 0.25 * sigma2 : 0) + $0 * $0 } }
    let found = zip(x, w).map { searchGrid(kind, grid, $0, $1) }
    let greatest = found.reduce(0 as Float) { $0 > $1.scale ? $0 : $1.scale }
    let d = greatest / 31
    let scales = found.map { greatest != 0 ? (0.5 * (1 / d * $0.scale - 1)).nearest.clamped(0, 15) : 0 }
    let isZero = greatest == 0
    var places = found.flatMap { $0.codes }.map { grid.place($0) }
    var signs = found.flatMap(\.signs)
    if isZero && kind.hasEvenSigns { (places, signs) = (places.map { _ in 0 }, signs.map { _ in 0 }) }
    var b = BlockBytes([])
    b.append(isZero ? 0 : Int(Half.encode(d * kind.dFactor)), bytes: 2)
    func word(_ j: Int) -> Int { (0..<4).reduce(scales[j] << 28) { $0 | signs[4 * j + $1] << (7 * $1) } }
    func appendScales() {
      for j in stride(from: 0, to: scales.count, by: 2) { b.append(scales[j] | scales[j + 1] << 4) }
    }
    /// What does not fit into a byte of the places.
    func appendHigh(bits: Int) {
      for start in stride(from: 0, to: places.count, by: 8 / bits) {
        b.append((0..<8 / bits).reduce(0) { $0 | (places[start + $1] >> 8) << (bits * $1) })
      }
    }
    switch dtype {
    case .iq2_xxs:
      for j in 0..<8 {
        for k in 0..<4 { b.append(places[4 * j + k]) }
        b.append(word(j), bytes: 4)
      }
    case .iq2_xs:
      for k in 0..<32 { b.append(places[k] | signs[k] << 9, bytes: 2) }
      appendScales()
    case .iq3_xxs:
      for place in places { b.append(place) }
      for j in 0..<8 { b.append(word(j), bytes: 4) }
    default:
      for place in places { b.append(place) }
      if dtype == .iq3_s { appendHigh(bits: 1) }
      for sign in signs { b.append(sign) }
      if dtype == .iq2_s { appendHigh(bits: 2) }
      appendScales()
    }
    return b.bytes
  }

  /// The magnitudes of numbers and their signs, 8 to a byte; an odd number of signs is made even where it costs least.
  private static func takeSigns(_ kind: GridKind, _ x: [Float], _ w: [Float]) -> (x: [Float], signs: [Int]) {
    var (magnitudes, signs) = (x.map { $0 >= 0 ? $0 : -$0 }, [Int]())
    for start in stride(from: 0, to: x.count, by: 8) {
      var bits = (0..<8).reduce(0) { $0 | (x[start + $1] >= 0 ? 0 : 1 << $1) }
      if kind.hasEvenSigns && bits.nonzeroBitCount % 2 == 1 {
        let costs = (0..<8).map { w[start + $0] * x[start + $0] * x[start + $0] }
        let cheapest = (1..<8).reduce(0) { costs[$1] < costs[$0] ? $1 : $0 }
        magnitudes[start + cheapest] = -magnitudes[start + cheapest]
        bits ^= 1 << cheapest
      }
      signs.append(kind.hasEvenSigns ? bits & 127 : bits)
    }
    return (magnitudes, signs)
  }

  private static func searchGrid(_ kind: GridKind, _ grid: PlainGrid, _ numbers: [Float], _ w: [Float]) -> GridResult {
    let (x, signs) = takeSigns(kind, numbers, w)
    let (groups, highest) = (kind.size / grid.digits, 2 * grid.levels - 1)
    var result = GridResult(codes: [Int](repeating: 0, count: groups), signs: signs, scale: 0)
    let zero = GridResult(
      codes: [Int](repeating: grid.codes[0], count: groups), signs: signs.map { _ in 0 }, scale: 0)
    let greatest = x.dropFirst().reduce(x[0]) { $0 > $1 ? $0 : $1 }
    if greatest < kind.epsilon || (kind.epsilon == 0 && greatest == 0) { return zero }
    var (range, best) = (greatest, 0 as Float)
    result.scale = greatest / Float(highest)
    if kind.grid == 0 {
      result.scale = searchPositive(x, w, highest: grid.levels + 1).scale
      range = result.scale * Float(grid.levels)
      if range <= 0 { return zero }
    }
    let roots = w.map { $0.squareRoot() }
    let levels = (0..<grid.levels).map { Float(2 * $0 + 1) }
    func round(_ factor: Float, _ scale: Float) -> (codes: [Int], onGrid: [Bool]) {
      let codes = (0..<groups).map { group in
        grid.code(
          (0..<grid.digits).map {
            (0.5 * (factor * x[group * grid.digits + $0] - 1)).nearest.clamped(0, grid.levels - 1)
          })
      }
      let onGrid = codes.map(grid.contains)
      let moved = codes.indices.map { group in
        let range = group * grid.digits..<(group + 1) * grid.digits
        return onGrid[group]
          ? codes[group] : grid.bestNeighbour(of: codes[group], x[range], roots[range], scale, levels)
      }
      return (moved, onGrid)
    }
    func sums(_ codes: [Int]) -> (qx: Float, q2: Float) {
      let q = codes.flatMap(grid.numbers).map { levels[$0] }
      return x.indices.reduce((0, 0)) { ($0.0 + w[$1] * x[$1] * q[$1], $0.1 + w[$1] * q[$1] * q[$1]) }
    }
    var onGrid = [Bool](repeating: kind.startsOnGrid, count: groups)
    for attempt in -kind.attempts...kind.attempts {
      let factor = (Float(highest) + Float(attempt) * kind.step) / range
      let new = round(factor, 1 / factor)
      let sum = sums(new.codes)
      if sum.q2 > 0 && sum.qx * sum.qx > best * sum.q2 {
        result.scale = sum.qx / sum.q2
        best = result.scale * sum.qx
        (result.codes, onGrid) = new
      }
    }
    if result.scale > 0 && (kind.grid == 0 || onGrid.contains(false)) {
      let new = round(1 / result.scale, result.scale)
      for group in 0..<groups where kind.redoesAll || !onGrid[group] { result.codes[group] = new.codes[group] }
      let sum = sums(result.codes)
      if sum.q2 > 0 { result.scale = sum.qx / sum.q2 }
    }
    if result.scale < 0 {
      result.scale = -result.scale
      result.signs = result.signs.map { $0 ^ (kind.hasEvenSigns ? 127 : 255) }
    }
    return result
  }
}
