import KistCore

extension ElementMap.Rectangle {
  /// Copies what was read to where it belongs.
  ///
  /// - Parameters:
  ///   - bytes: those of ``sourceExtent``.
  ///   - width: bytes of a number.
  ///   - target: where the sink's first number would be.
  func copy(from bytes: UnsafeRawPointer, width: Int, to target: UnsafeMutableRawPointer) {
    for line in 0..<lineCount {
      let from = unsafe bytes + line * source.lineStep * width
      let to = unsafe target + (sink.start + line * sink.lineStep) * width
      if sink.step == 1, source.step == 1 {
        unsafe to.copyMemory(from: from, byteCount: lineLength * width)
        continue
      }
      switch width {
      case 1: unsafe copyLine(UInt8.self, from, to)
      case 2: unsafe copyLine(UInt16.self, from, to)
      case 4: unsafe copyLine(UInt32.self, from, to)
      default:
        for index in 0..<lineLength {
          unsafe (to + index * sink.step * width).copyMemory(from: from + index * source.step * width, byteCount: width)
        }
      }
    }
  }

  private func copyLine<Word: BitwiseCopyable>(
    _: Word.Type, _ from: UnsafeRawPointer, _ to: UnsafeMutableRawPointer
  ) {
    let size = MemoryLayout<Word>.size
    for index in 0..<lineLength {
      let word = unsafe from.loadUnaligned(fromByteOffset: index * source.step * size, as: Word.self)
      unsafe to.storeBytes(of: word, toByteOffset: index * sink.step * size, as: Word.self)
    }
  }
}

/// Says of the numbers that a map gives for a range that they are not needed any more.
///
/// Of what lies transposed every range has something of all pages: those are let go once, at the end.
func releaseParts(_ map: ElementMap, _ range: Range<Int>, _ release: (Int, Range<Int>) -> Void) {
  func isTransposed(_ rectangle: ElementMap.Rectangle) -> Bool { rectangle.source.lineStep < rectangle.source.step }
  try? map.forEachPart(in: range) { part throws(KistError) in
    if !isTransposed(part) { release(part.tensor, part.sourceExtent) }
  }
  for rectangle in map.rectangles where isTransposed(rectangle) {
    let end = rectangle.sinkExtent.upperBound
    if range.contains(end - 1) { release(rectangle.tensor, rectangle.sourceExtent) }
  }
}
