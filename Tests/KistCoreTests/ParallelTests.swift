import Foundation
import KistCore
import Synchronization
import TestSupport
import Testing

@Suite struct ParallelTests {
  /// Numbers 0..<count, one after the other.
  private func counting(to count: Int) -> () throws(KistError) -> Int? {
    var next = 0
    return { () throws(KistError) -> Int? in
      defer { next += 1 }
      return next < count ? next : nil
    }
  }

  private func failure(_ number: Int) -> KistError { KistError(.damaged, "\(number)") }

  @Test(arguments: [1, 2, 7])
  func `results arrive in the order of their jobs, at most four a thread in flight`(threads: Int) throws {
    let count = 300
    var random = SeededGenerator(seed: 4)
    let delays = (0..<count).map { _ in UInt32.random(in: 0..<400, using: &random) }
    var results: [Int] = []
    let inFlight = Mutex((now: 0, most: 0))
    let jobs = counting(to: count)
    try Parallelism(threads: threads).inOrder(
      next: { () throws(KistError) -> Int? in
        guard let job = try jobs() else { return nil }
        inFlight.withLock {
          $0.now += 1
          $0.most = max($0.most, $0.now)
        }
        return job
      },
      produce: { (job: Int) throws(KistError) -> Int in
        usleep(delays[job])
        return job * 3
      },
      consume: { (job: Int, result: Int) throws(KistError) in
        #expect(result == job * 3)
        results.append(job)
        inFlight.withLock { $0.now -= 1 }
      })
    #expect(results == Array(0..<count))
    #expect(inFlight.withLock { $0.most } <= threads * 4)
  }

  @Test(arguments: [1, 2, 7])
  func `the first error in the order of the jobs is thrown, and what came before it is consumed`(threads: Int) throws {
    var consumed: [Int] = []
    #expect(throws: failure(10)) {
      try Parallelism(threads: threads).inOrder(
        next: counting(to: 100),
        produce: { (job: Int) throws(KistError) -> Int in
          // The first to fail takes longest.
          if job == 10 { usleep(20_000) }
          if job >= 10 { throw failure(job) }
          return job
        },
        consume: { (job: Int, _: Int) throws(KistError) in consumed.append(job) })
    }
    #expect(consumed == Array(0..<10))
  }

  @Test(arguments: [1, 3])
  func `an error of the consumer or of the jobs themselves is thrown`(threads: Int) throws {
    let parallelism = Parallelism(threads: threads)
    #expect(throws: failure(7)) {
      try parallelism.inOrder(
        next: counting(to: 100), produce: { (job: Int) throws(KistError) in job },
        consume: { (job: Int, _: Int) throws(KistError) in if job == 7 { throw failure(job) } })
    }
    #expect(throws: failure(-1)) {
      try parallelism.inOrder(
        next: { () throws(KistError) -> Int? in throw failure(-1) },
        produce: { (job: Int) throws(KistError) in job }, consume: { (_: Int, _: Int) throws(KistError) in })
    }
  }

  @Test(arguments: [1, 2, 7])
  func `cancelling stops the work`(threads: Int) throws {
    let cancellation = Cancellation()
    var consumed = 0
    #expect(throws: KistError.interrupted) {
      try Parallelism(threads: threads, cancellation: cancellation).inOrder(
        next: counting(to: 1_000_000), produce: { (job: Int) throws(KistError) in job },
        consume: { (job: Int, _: Int) throws(KistError) in
          consumed += 1
          if job == 5 { cancellation.cancel() }
        })
    }
    #expect((6...6 + threads * 4).contains(consumed))
    #expect(throws: KistError.interrupted) {
      try Parallelism(threads: threads, cancellation: cancellation).forEach(1) { (_: Int) throws(KistError) in
        Issue.record("work was begun after it was cancelled")
      }
    }
  }

  @Test(arguments: [1, 2, 7])
  func `forEach does everything once and throws the error of the lowest index`(threads: Int) throws {
    let seen = Mutex([Int](repeating: 0, count: 1000))
    try Parallelism(threads: threads).forEach(1000) { (index: Int) throws(KistError) in
      seen.withLock { $0[index] += 1 }
    }
    #expect(seen.withLock { $0.allSatisfy { $0 == 1 } })
    try Parallelism(threads: threads).forEach(0) { (_: Int) throws(KistError) in Issue.record("there is nothing to do")
    }
    #expect(throws: failure(3)) {
      try Parallelism(threads: threads).forEach(100) { (index: Int) throws(KistError) in
        if index == 3 { usleep(5000) }
        if index >= 3 { throw failure(index) }
      }
    }
  }

  @Test func `loops within loops, beside each other and after a rest do everything once`() {
    let done = Atomic<Int>(0)
    let parallelism = Parallelism(threads: 3)
    DispatchQueue.concurrentPerform(iterations: 4) { number in
      for round in 0..<200 {
        // Longer than threads stay awake.
        if round % 50 == number { usleep(3000) }
        try? parallelism.forEach(17) { (_: Int) throws(KistError) in
          try parallelism.forEach(3) { (_: Int) throws(KistError) in _ = done.add(1, ordering: .relaxed) }
        }
      }
    }
    #expect(done.load(ordering: .relaxed) == 4 * 200 * 17 * 3)
  }

  @Test func `there is at least one thread`() {
    #expect(Parallelism(threads: 0).threadCount == 1)
    #expect(Parallelism(threads: -3).threadCount == 1)
    #expect(Parallelism().threadCount >= 1)
  }

  @Test func `a pool gives back what it was given, and makes what it lacks`() throws {
    let made = Atomic<Int>(0)
    let pool = ResourcePool<Int> { () throws(KistError) in made.add(1, ordering: .relaxed).newValue }
    #expect(try pool.take() == 1)
    #expect(try pool.take() == 2)
    pool.give(1)
    #expect(try pool.take() == 1)
    #expect(try pool.take() == 3)
  }
}
