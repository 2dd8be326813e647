import KistCore
import Synchronization

/// Room for a tile of weights.
@safe package final class TileBuffer: @unchecked Sendable {
  private(set) var capacity = 0
  @unsafe package private(set) var values: UnsafeMutablePointer<Float>

  init() { unsafe values = .allocate(capacity: 0) }

  deinit { unsafe values.deallocate() }

  /// Makes room for so many numbers; what was there is gone.
  package func reserve(_ count: Int) {
    guard count > capacity else { return }
    unsafe values.deallocate()
    unsafe values = .allocate(capacity: count)
    capacity = count
  }
}

/// Buffers that are used again, one for each thread that needs one.
package final class TilePool: Sendable {
  private let free = Mutex<[TileBuffer]>([])

  package init() {}

  package func take() -> TileBuffer { free.withLock { $0.popLast() } ?? TileBuffer() }
  package func give(_ buffer: TileBuffer) { free.withLock { $0.append(buffer) } }
}

extension WeightMatrix {
  /// Calls `body` with a tile's numbers as f32: where they lie, when they are f32, else decoded.
  func withTile(
    _ tile: Tile, _ pool: TilePool, _ body: (UnsafePointer<Float>) throws(KistError) -> Void
  ) throws(KistError) {
    if dtype == .f32, location.addend == 0, tile.step == 1 {
      var isAligned = true
      unsafe try withStoredRows(tile) { bytes throws(KistError) in
        guard let base = bytes.baseAddress, UInt(bitPattern: base) % 4 == 0 else {
          return isAligned = false
        }
        unsafe try body(base.assumingMemoryBound(to: Float.self))
      }
      if isAligned { return }
    }
    let buffer = pool.take()
    defer { pool.give(buffer) }
    buffer.reserve(tile.count * fileColumnCount)
    unsafe try decode(tile, into: buffer.values)
    unsafe try body(buffer.values)
  }

  /// Calls `body` with the stored bytes of a tile whose rows are adjacent.
  func withStoredRows(
    _ tile: Tile, _ body: (UnsafeRawBufferPointer) throws(KistError) -> Void
  ) throws(KistError) {
    let size = fileRowByteCount
    unsafe try source.withBytes(tile.fileRow * size..<(tile.fileRow + tile.count) * size, body)
  }
}
