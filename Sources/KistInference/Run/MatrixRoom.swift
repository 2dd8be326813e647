import Synchronization

/// Memory of large matrices that are gone, for the next ones: what comes fresh from the system costs a fault for each page.
@safe struct MatrixRoom: @unchecked Sendable {
  @unsafe let values: UnsafeMutablePointer<Float>
  let capacity: Int

  private static let free = Mutex<[MatrixRoom]>([])
  /// Smaller ones the allocator keeps itself.
  private static let smallestCount = 1 << 15
  /// Numbers that are kept in all: 64 MiB.
  private static let mostKept = 1 << 24

  private init(_ count: Int) {
    unsafe values = .allocate(capacity: count)
    capacity = count
  }

  static func take(_ count: Int) -> MatrixRoom {
    guard count >= smallestCount else { return MatrixRoom(max(1, count)) }
    let known = free.withLock { rooms -> MatrixRoom? in
      // A room twice as large is better left for another.
      let fitting = rooms.indices.filter { rooms[$0].capacity >= count && rooms[$0].capacity <= 2 * count }
      return fitting.min { rooms[$0].capacity < rooms[$1].capacity }.map { rooms.remove(at: $0) }
    }
    return known ?? MatrixRoom(count)
  }

  func give() {
    guard capacity >= Self.smallestCount, capacity <= Self.mostKept else { return unsafe values.deallocate() }
    let dropped = Self.free.withLock { rooms in
      rooms.append(self)
      var kept = rooms.reduce(0) { $0 + $1.capacity }
      var dropped: [MatrixRoom] = []
      while kept > Self.mostKept {
        dropped.append(rooms.removeFirst())
        kept -= dropped[dropped.count - 1].capacity
      }
      return dropped
    }
    for room in dropped { unsafe room.values.deallocate() }
  }
}
