/// How many pieces are looked up together: few enough for what is written to stay in the processor's cache.
enum PieceWindow {
  static let pieceCount = 1024
  /// Parts of one piece.
  static let partCount = 256
}

/// Pieces of a text: the numbers of two lists in memory, `stride` apart.
@unsafe struct PieceList {
  var starts: UnsafePointer<Int>
  var ends: UnsafePointer<Int>
  var stride: Int
  var count: Int

  /// Pieces that follow each other: where the first begins, and where each ends.
  init(following bounds: UnsafeMutableBufferPointer<Int>, count: Int) {
    let base = unsafe UnsafePointer(bounds.baseAddress.unsafelyUnwrapped)
    unsafe (starts, ends, stride) = (base, base + 1, 1)
    unsafe self.count = count
  }

  /// - Parameter ranges: Not empty.
  init(_ ranges: UnsafeBufferPointer<Range<Int>>) {
    // A range is its two bounds.
    let base = unsafe UnsafeRawPointer(ranges.baseAddress.unsafelyUnwrapped).assumingMemoryBound(to: Int.self)
    unsafe (starts, ends, stride, count) = (base, base + 1, 2, ranges.count)
  }

  /// Calls `body` with up to ``PieceWindow/pieceCount`` ranges after the other.
  @inline(__always)
  static func forEachWindow<Failure: Error>(
    of ranges: [Range<Int>], _ body: (PieceList) throws(Failure) -> Void
  ) throws(Failure) {
    unsafe try ranges.withUnsafeBufferPointer { (ranges) throws(Failure) in
      for first in Swift.stride(from: 0, to: ranges.count, by: PieceWindow.pieceCount) {
        unsafe try body(
          PieceList(UnsafeBufferPointer(rebasing: ranges[first..<min(first + PieceWindow.pieceCount, ranges.count)])))
      }
    }
  }

  /// A piece as far as it lies within a text.
  subscript(index: Int, in text: UnsafeRawBufferPointer) -> Range<Int> {
    let (start, end) = unsafe (starts[index &* stride], ends[index &* stride])
    guard start >= 0, start <= end, end <= text.count else { return 0..<0 }
    return start..<end
  }
}
