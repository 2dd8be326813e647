import KistCore

/// Quantization of K types: a super-block of 256 numbers.
extension PlainBlocks {
  static func subBlocks(_ x: [Float], _ size: Int) -> [[Float]] {
    stride(from: 0, to: x.count, by: size).map { Array(x[$0..<$0 + size]) }
  }

  /// The weights of errors: by the importance matrix, or as the type has it.
  static func weights(
    _ x: [[Float]], _ importance: [Float]?, sigma2: Float, otherwise: ([Float]) -> [Float]
  ) -> [[Float]] {
    guard let importance else { return x.map(otherwise) }
    return zip(x, subBlocks(importance, x[0].count)).map { x, importance in
      zip(x, importance).map { $1 * (sigma2 + $0 * $0).squareRoot() }
    }
  }

  static func sumOfSquares(_ x: [Float]) -> Float { x.reduce(0) { $0 + $1 * $1 } }

  /// Quantizes a sub-block again with the scale and minimum that are stored.
  private static func requantize(_ x: [Float], _ quants: [Int], _ d: Float, _ m: Float, highest: Int) -> [Int] {
    d == 0 ? quants : x.map { (($0 + m) / d).nearest.clamped(0, highest) }
  }

  private static func requantize(_ x: [Float], _ quants: [Int], _ d: Float, half: Int) -> [Int] {
    d == 0 ? quants : x.map { ($0 / d).nearest.clamped(-half, half - 1) + half }
  }

  private static func appendPairs(_ q: [Int], to b: inout BlockBytes) {
    for i in 0..<64 {
      b.append((0..<4).reduce(0) { $0 | (q[i / 32 * 128 + i % 32 + 32 * $1] & 3) << (2 * $1) })
    }
  }

  static func q2K(_ values: [Float], importance: [Float]?) -> [UInt8] {
    let x = subBlocks(values, 16)
    let w = weights(x, importance, sigma2: sumOfSquares(values) / 256) { $0.map(\.magnitude) }
    let found = zip(x, w).map {
      importance == nil
        ? searchAffine($0, $1, highest: 3, first: -0.5, step: 0.1, steps: 15, absolute: true)
        : searchAffine($0, $1, highest: 3, first: -0.9, step: 0.05, steps: 36)
    }
    func quantize(_ numbers: [Float]) -> (scale: Float, quants: [Int]) {
      if importance != nil { return searchPositive(numbers, w.map { $0.reduce(0, +) }, highest: 15) }
      let greatest = numbers.reduce(0 as Float) { $1 > $0 ? $1 : $0 }
      return greatest > 0
        ? (greatest / 15, numbers.map { (15 / greatest * $0).nearest }) : (0, numbers.map { _ in 0 })
    }
    let (scales, minimums) = (quantize(found.map(\.scale)), quantize(found.map(\.minimum)))
    let (d, dmin) = (Half.rounded(scales.scale), Half.rounded(minimums.scale))
    var b = BlockBytes([])
    let bytes = zip(scales.quants, minimums.quants).map { ($0 | $1 << 4) & 255 }
    for byte in bytes { b.append(byte) }
    let quants = x.indices.flatMap {
      requantize(x[$0], found[$0].quants, d * Float(bytes[$0] & 15), dmin * Float(bytes[$0] >> 4), highest: 3)
    }
    appendPairs(quants, to: &b)
    b.append(Int(Half.encode(scales.scale)), bytes: 2)
    b.append(Int(Half.encode(minimums.scale)), bytes: 2)
    return b.bytes
  }

  static func q3K(_ values: [Float], importance: [Float]?) -> [UInt8] {
    let x = subBlocks(values, 16)
    let w = weights(x, importance, sigma2: 2 * sumOfSquares(values) / 256) { $0 }
    let found = zip(x, w).map { importance == nil ? searchQ3($0) : searchSymmetric($0, $1, half: 4) }
    var (d, codes) = (0 as Float, [Int](repeating: 0, count: 16))
    if importance != nil {
      (d, codes) = searchSymmetric(found.map(\.scale), w.map { $0.reduce(0, +) }, half: 32)
    } else if extreme(found.map(\.scale)) != 0 {
      let factor = -32 / extreme(found.map(\.scale))
      codes = found.map { Int(Int8(truncatingIfNeeded: (factor * $0.scale).nearest)).clamped(-32, 31) + 32 }
      d = 1 / factor
    }
    let stored = Half.rounded(d)
    let quants = x.indices.flatMap { requantize(x[$0], found[$0].quants, stored * Float(codes[$0] - 32), half: 4) }
    var b = BlockBytes([])
    for i in 0..<32 { b.append((0..<8).reduce(0) { $0 | (quants[32 * $1 + i] >> 2) << $1 }) }
    appendPairs(quants, to: &b)
    for j in 0..<8 { b.append(codes[j] & 15 | codes[j + 8] << 4) }
    for j in 0..<4 { b.append((0..<4).reduce(0) { $0 | (codes[j + 4 * $1] >> 4) << (2 * $1) }) }
    b.append(Int(Half.encode(d)), bytes: 2)
    return b.bytes
  }

