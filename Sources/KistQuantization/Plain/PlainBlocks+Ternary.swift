import KistCore

/// Quantization of IQ1_S and IQ1_M: numbers −1, 0 or 1 shifted up or down by 1/8.
extension PlainBlocks {
  private static let up: [Float] = [-0.875, 0.125, 1.125]
  private static let down: [Float] = [-1.125, -0.125, 0.875]

  /// A split of ascending numbers into those for −1, 0 and 1.
  private struct Split {
    var score = -Float.greatestFiniteMagnitude
    var scale: Float
    var first = 0
    var second = 0
    var kind: Int?

    mutating func attempt(_ qx: Float, _ q2: Float, _ first: Int, _ second: Int, _ kind: Int) {
      guard q2 > 0, qx * qx > score * q2 else { return }
      self = Split(score: qx / q2 * qx, scale: qx / q2, first: first, second: second, kind: kind)
    }
  }

  private static func greatest(_ x: [Float]) -> Float {
    x.dropFirst().reduce(x[0].magnitude) { $0 > $1.magnitude ? $0 : $1.magnitude }
  }

  /// Places in ascending order of numbers; equal ones keep theirs, as with glibc's merge sort. NaNs lie at the ends.
  private static func order(_ x: [Float]) -> [Int] {
    let keys = x.map { number -> Int32 in
      let bits = Int32(bitPattern: (number + 0).bitPattern)
      return bits ^ (bits >> 31 & .max)
    }
    return x.indices.sorted { keys[$0] != keys[$1] ? keys[$0] < keys[$1] : $0 < $1 }
  }

  private static func scaleCode(_ scale: Float, _ d: Float) -> Int {
    (0.5 * (1 / d * scale - 1)).nearest.clamped(0, 7)
  }

  /// The points of a split, and the scale bettered when one of them was not on the grid.
  private static func place(
    _ split: Split, _ x: [Float], _ w: [Float], _ order: [Int], isUp: [Bool]
  ) -> (codes: [Int], scale: Float) {
    let grid = PlainGrid.all[3]
    var levels = [Int](repeating: 0, count: x.count)
    for (rank, place) in order.enumerated() {
      let level = rank < split.first ? 0 : rank < split.second ? 1 : 2
      levels[place] = split.scale < 0 ? 2 - level : level
    }
    let scale = split.scale.magnitude
    let rounded = subRanges(x.count).map { grid.code(Array(levels[$0])) }
    let codes = zip(rounded, subRanges(x.count)).enumerated().map { k, group in
      grid.contains(group.0)
        ? group.0 : grid.bestNeighbour(of: group.0, x[group.1], w[group.1], scale, isUp[k] ? up : down)
    }
    if codes == rounded { return (codes, scale) }
    var (sumQX, sumQ2) = (0 as Float, 0 as Float)
    for (i, level) in codes.flatMap(grid.numbers).enumerated() {
      let q = (isUp[i / 8] ? up : down)[level]
      sumQX += w[i] * q * x[i]
      sumQ2 += w[i] * q * q
    }
    return (codes, sumQX > 0 && sumQ2 > 0 ? sumQX / sumQ2 : scale)
  }

  private static func subRanges(_ count: Int) -> [Range<Int>] { stride(from: 0, to: count, by: 8).map { $0..<$0 + 8 } }

  /// The best split of 32 numbers with one shift: kind 1 up, 0 down.
  private static func splitIQ1S(_ x: [Float], _ w: [Float], _ order: [Int]) -> Split {
    var (sumX, sumW) = ([0 as Float], [0 as Float])
    for (j, i) in order.enumerated() {
      sumX.append(sumX[j] + w[i] * x[i])
      sumW.append(sumW[j] + w[i])
    }
    var best = Split(scale: greatest(x))
    for first in 0...32 {
      for second in first...32 {
        let xs = [sumX[first] - sumX[0], sumX[second] - sumX[first], sumX[32] - sumX[second]]
        let ws = [sumW[first] - sumW[0], sumW[second] - sumW[first], sumW[32] - sumW[second]]
        for (kind, v) in [(1, up), (0, down)] {
          best.attempt(
            xs[0] * v[0] + xs[1] * v[1] + xs[2] * v[2],
            ws[0] * v[0] * v[0] + ws[1] * v[1] * v[1] + ws[2] * v[2] * v[2], first, second, kind)
        }
      }
    }
    return best
  }

