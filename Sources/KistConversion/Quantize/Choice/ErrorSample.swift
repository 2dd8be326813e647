import KistCore
import KistQuantization

/// Some rows of a tensor, evenly spread, to see what each type does to them.
struct ErrorSample {
  /// Rows of one matrix, which share their importances.
  private struct Part {
    var matrix: Int
    var values: [Float]
    var importance: [Float]?
  }

  private let parts: [Part]
  private let columnCount: Int

  /// Numbers that are looked at, at least one row.
  private static let mostNumbers = 1 << 17

  init(of tensor: CheckpointTensor, importance: [Float]?, file: String) throws(KistError) {
    let elements = try StoredElements(tensor, file: file)
    let columns = elements.columnCount
    let rowCount = elements.elementCount / max(1, columns)
    let wanted = min(rowCount, max(1, Self.mostNumbers / max(1, columns)))
    let rowsEach = importance.map { rowCount / max(1, $0.count / columns) }
    var parts: [Part] = []
    for index in 0..<wanted {
      // The middle of as many equal parts.
      let row = (2 * index + 1) * rowCount / (2 * wanted)
      let matrix = row / max(1, rowsEach ?? rowCount)
      if parts.last?.matrix != matrix {
        let weights = importance.map { Array($0[matrix * columns..<(matrix + 1) * columns]) }
        parts.append(Part(matrix: matrix, values: [], importance: weights))
      }
      parts[parts.count - 1].values += try ErrorSample.row(row, of: elements)
    }
    self.parts = parts
    columnCount = columns
  }

  private static func row(_ row: Int, of elements: StoredElements) throws(KistError) -> [Float] {
    let columns = elements.columnCount
    let range = row * columns..<(row + 1) * columns
    var values = [Float](repeating: 0, count: columns)
    let result = unsafe values.withUnsafeMutableBufferPointer { buffer in
      Result { () throws(KistError) in
        guard let base = buffer.baseAddress else { return }
        unsafe try elements.read(range, into: base)
      }
    }
    try result.get()
    elements.release(range)
    return values
  }

  /// Σ importance · (written − value)² ÷ Σ importance · value².
  func relativeError(as dtype: DType) -> Double {
    guard let encoder = RowEncoder(dtype), let decoder = RowDecoder(dtype) else { return .infinity }
    var (errors, energy) = (0.0, 0.0)
    for part in parts {
      guard let byteCount = dtype.byteCount(ofElements: part.values.count) else { return .infinity }
      var bytes = [UInt8](repeating: 0, count: byteCount)
      var written = [Float](repeating: 0, count: part.values.count)
      unsafe bytes.withUnsafeMutableBytes { target in
        unsafe written.withUnsafeMutableBufferPointer { output in
          guard let target = target.baseAddress, let output = output.baseAddress else { return }
          unsafe encode(part, encoder, into: target)
          unsafe decoder.decode(target, count: part.values.count, into: output)
        }
      }
      for (index, value) in part.values.enumerated() {
        let weight = part.importance.map { Double($0[index % columnCount]) } ?? 1
        let error = Double(written[index]) - Double(value)
        errors += weight * error * error
        energy += weight * Double(value) * Double(value)
      }
    }
    return energy > 0 ? errors / energy : 0
  }

  private func encode(_ part: Part, _ encoder: RowEncoder, into target: UnsafeMutableRawPointer) {
    let rows = part.values.count / columnCount
    if let importance = part.importance {
      unsafe encoder.encode(part.values, rows: rows, columns: columnCount, importance: importance, into: target)
    } else {
      unsafe encoder.encode(part.values, rows: rows, columns: columnCount, into: target)
    }
  }
}
