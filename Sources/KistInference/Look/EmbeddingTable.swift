import CKernels
import KistArchitectures
import KistCore

/// A table with a row for each token, read a tile at a time: what tokens are close to each other, as the model has it.
package struct EmbeddingTable: Sendable {
  private let matrix: WeightMatrix

  /// What the file calls the tensor.
  package var name: String { matrix.name }
  package var dtype: DType { matrix.storedDType }
  package var rowCount: Int { matrix.rowCount }
  package var columnCount: Int { matrix.columnCount }

  /// The table that a model looks tokens up in.
  package init(_ weights: WeightTable) throws(KistError) { matrix = try weights.table(TensorKey(.tokenEmbedding)) }

  /// Any tensor of [tokens, width].
  ///
  /// - Throws: `invalid` for a tensor of another rank; `unsupported` for a dtype that can't be computed with.
  package init(_ tensor: WeightTensor, file: String) throws(KistError) {
    guard tensor.shape.rank == 2 else {
      throw KistError(
        .invalid, file: file, field: "tensor '\(tensor.name)'",
        "has shape \(tensor.shape), and a table of embeddings is [tokens, width]")
    }
    matrix = try WeightMatrix(tensor, .matrix(tensor.name, rows: tensor.shape[0], columns: tensor.shape[1]), file: file)
  }

  /// The rows of some tokens, [tokens, width].
  package func rows(_ tokens: [Int]) throws(KistError) -> [[Float]] {
    var rows: [[Float]] = []
    for token in tokens {
      let row = Matrix(toFill: 1, columns: columnCount)
      for tile in matrix.tiles(most: 1, rows: token..<token + 1) { unsafe try matrix.decode(tile, into: row.values) }
      rows.append(row.numbers())
    }
    return rows
  }

  /// The cosine of each row with a vector: −∞ for a row without a direction (zeros, or not finite).
  ///
  /// - Parameter rows: Those to look at.
  /// - Complexity: one pass over the table; memory of one tile (at most 4 MiB) a thread.
  package func cosines(
    with vector: [Float], rows: Range<Int>, parallelism: Parallelism, progress: any ProgressObserver = NoProgress()
  ) throws(KistError) -> [Float] {
    precondition(vector.count == columnCount, "a vector as wide as the table")
    let (query, cosines) = (Matrix(rows: 1, columns: columnCount, vector), Matrix(rows: 1, columns: rows.count))
    let length = unsafe kist_dot(query.values, query.values, columnCount).squareRoot()
    let (pool, tiles, matrix) = (TilePool(), matrix.tiles(most: matrix.tileRowCount, rows: rows), matrix)
    progress.begin("Comparing rows", total: rows.count * matrix.fileRowByteCount)
    defer { progress.end() }
    try parallelism.forEach(tiles.count) { index throws(KistError) in
      let tile = tiles[index]
      unsafe try matrix.withTile(tile, pool) { values throws(KistError) in
        for row in 0..<tile.count {
          let numbers = unsafe values + row * query.columnCount
          let product = unsafe kist_dot(numbers, query.values, query.columnCount)
          let size = unsafe kist_dot(numbers, numbers, query.columnCount).squareRoot()
          let cosine = product / (size * length)
          unsafe cosines.values[tile.first - rows.lowerBound + row] = cosine.isFinite ? cosine : -.infinity
        }
      }
      matrix.release(tile)
      progress.advance(by: tile.count * matrix.fileRowByteCount)
    }
    return cosines.numbers()
  }
}
