import Foundation
import KistCore
import KistFormat
import Synchronization
import TestSupport
import Testing

/// Containers whose writer was stopped, and that another one goes on with.
@Suite struct ResumptionTests {
  /// A log in memory, which stops the writer after so many events.
  private final class Log: ChunkLog {
    private let most: Int
    private let state: Mutex<(events: [ChunkEvent], reusedByteCount: Int)>

    init(_ events: [ChunkEvent] = [], most: Int = .max) {
      self.most = most
      state = Mutex((events, 0))
    }

    var events: [ChunkEvent] { state.withLock { $0.events } }
    var reusedByteCount: Int { state.withLock { $0.reusedByteCount } }

    func add(_ event: ChunkEvent) throws(KistError) {
      let isFull = state.withLock { state in
        guard state.events.count < most else { return true }
        state.events.append(event)
        return false
      }
      if isFull { throw KistError(.interrupted, "stopped") }
    }

    func keep(events count: Int, byteCount: Int) throws(KistError) {
      state.withLock { state in
        state.events.removeLast(state.events.count - count)
        state.reusedByteCount = byteCount
      }
    }
  }

  private func write(_ target: String, _ log: Log, _ packing: Packing, threads: Int) throws {
    let writer = try KistWriter(
      creating: target, options: WriterOptions(packing: packing, parallelism: Parallelism(threads: threads)),
      resuming: Resumption(path: target + ".part", log: log))
    try writer.add(Array(sampleEntries[..<8]))
    try writer.add(Array(sampleEntries[8...]))
    try writer.finish()
  }

  /// What a writer leaves that is stopped after so many events.
  private func stop(_ target: String, after count: Int, _ packing: Packing) throws -> Log {
    let log = Log(most: count)
    let error = #expect(throws: KistError.self) { try write(target, log, packing, threads: 1) }
    #expect(error?.kind == .interrupted)
    return log
  }

  private func whole(_ folder: TemporaryFolder, _ packing: Packing) throws -> (bytes: [UInt8], eventCount: Int) {
    let log = Log()
    try write(folder.file("whole.kist"), log, packing, threads: 2)
    let plain = try KistWriter(creating: folder.file("plain.kist"), options: WriterOptions(packing: packing))
    try plain.add(sampleEntries)
    try plain.finish()
    let bytes = try readFile(folder.file("whole.kist"))
    #expect(try bytes == readFile(folder.file("plain.kist")))
    return (bytes, log.events.count)
  }

  @Test(arguments: [Packing.auto, .none])
  func `wherever a writer is stopped, the file becomes what it would have been`(_ packing: Packing) throws {
    let folder = try TemporaryFolder()
    let whole = try whole(folder, packing)
    #expect(whole.eventCount >= 12)
    var reused = 0
    for count in 0..<whole.eventCount {
      let target = folder.file("\(count).kist")
      let log = Log(try stop(target, after: count, packing).events)
      try write(target, log, packing, threads: 1 + count % 3)
      #expect(try readFile(target) == whole.bytes, "stopped after \(count)")
      #expect(log.events.count == whole.eventCount && log.reusedByteCount >= reused, "stopped after \(count)")
      reused = log.reusedByteCount
      #expect(!folder.contents.contains { $0.hasSuffix(".part") })
    }
    #expect(reused > 2_000_000)
  }

  @Test func `what was written beyond the log, and older commits, do not show`() throws {
    let folder = try TemporaryFolder()
    let whole = try whole(folder, .none)
    let target = folder.file("a.kist")
    let log = try stop(target, after: 5, .none)
    let part = try readFile(target + ".part")
    try writeFile(part[..<4096] + [UInt8](repeating: 7, count: 8192) + part[12288...] + [1, 2, 3], target + ".part")
    try write(target, Log(log.events), .none, threads: 2)
    #expect(try readFile(target) == whole.bytes)
  }

  @Test(arguments: [Packing.auto, .none])
  func `from the first chunk that was damaged on, all is written again`(_ packing: Packing) throws {
    let folder = try TemporaryFolder()
    let whole = try whole(folder, packing)
    let records = try stop(folder.file("log.kist"), after: whole.eventCount - 1, packing).events.compactMap { event in
      if case .chunk(let record, _) = event { record } else { nil }
    }
    for damaged in [0, 2, 5] {
      let target = folder.file("\(damaged).kist")
      let log = try stop(target, after: whole.eventCount - 1, packing)
      var part = try readFile(target + ".part")
      part[records[damaged].offset] ^= 1
      try writeFile(part, target + ".part")
      let resumed = Log(log.events)
      try write(target, resumed, packing, threads: 2)
      #expect(try readFile(target) == whole.bytes, "chunk \(damaged)")
      #expect(resumed.reusedByteCount < records.reduce(0) { $0 + $1.rawByteCount })
    }
  }
}