  /// Q4_K and Q5_K.
  static func affineK(_ dtype: DType, _ values: [Float], importance: [Float]?) -> [UInt8] {
    let highest = dtype == .q4_k ? 15 : 31
    let x = subBlocks(values, 32)
    let w = weights(x, importance, sigma2: 2 * sumOfSquares(values) / 256) { x in
      let average = (sumOfSquares(x) / 32).squareRoot()
      return x.map { average + $0.magnitude }
    }
    let found = zip(x, w).map {
      importance == nil
        ? searchAffine(
          $0, $1, highest: highest, first: highest == 15 ? -1 : -0.5, step: 0.1, steps: highest == 15 ? 20 : 15)
        : searchAffine($0, $1, highest: highest, first: -0.9, step: 0.05, steps: 36)
    }
    func quantize(_ numbers: [Float]) -> (scale: Float, quants: [Int]) {
      if importance != nil { return searchPositive(numbers, w.map { $0.reduce(0, +) }, highest: 63) }
      let greatest = numbers.reduce(0 as Float) { $1 > $0 ? $1 : $0 }
      let factor = greatest > 0 ? 63 / greatest : 0
      return (greatest / 63, numbers.map { min((factor * $0).nearest & 255, 63) })
    }
    var (scales, minimums) = (quantize(found.map(\.scale)), quantize(found.map(\.minimum)))
    if highest == 31 {
      scales.quants = scales.quants.map { min($0, 63) }
      minimums.quants = minimums.quants.map { min($0, 63) }
    }
    let (d, dmin) = (Half.rounded(scales.scale), Half.rounded(minimums.scale))
    let quants = x.indices.flatMap {
      requantize(
        x[$0], found[$0].quants, d * Float(scales.quants[$0] & 63), dmin * Float(minimums.quants[$0] & 63),
        highest: highest)
    }
    var b = BlockBytes([])
    b.append(Int(Half.encode(scales.scale)), bytes: 2)
    b.append(Int(Half.encode(minimums.scale)), bytes: 2)
    for codes in [scales.quants, minimums.quants] { for j in 0..<4 { b.append(codes[j] | (codes[j + 4] >> 4) << 6) } }
    for j in 4..<8 { b.append(scales.quants[j] & 15 | (minimums.quants[j] & 15) << 4) }
    if highest == 31 { for i in 0..<32 { b.append((0..<8).reduce(0) { $0 | (quants[32 * $1 + i] >> 4) << $1 }) } }
    for i in 0..<128 {
      let place = i / 32 * 64 + i % 32
      b.append(quants[place] & 15 | (quants[place + 32] & 15) << 4)
    }
    return b.bytes
  }

  static func q6K(_ values: [Float], importance: [Float]?) -> [UInt8] {
    let x = subBlocks(values, 16)
    let w = importance.map { subBlocks($0, 16) }
    let found = x.indices.map { searchSymmetric(x[$0], w?[$0], half: 32) }
    let extreme = extreme(found.map(\.scale))
    guard extreme.magnitude >= 1e-15 else { return [UInt8](repeating: 0, count: 210) }
    let factor = -128 / extreme
    let d = Half.rounded(1 / factor)
    let scales = found.map { Int(Int8(truncatingIfNeeded: min((factor * $0.scale).nearest, 127))) }
    let q = x.indices.flatMap { requantize(x[$0], found[$0].quants, d * Float(scales[$0]), half: 32) }
    var b = BlockBytes([])
    for half in [0, 128] {
      for i in 0..<64 { b.append(q[half + i] & 15 | (q[half + 64 + i] & 15) << 4) }
    }
    for half in [0, 128] {
      for i in 0..<32 { b.append((0..<4).reduce(0) { $0 | (q[half + i + 32 * $1] >> 4) << (2 * $1) }) }
    }
    for scale in scales { b.append(scale) }
    b.append(Int(Half.encode(1 / factor)), bytes: 2)
    return b.bytes
  }
}
