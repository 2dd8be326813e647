import Synchronization

/// Bytes of weights that may stay in memory, for all models that are open together.
///
/// A model takes its share when it is opened, as much as there is, and gives it back when it is let go.
public final class MemoryBudget: Sendable {
  private let left: Mutex<Int>

  /// What is kept when nobody says otherwise.
  public static let usualByteCount = 1 << 30

  public init(byteCount: Int = MemoryBudget.usualByteCount) { left = Mutex(byteCount) }

  /// Whether there was room for so many bytes; it is taken then.
  func take(_ byteCount: Int) -> Bool {
    left.withLock { left in
      guard byteCount <= left else { return false }
      left -= byteCount
      return true
    }
  }

  func give(_ byteCount: Int) { left.withLock { $0 += byteCount } }
}
