import KistCore
import KistFormat

/// Parts of a mapped file, one after the other.
struct ScatteredSource: ByteSource {
  private let file: MappedFile
  private let ranges: [Range<Int>]
  /// Where each part begins in the content.
  private let starts: [Int]
  let byteCount: Int

  /// - Parameter ranges: parts of the file.
  init(_ file: MappedFile, ranges: [Range<Int>]) {
    self.file = file
    self.ranges = ranges
    var starts: [Int] = []
    var end = 0
    for range in ranges {
      starts.append(end)
      end += range.count
    }
    self.starts = starts
    byteCount = end
  }

  func withBytes(
    _ part: Range<Int>, _ body: (UnsafeRawBufferPointer) throws(KistError) -> Void
  ) throws(KistError) {
    let pieces = pieces(of: part)
    willRead(part)
    for piece in pieces { try file.fetch(piece) }
    if let only = pieces.first, pieces.count == 1 {
      unsafe try body(file.pointer(only))
    } else {
      var bytes: [UInt8] = []
      bytes.reserveCapacity(part.count)
      for piece in pieces { unsafe bytes.append(contentsOf: file.pointer(piece)) }
      let result = unsafe bytes.withUnsafeBytes { all in
        Result { () throws(KistError) in unsafe try body(all) }
      }
      try result.get()
    }
    try file.checkIntact()
  }

  func willRead(_ part: Range<Int>) {
    guard file.isRemote else { return }
    for piece in pieces(of: part) { file.prefetch(piece) }
  }

  /// Where the bytes of a part of the content lie in the file.
  private func pieces(of part: Range<Int>) -> [Range<Int>] {
    // The last that begins at or before the part.
    var (low, high) = (0, starts.count)
    while high - low > 1 {
      let middle = (low + high) / 2
      if starts[middle] <= part.lowerBound { low = middle } else { high = middle }
    }
    var pieces: [Range<Int>] = []
    var index = low
    while index < ranges.count, starts[index] < part.upperBound {
      let inContent = part.clamped(to: starts[index]..<starts[index] + ranges[index].count)
      let shift = ranges[index].lowerBound - starts[index]
      if !inContent.isEmpty { pieces.append(inContent.lowerBound + shift..<inContent.upperBound + shift) }
      index += 1
    }
    return pieces
  }
}
