import KistCore

/// The bytes of a tensor whose numbers are those of other tensors of the same dtype, in another order: copied, never converted.
struct RearrangedBytes: ByteSource {
  let byteCount: Int
  private let parts: [any ByteSource]
  /// In units of the dtype.
  private let map: ElementMap
  private let width: Int
  private let isWhole: Bool

  /// - Returns: nil when the bytes can't be copied: parts have another dtype, something is added, or blocks would be cut.
  init?(_ tensor: RearrangedTensor, as dtype: DType) {
    guard tensor.parts.allSatisfy({ $0.dtype == dtype }), tensor.map.rectangles.allSatisfy({ $0.addend == 0 }),
      let count = tensor.shape.elementCount, let byteCount = dtype.byteCount(ofElements: count)
    else { return nil }
    let rectangles = tensor.map.rectangles.compactMap { $0.inUnits(of: dtype.unitElementCount) }
    guard rectangles.count == tensor.map.rectangles.count else { return nil }
    self.byteCount = byteCount
    parts = tensor.parts.map(\.source)
    map = ElementMap(rectangles)
    width = dtype.unitByteCount
    isWhole = map.count * dtype.unitElementCount == count
  }

  /// The only part, when its bytes are these as they are.
  var sameSource: (any ByteSource)? {
    guard let only = map.rectangles.first, map.rectangles.count == 1, parts[only.tensor].byteCount == byteCount,
      only.lineCount == 1, only.lineLength * width == byteCount, only.sink.step == 1, only.source.step == 1
    else { return nil }
    return parts[only.tensor]
  }

  func withBytes(
    _ range: Range<Int>, _ body: (UnsafeRawBufferPointer) throws(KistError) -> Void
  ) throws(KistError) {
    guard !range.isEmpty else { return unsafe try body(UnsafeRawBufferPointer(start: nil, count: 0)) }
    let units = units(around: range)
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: units.count * width, alignment: 64)
    defer { unsafe buffer.deallocate() }
    guard let base = buffer.baseAddress else { return }
    if !isWhole { unsafe buffer.initializeMemory(as: UInt8.self, repeating: 0) }
    try map.forEachPart(in: units) { part throws(KistError) in
      try part.forEachRead(most: (1 << 20) / width) { part throws(KistError) in
        let extent = part.sourceExtent
        unsafe try parts[part.tensor].withBytes(extent.lowerBound * width..<extent.upperBound * width) { bytes in
          guard let bytes = bytes.baseAddress else { return }
          unsafe part.copy(from: bytes, width: width, to: base - units.lowerBound * width)
        }
      }
    }
    let start = range.lowerBound - units.lowerBound * width
    unsafe try body(UnsafeRawBufferPointer(rebasing: buffer[start..<start + range.count]))
  }

  func willRead(_ range: Range<Int>) {
    guard !range.isEmpty else { return }
    try? map.forEachPart(in: units(around: range)) { part throws(KistError) in
      parts[part.tensor].willRead(part.sourceExtent.lowerBound * width..<part.sourceExtent.upperBound * width)
    }
  }

  func release(_ range: Range<Int>) {
    guard !range.isEmpty else { return }
    releaseParts(map, units(around: range)) {
      parts[$0].release($1.lowerBound * width..<$1.upperBound * width)
    }
  }

  private func units(around range: Range<Int>) -> Range<Int> {
    range.lowerBound / width..<(range.upperBound + width - 1) / width
  }
}
