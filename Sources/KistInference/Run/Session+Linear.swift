import CKernels
import KistArchitectures
import KistCore

extension Session {
  /// x · Wᵀ + b, [tokens, rows of W]. Tensors: W and perhaps b.
  func linear(_ x: Matrix, _ tensors: [TensorKey]) throws(KistError) -> Matrix {
    inputObserver?(tensors[0], x)
    let parts = try weights.parts(tensors[0])
    let bias = tensors.count > 1 ? try weights.vector(tensors[1]) : nil
    let output = Matrix(toFill: x.rowCount, columns: parts.reduce(0) { $0 + $1.rowCount })
    if parts.count == 1 {
      try multiply(x, parts[0], into: output)
    } else {
      try multiply(x, parts, into: output)
    }
    if let bias { addToRows(output, bias) }
    return output
  }

  /// Parts that a matrix whose rows lie transposed is cut into.
  private static let partCount = 8

  /// Rows of a tile: few enough that a small matrix too keeps several threads busy. Never a matter of their number, so that results
  /// are not.
  private func tileRowCount(_ weight: WeightMatrix, tokenCount: Int) -> Int {
    let rows = weight.rowCount
    // Where rows are read as they lie, a source gives 1 MiB at a time.
    let most =
      tokenCount == 1 || weight.dtype == .f32 ? weight.tileRowCount : max(1, (1 << 20) / max(1, weight.fileColumnCount))
    // OpenBLAS packs its inputs for each tile: the fewer, the better. A job that reads less than 128 KiB costs more than it brings.
    let wanted = tokenCount > 1 ? rows / 320 : min(32, rows * weight.fileRowByteCount >> 17)
    let parts = max(2, wanted, (rows + most - 1) / most)
    // As many for each of two threads, and whole registers.
    let even = (parts + 1) / 2 * 2
    return min(most, ((rows + even - 1) / even + 15) / 16 * 16)
  }

  /// The same for a matrix that lies in several tensors.
  private func multiply(_ x: Matrix, _ parts: [WeightMatrix], into output: Matrix) throws(KistError) {
    var column = 0
    for part in parts {
      let columns = Matrix(toFill: x.rowCount, columns: part.rowCount)
      try multiply(x, part, into: columns)
      for row in 0..<x.rowCount {
        unsafe (output.row(row) + column).update(from: columns.row(row), count: part.rowCount)
      }
      column += part.rowCount
    }
  }

  /// output = x · Wᵀ, a tile of W at a time.
  func multiply(_ x: Matrix, _ weight: WeightMatrix, into output: Matrix) throws(KistError) {
    precondition(x.columnCount == weight.columnCount && output.columnCount == weight.rowCount, "shapes that fit")
    if case .columns = weight.location.order {
      try multiplyTransposed(x, weight, into: output)
    } else {
      let gemv = x.rowCount == 1 && weight.location.addend == 0 ? Gemv(weight.dtype) : nil
      let tiles = weight.tiles(most: tileRowCount(weight, tokenCount: x.rowCount))
      let pool = pool
      try parallelism.forEach(tiles.count) { index throws(KistError) in
        let tile = tiles[index]
        if let gemv, tile.step == 1 {
          unsafe try weight.withStoredRows(tile) { bytes throws(KistError) in
            unsafe gemv.multiply(bytes, tile.count, weight.columnCount, x.values, output.values + tile.first)
          }
        } else {
          unsafe try weight.withTile(tile, pool) { values throws(KistError) in
            unsafe BLAS.multiply(x, values, rows: tile.count, into: output, column: tile.first)
          }
        }
        weight.release(tile)
      }
      weight.release()
    }
  }

