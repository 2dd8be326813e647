/// The directions in which vectors differ most, and where each vector lies along them.
///
/// From the eigenvectors of the Gram matrix of the centred vectors, which are those of the covariance seen from the other
/// side: a few words are much less than a row's width.
package struct PrincipalComponents {
  /// For each vector its coordinates, along the strongest direction first.
  package let coordinates: [[Double]]
  /// The part of all variance that each direction has.
  package let explained: [Double]

  package init(_ vectors: [[Double]], count: Int) {
    let centred = Self.centred(vectors)
    let gram = centred.map { a in centred.map { b in zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } } }
    let (values, eigenvectors) = Self.eigen(gram)
    let order = values.indices.sorted { (values[$0], $1) > (values[$1], $0) }.prefix(count)
    let total = values.reduce(0) { $0 + max(0, $1) }
    explained = order.map { total > 0 ? max(0, values[$0]) / total : 0 }
    let axes = order.map { index in
      let column = eigenvectors.map { $0[index] * max(0, values[index]).squareRoot() }
      // A direction has no sign of its own: the vector furthest out is put on its positive side.
      let furthest = column.indices.max { (abs(column[$0]), $1) < (abs(column[$1]), $0) }
      return furthest.map { column[$0] < 0 } == true ? column.map { -$0 } : column
    }
    coordinates = vectors.indices.map { row in axes.map { $0[row] } }
  }

  private static func centred(_ vectors: [[Double]]) -> [[Double]] {
    guard let width = vectors.first?.count else { return [] }
    var mean = [Double](repeating: 0, count: width)
    for vector in vectors { for index in 0..<width { mean[index] += vector[index] / Double(vectors.count) } }
    return vectors.map { zip($0, mean).map { $0 - $1 } }
  }

  /// Eigenvalues and eigenvectors (as columns) of a symmetric matrix, by Jacobi's rotations.
  /// Source: Golub and Van Loan, Matrix Computations, section 8.5.
  private static func eigen(_ symmetric: [[Double]]) -> (values: [Double], vectors: [[Double]]) {
    let count = symmetric.count
    var matrix = symmetric
    var vectors = (0..<count).map { row in (0..<count).map { $0 == row ? 1.0 : 0 } }
    let scale = matrix.joined().reduce(0) { $0 + $1 * $1 }
    for _ in 0..<60 {
      var rest = 0.0
      for row in 0..<count {
        for column in row + 1..<max(row + 1, count) { rest += matrix[row][column] * matrix[row][column] }
      }
      guard rest > 1e-26 * scale else { break }
      for p in 0..<count {
        for q in p + 1..<max(p + 1, count) where matrix[p][q] != 0 {
          let theta = (matrix[q][q] - matrix[p][p]) / (2 * matrix[p][q])
          let t = (theta >= 0 ? 1.0 : -1.0) / (abs(theta) + (theta * theta + 1).squareRoot())
          let cosine = 1 / (t * t + 1).squareRoot()
          let sine = t * cosine
          for index in 0..<count {
            let (a, b) = (matrix[index][p], matrix[index][q])
            (matrix[index][p], matrix[index][q]) = (cosine * a - sine * b, sine * a + cosine * b)
          }
          for index in 0..<count {
            let (a, b) = (matrix[p][index], matrix[q][index])
            (matrix[p][index], matrix[q][index]) = (cosine * a - sine * b, sine * a + cosine * b)
            let (v, w) = (vectors[index][p], vectors[index][q])
            (vectors[index][p], vectors[index][q]) = (cosine * v - sine * w, sine * v + cosine * w)
          }
        }
      }
    }
    return ((0..<count).map { matrix[$0][$0] }, vectors)
  }
}
