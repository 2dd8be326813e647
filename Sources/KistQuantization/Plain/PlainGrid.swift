import CKernels

/// A grid of points of 8 or 4 numbers, and what lies next to those that are not on it.
struct PlainGrid {
  /// In order; a number has `bits` bits, the first the lowest.
  let codes: [Int]
  let digits: Int
  let bits: Int
  let levels: Int
  /// By code: its place, or nil.
  private var places: [Int?]
  /// By code of a point that is not on the grid: the points of the nearest few distances, by distance and place.
  private var neighbours: [[Int]]

  /// By number of CKernels' grids: IQ2_XXS, IQ2_XS, IQ2_S, IQ1, IQ3_XXS, IQ3_S.
  static let all = [(256, 2, 2), (512, 2, 2), (1024, 2, 1), (2048, 2, 3), (256, 3, 2), (512, 3, 3)].enumerated().map {
    PlainGrid(Int32($0), count: $1.0, bits: $1.1, distances: $1.2)
  }

  /// - Source: iq2xs_init_impl and iq3xs_init_impl of `ggml-quants.c`.
  private init(_ number: Int32, count: Int, bits: Int, distances: Int) {
    codes = (0..<count).map { Int(kist_grid_code(number, Int32($0))) }
    (digits, levels) = bits == 2 ? (8, 3) : (4, 8)
    self.bits = bits
    places = [Int?](repeating: nil, count: 1 << (bits * digits))
    neighbours = [[Int]](repeating: [], count: 1 << (bits * digits))
    for (place, code) in codes.enumerated() { places[code] = place }
    let points = codes.map(numbers)
    for code in neighbours.indices where places[code] == nil {
      let point = numbers(code)
      guard point.allSatisfy({ $0 < levels }) else { continue }
      let squares = points.map { zip($0, point).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } }
      let near = Set(squares).sorted().prefix(distances)
      neighbours[code] = near.flatMap { distance in codes.indices.filter { squares[$0] == distance } }.map { codes[$0] }
    }
  }

  func numbers(_ code: Int) -> [Int] { (0..<digits).map { code >> (bits * $0) & ((1 << bits) - 1) } }

  func code(_ numbers: [Int]) -> Int { numbers.indices.reduce(0) { $0 | numbers[$1] << (bits * $1) } }

  /// The place of a code that is on the grid.
  func place(_ code: Int) -> Int { places[code] ?? 0 }

  func contains(_ code: Int) -> Bool { places[code] != nil }

  /// The neighbour with the least error, the first of them; the first of all when every error is infinite.
  func bestNeighbour(of code: Int, _ x: ArraySlice<Float>, _ w: ArraySlice<Float>, _ scale: Float, _ values: [Float])
    -> Int
  {
    var (best, error) = (neighbours[code][0], Float.greatestFiniteMagnitude)
    for candidate in neighbours[code] {
      var sum: Float = 0
      for (i, level) in numbers(candidate).enumerated() {
        let difference = scale * values[level] - x[x.startIndex + i]
        sum += w[w.startIndex + i] * difference * difference
      }
      if sum < error { (best, error) = (candidate, sum) }
    }
    return best
  }
}
