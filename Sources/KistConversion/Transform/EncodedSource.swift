import KistCore
import KistQuantization

/// Numbers as the bytes of a dtype, made when they are read: nothing is kept, so that a tensor of any size takes the memory of a chunk.
package struct EncodedSource: ByteSource {
  package let byteCount: Int
  private let elements: any ElementSource
  private let encoder: RowEncoder
  /// [columns]; of stacked matrices one for each, one after the other.
  private let importance: [Float]?
  private let meter: EncodingMeter?

  /// Numbers that are widened, written and measured at a time: they stay in a core's cache.
  private static let numbersAtATime = 1 << 16

  /// - Parameters:
  ///   - elements: of a shape whose rows divide into the dtype's blocks.
  ///   - importance: how much the error of each column counts: as many numbers as columns, or as columns of all matrices of a stack.
  ///   - meter: what takes note of the loss.
  package init(
    _ elements: any ElementSource, _ encoder: RowEncoder, importance: [Float]? = nil, meter: EncodingMeter? = nil
  ) {
    self.elements = elements
    self.encoder = encoder
    self.importance = importance
    self.meter = meter
    byteCount = encoder.dtype.byteCount(ofElements: elements.elementCount) ?? 0
  }

  package var isMadeWhenRead: Bool { true }

  package func withBytes(
    _ range: Range<Int>, _ body: (UnsafeRawBufferPointer) throws(KistError) -> Void
  ) throws(KistError) {
    let made = self.elements(of: range)
    let start = encoder.dtype.byteCount(ofElements: made.lowerBound) ?? 0
    let bytes = try encoded(made, asked: range)
    let result = unsafe bytes.withUnsafeBytes { all in
      Result { () throws(KistError) in
        unsafe try body(
          UnsafeRawBufferPointer(rebasing: all[range.lowerBound - start..<range.upperBound - start]))
      }
    }
    try result.get()
  }

  package func willRead(_ range: Range<Int>) { elements.willRead(elements(of: range)) }

  package func release(_ range: Range<Int>) { elements.release(elements(of: range)) }

  /// Elements that are only written together: of block types whole rows, since the search of a block may look at its row.
  private var unit: Int { encoder.needsWholeRows ? elements.columnCount : encoder.dtype.unitElementCount }

  /// Elements whose bytes hold a range.
  private func elements(of range: Range<Int>) -> Range<Int> {
    let bytes = max(1, unit / encoder.dtype.unitElementCount * encoder.dtype.unitByteCount)
    let last = min((range.upperBound + bytes - 1) / bytes * unit, elements.elementCount)
    return range.lowerBound / bytes * unit..<last
  }

  /// - Parameters:
  ///   - range: whole units.
  ///   - asked: the bytes that were asked for, of which the meter takes note.
  private func encoded(_ range: Range<Int>, asked: Range<Int>) throws(KistError) -> [UInt8] {
    let count = encoder.dtype.byteCount(ofElements: range.count) ?? 0
    let step = max(unit, Self.numbersAtATime / max(1, unit) * unit)
    var loss = EncodingLoss()
    var failure: KistError?
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { target, initialized in
      guard let base = UnsafeMutableRawPointer(target.baseAddress) else { return }
      initialized = count
      let numbers = UnsafeMutablePointer<Float>.allocate(capacity: min(step, range.count))
      defer { unsafe numbers.deallocate() }
      do throws(KistError) {
        for start in stride(from: range.lowerBound, to: range.upperBound, by: step) {
          let part = start..<min(start + step, range.upperBound)
          let place = unsafe base + (encoder.dtype.byteCount(ofElements: part.lowerBound - range.lowerBound) ?? 0)
          unsafe try elements.read(part, into: numbers)
          unsafe encode(numbers, part, into: place)
          if let meter { unsafe try measure(numbers, place, part, asked: asked, meter, &loss) }
        }
      } catch { failure = error }
    }
    if let failure { throw failure }
    meter?.note(loss, of: asked, byteCount: byteCount)
    return bytes
  }

  private func measure(
    _ numbers: UnsafePointer<Float>, _ bytes: UnsafeRawPointer, _ part: Range<Int>, asked: Range<Int>,
    _ meter: EncodingMeter, _ loss: inout EncodingLoss
  ) throws(KistError) {
    let dtype = encoder.dtype
    let own =
      asked.lowerBound / dtype.unitByteCount * dtype.unitElementCount..<asked.upperBound / dtype.unitByteCount
      * dtype.unitElementCount
    let wanted = part.clamped(to: own)
    guard !wanted.isEmpty else { return }
    let skipped = wanted.lowerBound - part.lowerBound
    unsafe try meter.measure(
      numbers + skipped, bytes + (dtype.byteCount(ofElements: skipped) ?? 0), elements: wanted, into: &loss)
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
  package func encoded(
    as dtype: DType, importance: [Float]? = nil, meter: EncodingMeter? = nil, file: String
  ) throws(KistError) -> CheckpointTensor {
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
    tensor.source = EncodedSource(elements, encoder, importance: importance, meter: meter)
    tensor.entry = nil
    return tensor
  }
}
