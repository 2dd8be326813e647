import KistCore
import KistQuantization

/// Numbers as the bytes of a dtype, made when they are read: nothing is kept, so that a tensor of any size takes the memory of a chunk.
package struct EncodedSource: ByteSource {
  package let byteCount: Int
  private let elements: any ElementSource
  private let encoder: RowEncoder
  /// [columns]; of stacked matrices one for each, one after the other.
  private let importance: [Float]?

  /// - Parameters:
  ///   - elements: of a shape whose rows divide into the dtype's blocks.
  ///   - importance: how much the error of each column counts: as many numbers as columns, or as columns of all matrices of a stack.
  package init(_ elements: any ElementSource, _ encoder: RowEncoder, importance: [Float]? = nil) {
    self.elements = elements
    self.encoder = encoder
    self.importance = importance
    byteCount = encoder.dtype.byteCount(ofElements: elements.elementCount) ?? 0
  }

  package func withBytes(
    _ range: Range<Int>, _ body: (UnsafeRawBufferPointer) throws(KistError) -> Void
  ) throws(KistError) {
    let made = self.elements(of: range)
    let start = encoder.dtype.byteCount(ofElements: made.lowerBound) ?? 0
    let bytes = try encoded(made)
    let result = unsafe bytes.withUnsafeBytes { all in
      Result { () throws(KistError) in
        unsafe try body(
          UnsafeRawBufferPointer(rebasing: all[range.lowerBound - start..<range.upperBound - start]))
      }
    }
    try result.get()
  }

  package func release(_ range: Range<Int>) { elements.release(elements(of: range)) }

  /// Elements whose bytes hold a range: of block types whole rows, since the search of a block may look at its row.
  private func elements(of range: Range<Int>) -> Range<Int> {
    let dtype = encoder.dtype
    let unit = encoder.needsWholeRows ? elements.columnCount : dtype.unitElementCount
    let bytes = max(1, unit / dtype.unitElementCount * dtype.unitByteCount)
    let last = min((range.upperBound + bytes - 1) / bytes * unit, elements.elementCount)
    return range.lowerBound / bytes * unit..<last
  }

  /// - Parameter range: whole rows where the dtype needs them.
  private func encoded(_ range: Range<Int>) throws(KistError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: encoder.dtype.byteCount(ofElements: range.count) ?? 0)
    var numbers = [Float](repeating: 0, count: range.count)
    let result = unsafe numbers.withUnsafeMutableBufferPointer { values in
      unsafe bytes.withUnsafeMutableBytes { target in
        Result { () throws(KistError) in
          guard let values = values.baseAddress, let target = target.baseAddress else { return }
          unsafe try elements.read(range, into: values)
          unsafe encode(values, range, into: target)
        }
      }
    }
    try result.get()
    return bytes
  }

  private func encode(_ values: UnsafePointer<Float>, _ range: Range<Int>, into target: UnsafeMutableRawPointer) {
    guard encoder.needsWholeRows else {
      return unsafe encoder.encode(values, rows: 1, columns: range.count, into: target)
    }
    let columns = elements.columnCount
    guard let importance else {
      return unsafe encoder.encode(values, rows: range.count / columns, columns: columns, into: target)
    }
    // Each matrix of a stack has its own importance.
    let rowsEach = elements.elementCount / columns / (importance.count / columns)
    let rows = range.lowerBound / columns..<range.upperBound / columns
    unsafe importance.withUnsafeBufferPointer { weights in
      guard let weights = weights.baseAddress else { return }
      var row = rows.lowerBound
      while row < rows.upperBound {
        let matrix = row / rowsEach
        let end = min(rows.upperBound, (matrix + 1) * rowsEach)
        let offset = (row - rows.lowerBound) * columns
        unsafe encoder.encode(
          values + offset, rows: end - row, columns: columns, importance: weights + matrix * columns,
          into: target + (encoder.dtype.byteCount(ofElements: offset) ?? 0))
        row = end
      }
    }
  }
}

extension CheckpointTensor {
  /// The tensor with its numbers in another dtype; itself when it has that already.
  ///
  /// - Throws: `unsupported` for a dtype that can't be read or written as numbers, or rows that do not divide into blocks.
  package func encoded(as dtype: DType, importance: [Float]? = nil, file: String) throws(KistError) -> CheckpointTensor
  {
    if self.dtype == dtype { return self }
    guard let encoder = RowEncoder(dtype) else {
      throw KistError(.unsupported, file: file, field: "tensor '\(name)'", "weights can't be written as \(dtype)")
    }
    let elements = try StoredElements(self, file: file)
    guard elements.columnCount % dtype.unitElementCount == 0 else {
      throw KistError(
        .unsupported, file: file, field: "tensor '\(name)'",
        "has rows of \(elements.columnCount), which do not divide into blocks of \(dtype.unitElementCount) for \(dtype)"
      )
    }
    var tensor = self
    if tensor.origins.isEmpty { tensor.origins = [Origin(name: name, dtype: self.dtype)] }
    tensor.dtype = dtype
    tensor.source = EncodedSource(elements, encoder, importance: importance)
    tensor.entry = nil
    return tensor
  }
}
