import Foundation
import Synchronization

/// Says to long work that it should stop. Workers look at it between chunks.
public final class Cancellation: Sendable {
  private let flag = Atomic<Bool>(false)

  public init() {}

  public func cancel() { flag.store(true, ordering: .relaxed) }
  public var isCancelled: Bool { flag.load(ordering: .relaxed) }

  package func check() throws(KistError) {
    if isCancelled { throw .interrupted }
  }
}

/// How work is spread over the machine.
public struct Parallelism: Sendable {
  public let threadCount: Int
  public let cancellation: Cancellation

  /// - Parameter threads: nil for the processor's number of cores.
  public init(threads: Int? = nil, cancellation: Cancellation = Cancellation()) {
    threadCount = max(1, threads ?? ProcessInfo.processInfo.activeProcessorCount)
    self.cancellation = cancellation
  }

  /// Turns jobs into results on several threads, and hands the results on one at a time, in the order of the jobs.
  ///
  /// At most 4 jobs a thread are in flight at any moment, so memory is bounded. Whichever thread completes the next result in order
  /// consumes it; none is set apart for it. The first error in the order of the jobs is thrown, so the outcome does not depend
  /// on the number of threads.
  ///
  /// - Parameters:
  ///   - next: Gives jobs, in order; called by one thread at a time.
  ///   - produce: Does a job; called concurrently.
  ///   - consume: Takes a result; called by one thread at a time, in order.
  package func inOrder<Job: Sendable, Result: Sendable>(
    next: @escaping () throws(KistError) -> Job?,
    produce: @escaping (Job) throws(KistError) -> Result,
    consume: @escaping (Job, Result) throws(KistError) -> Void
  ) throws(KistError) {
    let pipeline = OrderedPipeline(
      window: threadCount * 4, cancellation: cancellation, next: next, produce: produce, consume: consume)
    if threadCount == 1 {
      pipeline.work()
    } else {
      DispatchQueue.concurrentPerform(iterations: threadCount) { _ in pipeline.work() }
    }
    if let error = pipeline.error { throw error }
  }

  /// Runs `body` for every index, on several threads; throws the error of the lowest index that failed.
  package func forEach(_ count: Int, _ body: @escaping (Int) throws(KistError) -> Void) throws(KistError) {
    let loop = IndexLoop(count: count, cancellation: cancellation, body: body)
    let workers = min(threadCount, count)
    if workers <= 1 {
      loop.work()
    } else if !ReadyThreads.shared.run(loop, helpers: workers - 1) {
      DispatchQueue.concurrentPerform(iterations: workers) { _ in loop.work() }
    }
    if let error = loop.error { throw error }
  }
}

/// Indices that several threads take in order, one at a time.
final class IndexLoop: @unchecked Sendable {
  private let count: Int
  private let cancellation: Cancellation
  private let body: (Int) throws(KistError) -> Void
  private let next = Atomic<Int>(0)
  private let failure = Mutex<(index: Int, error: KistError)?>(nil)

  init(count: Int, cancellation: Cancellation, body: @escaping (Int) throws(KistError) -> Void) {
    self.count = count
    self.cancellation = cancellation
    self.body = body
  }

  var error: KistError? { failure.withLock { $0?.error } }

  /// Takes indices until there are none left, or one has failed: those below it were all taken before.
  func work() {
    while true {
      let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
      guard index < count else { return }
      do throws(KistError) {
        try cancellation.check()
        try body(index)
      } catch {
        next.store(count, ordering: .relaxed)
        failure.withLock { known in
          if index < known?.index ?? .max { known = (index, error) }
        }
      }
    }
  }
}

private final class OrderedPipeline<Job: Sendable, Output: Sendable>: @unchecked Sendable {
  private let window: Int
  private let cancellation: Cancellation
  private let next: () throws(KistError) -> Job?
  private let produce: (Job) throws(KistError) -> Output
  private let consume: (Job, Output) throws(KistError) -> Void

  // All below is guarded by `condition`.
  private let condition = NSCondition()
  private var finished: [(job: Job, result: Result<Output, KistError>)?]
  private var claimed = 0
  private var consumed = 0
  private var isConsuming = false
  private var isExhausted = false
  private(set) var error: KistError?

  init(
    window: Int, cancellation: Cancellation, next: @escaping () throws(KistError) -> Job?,
    produce: @escaping (Job) throws(KistError) -> Output,
    consume: @escaping (Job, Output) throws(KistError) -> Void
  ) {
    self.window = window
    self.cancellation = cancellation
    self.next = next
    self.produce = produce
    self.consume = consume
    finished = Array(repeating: nil, count: window)
  }

  /// Claims, produces and consumes until there is nothing left to do.
  func work() {
    condition.lock()
    defer { condition.unlock() }
    while error == nil {
      if let ready = takeReady() {
        consumeUnlocked(ready.job, ready.result)
      } else if let (index, job) = claim() {
        produceUnlocked(index, job)
      } else if isExhausted && consumed == claimed {
        return
      } else if error == nil {
        condition.wait()
      }
    }
  }

  private func takeReady() -> (job: Job, result: Result<Output, KistError>)? {
    guard !isConsuming, consumed < claimed, let ready = finished[consumed % window] else { return nil }
    finished[consumed % window] = nil
    return ready
  }

  private func claim() -> (Int, Job)? {
    guard !isExhausted, claimed - consumed < window else { return nil }
    do throws(KistError) {
      try cancellation.check()
      guard let job = try next() else {
        isExhausted = true
        condition.broadcast()
        return nil
      }
      defer { claimed += 1 }
      return (claimed, job)
    } catch {
      fail(error)
      return nil
    }
  }

  private func produceUnlocked(_ index: Int, _ job: Job) {
    condition.unlock()
    let result = Result { () throws(KistError) in try produce(job) }
    condition.lock()
    finished[index % window] = (job, result)
    condition.broadcast()
  }

  private func consumeUnlocked(_ job: Job, _ result: Result<Output, KistError>) {
    isConsuming = true
    condition.unlock()
    let outcome = Result { () throws(KistError) in try consume(job, result.get()) }
    condition.lock()
    isConsuming = false
    consumed += 1
    if case .failure(let error) = outcome { fail(error) }
    condition.broadcast()
  }

  private func fail(_ error: KistError) {
    if self.error == nil { self.error = error }
    condition.broadcast()
  }
}
