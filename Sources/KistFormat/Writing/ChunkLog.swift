import KistCore
import Synchronization

/// Where a writer notes which chunks it appended, so that another one can go on when it is stopped.
package protocol ChunkLog: Sendable {
  /// What was noted before, in order.
  var events: [ChunkEvent] { get }
  /// Notes what was done.
  func add(_ event: ChunkEvent) throws(KistError)
  /// Forgets what was noted from an event on, and takes note of how much of the content is there.
  func keep(events count: Int, byteCount: Int) throws(KistError)
}

/// A step of ``ChunkAppender``.
package enum ChunkEvent: Sendable, Equatable {
  /// The next chunk is at its place.
  case chunk(ChunkRecord, isPacked: Bool)
  /// The chunks from one on turned out to be there already: their bytes are those that lie `shift` further.
  case sharing(firstChunk: Int, shift: Int)
}

/// A container that is taken up where another writer stopped.
package struct Resumption: Sendable {
  /// The unfinished file.
  package var path: String
  package var log: any ChunkLog

  package init(path: String, log: any ChunkLog) {
    self.path = path
    self.log = log
  }
}

/// The chunks of an unfinished container that need not be made again: as far as the log goes and the bytes are what it says.
struct ResumedChunks {
  private(set) var chunks: [(record: ChunkRecord, isPacked: Bool)] = []
  /// First chunks of the runs that are shared.
  private(set) var shared: Set<Int> = []
  /// Where the file ends that has nothing but these.
  private(set) var end = Layout.bodyOffset

  init() {}

  /// - Throws: what the log throws when it can't forget the rest.
  init(_ log: any ChunkLog, in file: DescriptorOutput, _ parallelism: Parallelism) throws(KistError) {
    for event in log.events {
      switch event {
      case .chunk(let record, let isPacked): chunks.append((record, isPacked))
      case .sharing(let first, let shift):
        guard chunks.indices.contains(first) else { continue }
        for index in first..<chunks.count { chunks[index].record.offset &+= shift }
        shared.insert(first)
      }
    }
    let count = try Self.intactCount(chunks.map(\.record), in: file, parallelism)
    chunks.removeLast(chunks.count - count)
    shared = shared.filter { $0 < count }
    end = chunks.reduce(end) { max($0, $1.record.range.upperBound) }
    try log.keep(
      events: Self.eventCount(log.events, chunks: count), byteCount: chunks.reduce(0) { $0 + $1.record.rawByteCount })
  }

  /// How many chunks there are before the first that is not what it was.
  private static func intactCount(
    _ records: [ChunkRecord], in file: DescriptorOutput, _ parallelism: Parallelism
  ) throws(KistError) -> Int {
    let first = Mutex(records.count)
    try parallelism.forEach(records.count) { index throws(KistError) in
      let record = records[index]
      let isSane =
        (Layout.bodyOffset..<Int.max / 2).contains(record.offset)
        && record.storedByteCount <= Layout.maximumStoredByteCount
      if isSane, let bytes = file.bytes(record.range), xxh3(bytes) == record.hash { return }
      first.withLock { $0 = min($0, index) }
    }
    return first.withLock { $0 }
  }

  /// The events before the first that speaks of a later chunk.
  private static func eventCount(_ events: [ChunkEvent], chunks count: Int) -> Int {
    var seen = 0
    for (index, event) in events.enumerated() {
      guard case .chunk = event else { continue }
      if seen == count { return index }
      seen += 1
    }
    return events.count
  }
}
