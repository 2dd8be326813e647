/// Keys and values of a layer's tokens so far.
final class KeyValueCache {
  private(set) var count = 0
  private(set) var keys = Matrix(rows: 0, columns: 0)
  private(set) var values = Matrix(rows: 0, columns: 0)

  /// Takes the keys and values of more tokens: some rows of [tokens, …].
  func append(_ newKeys: Matrix, _ newValues: Matrix, rows: Range<Int>) {
    let needed = count + rows.count
    if needed > keys.rowCount {
      // Room for as many again, but not for a text that is taken at once.
      let room = count == 0 ? needed : max(needed, 2 * keys.rowCount)
      keys = grown(keys, newKeys.columnCount, room)
      values = grown(values, newValues.columnCount, room)
    }
    unsafe keys.row(count).update(from: newKeys.row(rows.lowerBound), count: rows.count * newKeys.columnCount)
    unsafe values.row(count).update(from: newValues.row(rows.lowerBound), count: rows.count * newValues.columnCount)
    count = needed
  }

  private func grown(_ old: Matrix, _ columns: Int, _ rows: Int) -> Matrix {
    let new = Matrix(rows: rows, columns: columns)
    unsafe new.values.update(from: old.values, count: count * old.columnCount)
    return new
  }
}
