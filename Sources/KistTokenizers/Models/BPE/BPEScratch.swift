/// What encoding writes to, kept from piece to piece: one for each thread, and for one model only.
package struct BPEScratch: ~Copyable, @unchecked Sendable {
  var cache = PieceCache()
  var merging = MergeMemory()
  var symbols: [UInt32] = []
  let pieces = BoundsMemory(PieceWindow.pieceCount)
  let parts = BoundsMemory(PieceWindow.partCount)

  package init() {}
}

/// Room for where pieces begin and end.
@safe final class BoundsMemory {
  /// One more than there can be pieces: where the first begins comes first.
  let bounds: UnsafeMutableBufferPointer<Int>

  init(_ pieceCount: Int) {
    unsafe bounds = .allocate(capacity: pieceCount + 1)
    unsafe bounds.initialize(repeating: 0)
  }

  deinit { unsafe bounds.deallocate() }
}
