import KistArchitectures
import KistCore

/// What becomes of a model whose weights hold a NaN or an infinity.
public enum NonfiniteWeights: Sendable {
  /// It is refused before anything is computed.
  case refused
  /// It is computed, for those who compare the result.
  case computed
}

extension WeightTable {
  /// Refuses weights that hold a NaN or an infinity, unless they are to be computed all the same. Reads all of them once; later
  /// calls cost nothing.
  ///
  /// - Throws: `damaged`, naming the first such tensor and the place in it.
  package func requireFinite(_ parallelism: Parallelism) throws(KistError) {
    guard !isChecked.load(ordering: .acquiring) else { return }
    let pool = TilePool()
    var seen: Set<[UInt8]> = []
    for key in model.tensorKeys {
      // Several keys share a tensor where projections are fused or experts stacked.
      for matrix in try parts(key) where seen.insert(Array(matrix.name.utf8)).inserted {
        try matrix.requireFinite(pool, parallelism)
      }
    }
    isChecked.store(true, ordering: .releasing)
  }
}

extension WeightMatrix {
  /// Looks at the whole tensor of the file, of which the matrix may be a part.
  fileprivate func requireFinite(_ pool: TilePool, _ parallelism: Parallelism) throws(KistError) {
    let rows = source.byteCount / max(1, fileRowByteCount)
    let starts = Array(stride(from: 0, to: rows, by: tileRowCount))
    func check(_ index: Int) throws(KistError) {
      let tile = Tile(
        first: 0, fileRow: starts[index], count: min(tileRowCount, rows - starts[index]), step: 1)
      unsafe try withTile(tile, pool) { values throws(KistError) in
        let values = unsafe UnsafeBufferPointer(start: values, count: tile.count * fileColumnCount)
        guard unsafe values.hasNonfinite, let place = unsafe values.firstIndex(where: { !$0.isFinite }) else { return }
        throw unsafe refusal(of: values[place], element: tile.fileRow * fileColumnCount + place)
      }
      release(tile)
    }
    if starts.count == 1 { try check(0) } else { try parallelism.forEach(starts.count, check) }
    release()
  }

  private func refusal(of value: Float, element: Int) -> KistError {
    // MXFP4's numbers lie two in a byte.
    let place = storedDType == dtype ? element : element / 2
    return KistError(
      .damaged, file: file, field: "tensor '\(name)'",
      "has \(value.isNaN ? "a NaN" : "an infinity") at \(Shape(location.fileShape).position(ofElement: place)): nothing can be computed with it",
      advice: "the weights are broken: get them again from where they came")
  }
}

extension UnsafeBufferPointer<Float> {
  /// Whether an exponent has all its bits set, looked at without branches.
  fileprivate var hasNonfinite: Bool {
    let exponent: UInt32 = 0x7F80_0000
    var found: UInt32 = 0
    for index in unsafe indices {
      found |= unsafe self[index].bitPattern & exponent == exponent ? 1 : 0
    }
    return found != 0
  }
}
