import Synchronization

/// One piece of memory, kept for the next who needs as much: fresh pages cost as much as unpacking into them.
@safe final class SpareRoom: @unchecked Sendable {
  private let lock = Mutex(())
  private var spare: UnsafeMutableRawBufferPointer?

  deinit { unsafe spare?.deallocate() }

  /// Memory of at least so many bytes, with whatever was there.
  func take(_ byteCount: Int) -> UnsafeMutableRawBufferPointer {
    let known = unsafe lock.withLock { _ -> UnsafeMutableRawBufferPointer? in
      guard let room = unsafe spare, room.count >= byteCount else { return nil }
      unsafe spare = nil
      return unsafe room
    }
    return unsafe known ?? .allocate(byteCount: byteCount, alignment: 64)
  }

  /// Takes memory back; the larger piece stays.
  func give(_ room: UnsafeMutableRawBufferPointer) {
    let other = unsafe lock.withLock { _ -> UnsafeMutableRawBufferPointer? in
      guard let known = unsafe spare, known.count >= room.count else {
        defer { unsafe spare = unsafe room }
        return unsafe spare
      }
      return unsafe room
    }
    unsafe other?.deallocate()
  }
}
