import KistCore

/// Where and how the content of an entry is stored: the part of its record that reading needs.
package struct ContentLayout: Sendable, Equatable {
  package var transform: Transform = .none
  package var codec: Codec = .raw
  package var rawByteCount: Int
  package var rawBytesPerChunk: Int
  /// Says what transforms take apart.
  package var dtype: DType?
  /// Position of the chunks block among the chunks blocks, and of the first record in it.
  package var chunksBlock = 0
  package var firstChunk = 0
  /// Where the run of a raw entry begins.
  package var runOffset = 0

  package init(rawByteCount: Int, rawBytesPerChunk: Int, dtype: DType?) {
    self.rawByteCount = rawByteCount
    self.rawBytesPerChunk = rawBytesPerChunk
    self.dtype = dtype
  }

  package var chunkCount: Int { (rawByteCount + rawBytesPerChunk - 1) / rawBytesPerChunk }

  /// The planes of a packed chunk.
  package var planes: PlaneLayout { PlaneLayout(transform, dtype) }

  /// The bytes of the content that a chunk holds.
  package func rawRange(ofChunk index: Int) -> Range<Int> {
    let start = index * rawBytesPerChunk
    return start..<min(start + rawBytesPerChunk, rawByteCount)
  }

  /// The chunks that hold a range of the content.
  package func chunks(of range: Range<Int>) -> Range<Int> {
    range.isEmpty ? 0..<0 : range.lowerBound / rawBytesPerChunk..<(range.upperBound - 1) / rawBytesPerChunk + 1
  }
}
