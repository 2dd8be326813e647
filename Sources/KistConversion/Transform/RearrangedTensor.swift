import KistCore

/// A tensor whose numbers are those of other tensors, in another order.
///
/// Nothing of it is kept: what is read is gathered then.
package struct RearrangedTensor: ElementSource {
  package let shape: Shape
  /// The tensors that the numbers are from.
  package let parts: [CheckpointTensor]
  let map: ElementMap
  private let numbers: [StoredElements]
  /// Whether every number is one of a part's; others are 0.
  private let isWhole: Bool

  /// - Throws: `unsupported` for parts that are no real numbers; `damaged` when the map leads out of a tensor.
  init(shape: Shape, parts: [CheckpointTensor], map: ElementMap, name: String, file: String) throws(KistError) {
    self.shape = shape
    self.parts = parts
    self.map = map
    numbers = try parts.map { part throws(KistError) in try StoredElements(part, file: file) }
    let count = shape.elementCount ?? 0
    let counts = numbers.map(\.elementCount)
    let isInside = map.rectangles.allSatisfy { rectangle in
      rectangle.sinkExtent.lowerBound >= 0 && rectangle.sinkExtent.upperBound <= count
        && rectangle.sourceExtent.lowerBound >= 0 && rectangle.sourceExtent.upperBound <= counts[rectangle.tensor]
    }
    guard isInside, map.count <= count else {
      throw KistError(
        .damaged, file: file, field: "tensor '\(name)'", "asks for numbers that other tensors do not have")
    }
    isWhole = map.count == count
  }

  package func read(_ elements: Range<Int>, into values: UnsafeMutablePointer<Float>) throws(KistError) {
    if !isWhole { unsafe values.update(repeating: 0, count: elements.count) }
    try map.forEachPart(in: elements) { part throws(KistError) in
      try part.forEachRead(most: Self.numbersPerRead) { part throws(KistError) in
        unsafe try read(part, into: values - elements.lowerBound)
      }
    }
  }

  private static let numbersPerRead = 1 << 18

  /// - Parameter values: where the sink's first number would be.
  private func read(_ part: ElementMap.Rectangle, into values: UnsafeMutablePointer<Float>) throws(KistError) {
    let extent = part.sourceExtent
    if part.lineCount == 1, part.sink.step == 1, part.source.step == 1 {
      unsafe try numbers[part.tensor].read(extent, into: values + part.sink.start)
    } else {
      let buffer = UnsafeMutablePointer<Float>.allocate(capacity: extent.count)
      defer { unsafe buffer.deallocate() }
      unsafe try numbers[part.tensor].read(extent, into: buffer)
      unsafe part.copy(from: buffer, width: 4, to: values)
    }
    guard part.addend != 0 else { return }
    for line in 0..<part.lineCount {
      let start = part.sink.start + line * part.sink.lineStep
      for index in 0..<part.lineLength { unsafe values[start + index * part.sink.step] += part.addend }
    }
  }

  package func willRead(_ elements: Range<Int>) {
    try? map.forEachPart(in: elements) { part throws(KistError) in
      numbers[part.tensor].willRead(part.sourceExtent)
    }
  }

  package func release(_ elements: Range<Int>) {
    releaseParts(map, elements) { numbers[$0].release($1) }
  }
}
