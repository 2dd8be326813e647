import KistCore
import KistInference

/// Spreads the work of one operation over threads.
///
/// How it is cut hangs on the shapes alone, so that no result depends on the number of threads. Nothing stops half-way: who is asked
/// to stop does so between steps.
package struct Workers: Sendable {
  private let parallelism: Parallelism
  let scratch = TilePool()

  /// - Parameter threads: nil for one per core.
  package init(threads: Int?) { parallelism = Parallelism(threads: threads) }

  func forEach(_ count: Int, _ body: @escaping (Int) -> Void) throws(KistError) {
    guard count > 1 else { return count == 1 ? body(0) : () }
    try parallelism.forEach(count) { index throws(KistError) in body(index) }
  }

  /// Parts of `count` rows, of about `grain` numbers each.
  func forRows(
    _ count: Int, width: Int, grain: Int = 1 << 15, _ body: @escaping (Range<Int>) -> Void
  ) throws(KistError) {
    let rows = max(1, grain / max(1, width))
    try forEach((count + rows - 1) / rows) { part in body(part * rows..<min((part + 1) * rows, count)) }
  }

  // MARK: - Matrix products

  /// Cuts `count` rows of a product into parts of about 2^26 multiplications and additions, an even number of them.
  private func forParts(
    of count: Int, work: Int, _ body: @escaping (Range<Int>) -> Void
  ) throws(KistError) {
    let wanted = work < 1 << 22 ? 1 : (max(2, work >> 26) + 1) / 2 * 2
    // Whole registers of OpenBLAS' kernels.
    let size = ((count + wanted - 1) / wanted + 15) / 16 * 16
    try forEach((count + size - 1) / size) { part in body(part * size..<min((part + 1) * size, count)) }
  }

  /// y = x · Wᵀ; W: [columns of y, columns of x].
  func multiply(
    _ x: Matrix, rowCount: Int, byTransposed weights: UnsafePointer<Float>, into y: Matrix
  ) throws(KistError) {
    let (inner, outer) = (x.columnCount, y.columnCount)
    let splitsRows = rowCount >= outer
    try forParts(of: splitsRows ? rowCount : outer, work: 2 * rowCount * inner * outer) { part in
      let (row, column) = splitsRows ? (part.lowerBound, 0) : (0, part.lowerBound)
      unsafe BLAS.multiplyTransposed(
        BLAS.Part(values: x.row(row), stride: inner), BLAS.Part(values: weights + column * inner, stride: inner),
        rows: splitsRows ? part.count : rowCount, columns: splitsRows ? outer : part.count, inner: inner,
        into: y.row(row) + column, stride: outer)
    }
  }

  /// dx (+)= dy · W.
  func multiply(
    _ dy: Matrix, rowCount: Int, by weights: UnsafePointer<Float>, into dx: Matrix, adds: Bool
  ) throws(KistError) {
    let (inner, outer) = (dy.columnCount, dx.columnCount)
    let splitsRows = rowCount >= outer
    try forParts(of: splitsRows ? rowCount : outer, work: 2 * rowCount * inner * outer) { part in
      let (row, column) = splitsRows ? (part.lowerBound, 0) : (0, part.lowerBound)
      unsafe BLAS.multiply(
        BLAS.Part(values: dy.row(row), stride: inner), BLAS.Part(values: weights + column, stride: outer),
        rows: splitsRows ? part.count : rowCount, columns: splitsRows ? outer : part.count, inner: inner,
        keeping: adds ? 1 : 0, into: dx.row(row) + column, stride: outer)
    }
  }

  /// dW += dyᵀ · x.
  func addProduct(
    ofTransposed dy: Matrix, _ x: Matrix, rowCount: Int, to gradient: UnsafeMutablePointer<Float>
  ) throws(KistError) {
    let (rows, columns) = (dy.columnCount, x.columnCount)
    let splitsRows = rows >= columns
    try forParts(of: splitsRows ? rows : columns, work: 2 * rowCount * rows * columns) { part in
      let (row, column) = splitsRows ? (part.lowerBound, 0) : (0, part.lowerBound)
      unsafe BLAS.multiplyFirstTransposed(
        BLAS.Part(values: dy.values + row, stride: rows), BLAS.Part(values: x.values + column, stride: columns),
        rows: splitsRows ? part.count : rows, columns: splitsRows ? columns : part.count, inner: rowCount, keeping: 1,
        into: gradient + row * columns + column, stride: columns)
    }
  }
}
