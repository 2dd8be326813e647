import CKernels
import Foundation
import Synchronization

/// Threads that wait for the next loop awake.
///
/// A loop of a forward pass over one token takes a tenth of a millisecond, and waking a thread that sleeps as long. So these go to sleep only
/// when nothing came for that time, and a loop that is done before they have woken does not wait for them.
///
/// One loop at a time. Sources: Karlin et al., "Empirical studies of competitive spinning for a shared-memory multiprocessor" (1991), for how
/// long it pays to stay awake.
final class ReadyThreads: @unchecked Sendable {
  static let shared = ReadyThreads()

  /// About what it takes to wake a thread.
  private static let nanosecondsAwake: UInt64 = 100_000

  /// The loop that can be joined: its number above 32 bits; how many more threads may join, 16 bits; how many are in it, 16 bits.
  private let state = Atomic<Int>(0)
  private static let insideMask = 0xFFFF
  private static let onePlace = 1 << 16
  private static let placesMask = 0xFFFF << 16
  private static let numberShift = 32

  private let isTaken = Atomic<Bool>(false)
  /// Changed by the thread that has taken these threads, while none is inside.
  private nonisolated(unsafe) var loop: IndexLoop?
  private var number = 0
  private var threadCount = 0
  private let processorCount = min(256, ProcessInfo.processInfo.activeProcessorCount)

  /// Threads that sleep until there is a loop, and whoever sleeps until one is done.
  private let idle = Sleepers()
  private let owner = Sleepers()

  /// Runs a loop on this thread and at most so many others; false, with nothing done, while they are at another one.
  func run(_ loop: IndexLoop, helpers: Int) -> Bool {
    guard !isTaken.exchange(true, ordering: .acquiring) else { return false }
    defer { isTaken.store(false, ordering: .releasing) }
    // More threads than processors would be in each other's way.
    let helpers = min(helpers, max(1, processorCount - 1))
    startThreads(helpers)
    self.loop = loop
    number = (number + 1) & 0x3FFF_FFFF
    state.store(number << Self.numberShift | helpers * Self.onePlace, ordering: .sequentiallyConsistent)
    // Those that are awake come by themselves.
    idle.wake(helpers - (threadCount - idle.count))
    loop.work()
    state.bitwiseAnd(~Self.placesMask, ordering: .sequentiallyConsistent)
    wait(among: owner) { self.state.load(ordering: .sequentiallyConsistent) & Self.insideMask == 0 }
    self.loop = nil
    return true
  }

  private func startThreads(_ count: Int) {
    while threadCount < count {
      threadCount += 1
      let thread = Thread { self.serve() }
      thread.name = "kist worker"
      thread.start()
    }
  }

  /// Joins one loop after the other.
  private func serve() -> Never {
    var last = 0
    while true {
      wait(among: idle) { self.canJoin(after: last) }
      let seen = state.load(ordering: .relaxed)
      guard canJoin(seen, after: last) else { continue }
      let joined = state.compareExchange(
        expected: seen, desired: seen - Self.onePlace + 1, ordering: .acquiringAndReleasing)
      guard joined.exchanged else { continue }
      last = seen >> Self.numberShift
      loop?.work()
      state.subtract(1, ordering: .sequentiallyConsistent)
      owner.wake(1)
    }
  }

  private func canJoin(after last: Int) -> Bool {
    canJoin(state.load(ordering: .sequentiallyConsistent), after: last)
  }

  private func canJoin(_ state: Int, after last: Int) -> Bool {
    state & Self.placesMask != 0 && state >> Self.numberShift != last
  }

  /// Waits awake for a while, if others can work meanwhile, then asleep.
  private func wait(among sleepers: Sleepers, until isDue: () -> Bool) {
    let awake = processorCount > 1 ? Self.nanosecondsAwake : 0
    let start = DispatchTime.now().uptimeNanoseconds
    repeat {
      for _ in 0..<32 {
        if isDue() { return }
        kist_pause()
      }
    } while DispatchTime.now().uptimeNanoseconds - start < awake
    sleepers.wait(until: isDue)
  }
}

/// Threads asleep. Who makes true what they wait for, by a sequentially consistent change, wakes them after that: either it is seen by one
/// that goes to sleep, or that one is counted here.
private final class Sleepers: @unchecked Sendable {
  private let condition = NSCondition()
  private let sleeping = Atomic<Int>(0)

  var count: Int { sleeping.load(ordering: .sequentiallyConsistent) }

  func wait(until isDue: () -> Bool) {
    condition.lock()
    sleeping.add(1, ordering: .sequentiallyConsistent)
    while !isDue() { condition.wait() }
    sleeping.subtract(1, ordering: .sequentiallyConsistent)
    condition.unlock()
  }

  /// Wakes so many at most.
  func wake(_ wanted: Int) {
    let count = min(wanted, count)
    guard count > 0 else { return }
    condition.lock()
    for _ in 0..<count { condition.signal() }
    condition.unlock()
  }
}