  /// The same where the file has a row for each column of W: inputs are taken a slice at a time and summed up.
  private func multiplyTransposed(_ x: Matrix, _ weight: WeightMatrix, into output: Matrix) throws(KistError) {
    guard case .columns(let first, let step, let width, _) = weight.location.order else { return }
    let pool = pool
    for tile in weight.tiles(most: weight.tileRowCount) {
      unsafe try weight.withTile(tile, pool) { values throws(KistError) in
        let part = (weight.rowCount + Self.partCount - 1) / Self.partCount
        let tileValues = unsafe TilePointer(values)
        try parallelism.forEach(Self.partCount) { index throws(KistError) in
          let rows = min(index * part, weight.rowCount)..<min((index + 1) * part, weight.rowCount)
          guard !rows.isEmpty else { return }
          if step == 1 {
            unsafe BLAS.accumulate(x, tile, tileValues.values + first + rows.lowerBound, width, rows, into: output)
          } else {
            let gathered = pool.take()
            defer { pool.give(gathered) }
            gathered.reserve(tile.count * rows.count)
            for line in 0..<tile.count {
              for row in rows {
                unsafe gathered.values[line * rows.count + row - rows.lowerBound] =
                  tileValues.values[line * width + first + row * step]
              }
            }
            unsafe BLAS.accumulate(x, tile, gathered.values, rows.count, rows, into: output)
          }
        }
      }
      weight.release(tile)
    }
    weight.release()
  }

  /// Adds a vector to each row.
  func addToRows(_ matrix: Matrix, _ vector: [Float]) {
    for row in 0..<matrix.rowCount {
      unsafe vector.withUnsafeBufferPointer { unsafe kist_add(matrix.row(row), $0.baseAddress, matrix.columnCount) }
    }
  }
}

/// A pointer that jobs on several threads share while its owner waits for them.
@unsafe struct TilePointer: @unchecked Sendable {
  let values: UnsafePointer<Float>
  init(_ values: UnsafePointer<Float>) { unsafe self.values = unsafe values }
}

extension BLAS {
  /// output[:, column ..< column + rows] = x · Tᵀ, T: [rows, columns of x].
  static func multiply(
    _ x: Matrix, _ tile: UnsafePointer<Float>, rows: Int, into output: Matrix, column: Int
  ) {
    unsafe multiplyTransposed(
      Part(values: x.values, stride: x.columnCount), Part(values: tile, stride: x.columnCount), rows: x.rowCount,
      columns: rows, inner: x.columnCount, into: output.values + column, stride: output.columnCount)
  }

  /// output[:, rows] += x[:, tile] · T, T: [tile, rows] of rows that are `stride` apart; the first tile overwrites.
  static func accumulate(
    _ x: Matrix, _ tile: WeightMatrix.Tile, _ values: UnsafePointer<Float>, _ stride: Int, _ rows: Range<Int>,
    into output: Matrix
  ) {
    unsafe multiply(
      Part(values: x.values + tile.first, stride: x.columnCount), Part(values: values, stride: stride),
      rows: x.rowCount, columns: rows.count, inner: tile.count, keeping: tile.first == 0 ? 0 : 1,
      into: output.values + rows.lowerBound, stride: output.columnCount)
  }
}

/// A kernel that multiplies stored rows with one vector.
@safe struct Gemv: Sendable {
  private let kernel:
    @Sendable (UnsafeRawPointer?, Int, Int, UnsafePointer<Float>?, UnsafeMutablePointer<Float>?) -> Void

  /// Nil for dtypes that have none.
  init?(_ dtype: DType) {
    switch dtype {
    case .f32: unsafe kernel = { unsafe kist_gemv_f32($0, $1, $2, $3, $4) }
    case .bf16: unsafe kernel = { unsafe kist_gemv_bf16($0, $1, $2, $3, $4) }
    case .f16: unsafe kernel = { unsafe kist_gemv_f16($0, $1, $2, $3, $4) }
    case .q8_0: unsafe kernel = { unsafe kist_gemv_q8_0($0, $1, $2, $3, $4) }
    default: return nil
    }
  }

  func multiply(
    _ bytes: UnsafeRawBufferPointer, _ rows: Int, _ columns: Int, _ x: UnsafePointer<Float>,
    _ y: UnsafeMutablePointer<Float>
  ) { unsafe kernel(bytes.baseAddress, rows, columns, x, y) }
}
