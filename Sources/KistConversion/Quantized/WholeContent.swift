import KistCore
import Synchronization

/// Content that is read whole, since its numbers are wanted in another order than they lie in; kept while it is of use.
final class WholeContent: Sendable {
  private let source: any ByteSource
  private let bytes = Mutex<[UInt8]?>(nil)

  init(_ source: any ByteSource) { self.source = source }

  /// All bytes; read by the first who asks.
  func content() throws(KistError) -> [UInt8] {
    let result = bytes.withLock { known in
      Result { () throws(KistError) in
        if let known { return known }
        let read = try readAll()
        known = read
        return read
      }
    }
    return try result.get()
  }

  func release() { bytes.withLock { $0 = nil } }

  private func readAll() throws(KistError) -> [UInt8] {
    var read: [UInt8] = []
    read.reserveCapacity(source.byteCount)
    for start in stride(from: 0, to: source.byteCount, by: 1 << 20) {
      let range = start..<min(start + 1 << 20, source.byteCount)
      unsafe try source.withBytes(range) { part throws(KistError) in unsafe read.append(contentsOf: part) }
      source.release(range)
    }
    return read
  }
}

/// Counts what was released, to know when all was.
final class ReleaseCount: Sendable {
  private let left: Atomic<Int>
  private let total: Int

  init(of total: Int) {
    self.total = total
    left = Atomic(total)
  }

  /// Whether this was the last of all.
  func isLast(_ count: Int) -> Bool {
    let now = left.subtract(count, ordering: .relaxed).newValue
    guard now <= 0 else { return false }
    left.store(total, ordering: .relaxed)
    return true
  }
}
