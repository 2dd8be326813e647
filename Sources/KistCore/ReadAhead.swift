import Foundation

/// Tells sources what is going to be read, so far ahead of the reader that what lies on a server is there when its turn comes.
package final class ReadAhead: @unchecked Sendable {
  /// How much is on its way before it is read: a few requests.
  private static let byteCount = 64 << 20
  /// So much more is told at a time, which makes one request of many small pieces.
  private static let stepByteCount = 8 << 20

  // All below is guarded by `lock`.
  private let lock = NSLock()
  private let tellNext: () -> Int?
  /// Bytes that sources were told of and that were not read yet.
  private var toldByteCount = 0
  private var isAtEnd = false

  /// - Parameter tellNext: Tells a source of the next piece that is going to be read, in the order of reading, and gives its length; nil at
  ///   the end. Called by one thread at a time.
  package init(_ tellNext: @escaping () -> Int?) { self.tellNext = tellNext }

  /// Notes that a reader comes to a piece of this length.
  package func reads(_ byteCount: Int) {
    lock.withLock {
      toldByteCount -= byteCount
      guard toldByteCount < ReadAhead.byteCount - ReadAhead.stepByteCount else { return }
      while !isAtEnd, toldByteCount < ReadAhead.byteCount {
        if let next = tellNext() { toldByteCount += next } else { isAtEnd = true }
      }
    }
  }
}
