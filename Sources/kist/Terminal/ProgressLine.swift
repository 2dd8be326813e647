import Foundation
import KistConversion
import KistCore
import Synchronization

/// Shows how far long work has come, on standard error: a line that is redrawn ten times a second on a terminal;
/// elsewhere, a new line every five seconds. Work of less than two seconds says nothing to a file.
final class ProgressLine: ProgressObserver, @unchecked Sendable {
  private struct Stage {
    var name: String
    var total: Int
    var start: ContinuousClock.Instant
    var isDrawn = false
    var timer: any DispatchSourceTimer
  }

  private let done = Atomic<Int>(0)
  /// Guarded by `lock`.
  private var stage: Stage?
  private let lock = NSLock()

  func begin(_ name: String, total: Int) {
    let isTerminal = Terminal.errorIsTerminal
    let timer = DispatchSource.makeTimerSource(queue: .global(qos: .userInteractive))
    timer.setEventHandler { [weak self] in self?.draw() }
    timer.schedule(
      deadline: .now() + (isTerminal ? 0.2 : 2), repeating: isTerminal ? 0.1 : 5, leeway: .milliseconds(10))
    lock.withLock {
      stage?.timer.cancel()
      done.store(0, ordering: .relaxed)
      stage = Stage(name: name, total: total, start: .now, timer: timer)
    }
    timer.activate()
  }

  func advance(by byteCount: Int) { done.add(byteCount, ordering: .relaxed) }

  func end() {
    lock.withLock {
      stage?.timer.cancel()
      if stage?.isDrawn == true, Terminal.errorIsTerminal { Output.standardError("\r\u{1B}[2K") }
      stage = nil
    }
  }

  private func draw() {
    lock.withLock {
      guard let current = stage else { return }
      let text = ProgressLine.text(
        current.name, done: done.load(ordering: .relaxed), total: current.total,
        seconds: (ContinuousClock.now - current.start) / .seconds(1))
      if Terminal.errorIsTerminal {
        Output.standardError("\r\u{1B}[2K" + text.prefix(Terminal.columns(STDERR_FILENO) - 1))
      } else {
        Output.standardError("kist: \(text)\n")
      }
      stage?.isDrawn = true
    }
  }

  private static func text(_ name: String, done: Int, total: Int, seconds: Double) -> String {
    let rate = seconds > 0 ? Double(done) / seconds : 0
    var text = name
    if total > 0 { text += " " + Quantity.percentage(Double(done) / Double(total)) }
    text += ", \(Quantity.bytes(done)) of \(Quantity.bytes(total))"
    if rate >= 1 {
      text += ", \(Quantity.bytes(Int(rate)))/s, \(Quantity.seconds(Double(max(0, total - done)) / rate)) left"
    }
    return text
  }
}
