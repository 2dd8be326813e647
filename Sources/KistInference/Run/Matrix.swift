import KistCore

/// Activations: a row for each token, f32, row-major.
///
/// A reference, so that a step can write into the matrix it reads. One thread writes a row at a time.
@safe package final class Matrix: @unchecked Sendable {
  package let rowCount: Int
  package let columnCount: Int
  /// `rowCount × columnCount` numbers, for kernels.
  @unsafe package var values: UnsafeMutablePointer<Float> { unsafe room.values }
  private let room: MatrixRoom

  /// A matrix of zeros.
  package convenience init(rows: Int, columns: Int) {
    self.init(toFill: rows, columns: columns)
    unsafe values.initialize(repeating: 0, count: rows * columns)
  }

  /// A matrix of whatever was there; every number must be written before it is read.
  init(toFill rows: Int, columns: Int) {
    rowCount = rows
    columnCount = columns
    room = .take(rows * columns)
  }

  package convenience init(rows: Int, columns: Int, _ numbers: [Float]) {
    precondition(numbers.count == rows * columns, "as many numbers as the matrix holds")
    self.init(rows: rows, columns: columns)
    for (index, number) in numbers.enumerated() { unsafe values[index] = number }
  }

  deinit { room.give() }

  package var count: Int { rowCount * columnCount }

  /// The first number of a row.
  @unsafe package func row(_ index: Int) -> UnsafeMutablePointer<Float> { unsafe values + index * columnCount }

  package subscript(row: Int, column: Int) -> Float {
    precondition(row < rowCount && column < columnCount, "inside the matrix")
    return unsafe values[row * columnCount + column]
  }

  /// The numbers of some rows.
  package func numbers(ofRows rows: Range<Int>? = nil) -> [Float] {
    let rows = rows ?? 0..<rowCount
    precondition(rows.upperBound <= rowCount, "inside the matrix")
    return unsafe Array(UnsafeBufferPointer(start: row(rows.lowerBound), count: rows.count * columnCount))
  }

  /// The same numbers in another matrix.
  package func copy(ofRows rows: Range<Int>? = nil) -> Matrix {
    let rows = rows ?? 0..<rowCount
    precondition(rows.upperBound <= rowCount, "inside the matrix")
    let copy = Matrix(toFill: rows.count, columns: columnCount)
    unsafe copy.values.update(from: row(rows.lowerBound), count: copy.count)
    return copy
  }
}
