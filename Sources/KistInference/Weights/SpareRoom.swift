import Foundation

/// One piece of memory, kept for the next who needs as much: fresh pages cost as much as unpacking into them.
@safe final class SpareRoom: @unchecked Sendable {
  private let lock = NSLock()
  // Guarded by the lock.
  private var spare: UnsafeMutableRawBufferPointer?

  deinit { unsafe spare?.deallocate() }

  /// Memory of at least so many bytes, with whatever was there.
  func take(_ byteCount: Int) -> UnsafeMutableRawBufferPointer {
    lock.lock()
    defer { lock.unlock() }
    if let room = unsafe spare, room.count >= byteCount {
      unsafe spare = nil
      return unsafe room
    }
    return .allocate(byteCount: byteCount, alignment: 64)
  }

  /// Takes memory back; the larger piece stays.
  func give(_ room: UnsafeMutableRawBufferPointer) {
    lock.lock()
    defer { lock.unlock() }
    if let known = unsafe spare, known.count >= room.count {
      unsafe room.deallocate()
    } else {
      unsafe spare?.deallocate()
      unsafe spare = unsafe room
    }
  }
}
