import Foundation
import KistCore
import Synchronization

/// What signals do.
///
/// SIGINT and SIGTERM ask work that can stop to stop, so that it takes its unfinished files away; a second one, or one
/// when there is no such work, ends the process at once. Either way the status is 130.
final class Interruption: @unchecked Sendable {
  static let shared = Interruption()

  private let cancellation = Cancellation()
  private let isStoppable = Atomic<Bool>(false)
  /// Kept for as long as the process; set once, before there are other threads.
  private var sources: [any DispatchSourceSignal] = []

  func install() {
    // A closed pipe ends the process without a word; a file that grows too large is an error of its write.
    signal(SIGPIPE, SIG_DFL)
    signal(SIGXFSZ, SIG_IGN)
    for number in [SIGINT, SIGTERM] {
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global(qos: .userInteractive))
      source.setEventHandler { self.interrupt() }
      source.activate()
      sources.append(source)
    }
  }

  /// For work that looks at it between steps.
  func stoppable() -> Cancellation {
    isStoppable.store(true, ordering: .relaxed)
    return cancellation
  }

  private func interrupt() {
    guard isStoppable.load(ordering: .relaxed), !cancellation.isCancelled else {
      _exit(ExitStatus.interrupted.rawValue)
    }
    cancellation.cancel()
  }
}
