import Foundation
import Synchronization

/// Takes note of how far long work has come.
public protocol ProgressObserver: Sendable {
  /// Begins a stage of `total` bytes, named for a person: "Packing".
  func begin(_ stage: String, total: Int)
  /// Counts bytes that are done. Cheap; called from any thread.
  func advance(by byteCount: Int)
  /// Ends the stage.
  func end()
}

/// Reports nothing.
public struct NoProgress: ProgressObserver {
  public init() {}
  public func begin(_ stage: String, total: Int) {}
  public func advance(by byteCount: Int) {}
  public func end() {}
}