  static func iq1S(_ values: [Float], importance: [Float]?) -> [UInt8] {
    let x = subBlocks(values, 32)
    let w = weights(x, importance, sigma2: 2 * sumOfSquares(values) / 256) { $0.map { $0 * $0 } }
    var b = BlockBytes([0, 0])
    var (words, scales) = ([Int](repeating: 0, count: 8), [Float](repeating: 0, count: 8))
    for j in 0..<8 {
      let order = order(x[j])
      let split = splitIQ1S(x[j], w[j], order)
      guard !(greatest(x[j]) < 1e-12), let kind = split.kind else {
        b.append(0, bytes: 4)
        continue
      }
      let isUp = (kind == 1) != (split.scale < 0)
      let found = place(split, x[j], w[j], order, isUp: [Bool](repeating: isUp, count: 4))
      let places = found.codes.map { PlainGrid.all[3].place($0) }
      for place in places { b.append(place) }
      words[j] = (0..<4).reduce(isUp ? 0 : 0x8000) { $0 | (places[$1] >> 8) << (3 * $1) }
      scales[j] = found.scale
    }
    let greatest = scales.reduce(0) { $0 > $1 ? $0 : $1 }
    let d = greatest / 15
    if greatest != 0 { b.bytes.replaceSubrange(0..<2, with: halfBytes(d * 1.125)) }
    for j in 0..<8 {
      b.append(greatest != 0 ? words[j] | scaleCode(scales[j], d) << 12 : words[j] & 0x7FFF, bytes: 2)
    }
    return b.bytes
  }

  private static func halfBytes(_ x: Float) -> [UInt8] {
    let half = Half.encode(x)
    return [UInt8(truncatingIfNeeded: half), UInt8(truncatingIfNeeded: half >> 8)]
  }

  /// The best split of 16 numbers whose halves have shifts of their own: bit 1 of the kind says that the first half's is
  /// down, bit 0 that the second's is.
  private static func splitIQ1M(_ x: [Float], _ w: [Float], _ order: [Int]) -> Split {
    var (px, pw) = ([[0 as Float], [0]], [[0 as Float], [0]])
    for (j, i) in order.enumerated() {
      for half in 0..<2 {
        px[half].append(i / 8 == half ? px[half][j] + w[i] * x[i] : px[half][j])
        pw[half].append(i / 8 == half ? pw[half][j] + w[i] : pw[half][j])
      }
    }
    var best = Split(scale: greatest(x))
    for first in 0...16 {
      for second in first...16 {
        let sums = (0..<2).map { half in
          [up, down].map { v in
            let (lower, upper) = (v[0] * v[0] - v[1] * v[1], v[1] * v[1] - v[2] * v[2])
            let qx = px[half][16] * v[2] - (px[half][first] + px[half][second])
            let q2 = pw[half][16] * v[2] * v[2] + pw[half][first] * lower + pw[half][second] * upper
            return (qx: qx, q2: q2)
          }
        }
        for kind in 0..<4 {
          let (a, b) = (sums[0][kind >> 1], sums[1][kind & 1])
          best.attempt(a.qx + b.qx, a.q2 + b.q2, first, second, kind)
        }
      }
    }
    return best
  }

  static func iq1M(_ values: [Float], importance: [Float]?) -> [UInt8] {
    let x = subBlocks(values, 16)
    let w = weights(x, importance, sigma2: 2 * sumOfSquares(values) / 256) { $0.map { $0 * $0 } }
    let grid = PlainGrid.all[3]
    var (codes, kinds) = ([Int](repeating: grid.codes[0], count: 32), [Int](repeating: 0, count: 16))
    var scales = [Float](repeating: 0, count: 16)
    for j in 0..<16 {
      let order = order(x[j])
      let split = splitIQ1M(x[j], w[j], order)
      guard !(greatest(x[j]) < 1e-7), let kind = split.kind else { continue }
      kinds[j] = split.scale < 0 ? 3 - kind : kind
      let found = place(split, x[j], w[j], order, isUp: [kinds[j] & 2 == 0, kinds[j] & 1 == 0])
      codes.replaceSubrange(2 * j..<2 * j + 2, with: found.codes)
      scales[j] = found.scale
    }
    let greatest = scales.reduce(0) { $0 > $1 ? $0 : $1 }
    let isZero = greatest == 0
    let places = codes.map { grid.place($0) }
    var d = greatest / 15
    let scaleCodes = scales.map { isZero ? 0 : scaleCode($0, d) }
    var (sumQX, sumQ2) = (0 as Float, 0 as Float)
    for j in 0..<16 {
      for (i, level) in codes[2 * j..<2 * j + 2].flatMap(grid.numbers).enumerated() {
        let q = (kinds[j] & (i < 8 ? 2 : 1) == 0 ? up : down)[level] * Float(2 * scaleCodes[j] + 1)
        sumQX += w[j][i] * q * x[j][i]
        sumQ2 += w[j][i] * q * q
      }
    }
    if sumQ2 > 0 { d = sumQX / sumQ2 }
    let half = isZero ? 0 : Int(Half.encode(d * 1.1125))
    var b = BlockBytes([])
    for place in places { b.append(place) }
    for j in 0..<16 {
      let shifts = isZero ? 0 : (kinds[j] & 1) << 7 | (kinds[j] & 2) << 2
      b.append(places[2 * j] >> 8 | (places[2 * j + 1] >> 8) << 4 | shifts)
    }
    for k in 0..<4 {
      let word = (0..<4).reduce((half >> (4 * k) & 15) << 12) { $0 | scaleCodes[4 * k + $1] << (3 * $1) }
      b.append(word, bytes: 2)
    }
    return b.bytes
  }
}
