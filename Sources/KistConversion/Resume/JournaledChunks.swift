import KistCore
import KistFormat

/// A journal of the chunks of a container, in their order.
///
/// A record: what it is (0 a raw chunk, 1 a packed one, 2 chunks that are shared), eight words that say more, and the XXH3 of these nine.
/// Of a chunk they are its record in the container; of shared ones the first chunk's number and how far they moved.
struct JournaledChunks: ChunkLog {
  static let wordsPerRecord = 10

  private let journal: Journal
  let events: [ChunkEvent]

  init(_ journal: Journal) {
    self.journal = journal
    var events: [ChunkEvent] = []
    for start in stride(from: 0, to: journal.records.count, by: Self.wordsPerRecord) {
      guard let event = ChunkEvent(words: journal.records[start..<start + Self.wordsPerRecord]) else { break }
      events.append(event)
    }
    self.events = events
  }

  func add(_ event: ChunkEvent) throws(KistError) { try journal.add(event.words) }

  func keep(events count: Int, byteCount: Int) throws(KistError) {
    try journal.keep(records: count)
    journal.noteReused(byteCount)
  }
}

extension ChunkEvent {
  fileprivate init?(words: ArraySlice<UInt64>) {
    let words = Array(words)
    guard words.last == Self.check(words.dropLast()) else { return nil }
    switch words[0] {
    case 0, 1: self = .chunk(ChunkRecord(words: words[1...8]), isPacked: words[0] == 1)
    case 2: self = .sharing(firstChunk: Int(truncatingIfNeeded: words[1]), shift: Int(truncatingIfNeeded: words[2]))
    default: return nil
    }
  }

  fileprivate var words: [UInt64] {
    let said: [UInt64] =
      switch self {
      case .chunk(let record, let isPacked): [isPacked ? 1 : 0] + record.words
      case .sharing(let first, let shift):
        [2, UInt64(first), UInt64(bitPattern: Int64(shift)), 0, 0, 0, 0, 0, 0]
      }
    return said + [Self.check(said[...])]
  }

  private static func check(_ words: ArraySlice<UInt64>) -> UInt64 {
    var writer = ByteWriter(capacity: 8 * words.count)
    for word in words { writer.u64(word) }
    return xxh3(writer.bytes)
  }
}

extension ChunkRecord {
  fileprivate init(words: ArraySlice<UInt64>) {
    let words = Array(words)
    self.init(
      offset: Int(truncatingIfNeeded: words[0]), storedByteCount: Int(words[1] & 0xFFFF_FFFF),
      rawByteCount: Int(words[1] >> 32), hash: words[2], leaf: Digest(words: (words[4], words[5], words[6], words[7])))
  }

  /// As in the container.
  fileprivate var words: [UInt64] {
    var writer = ByteWriter(capacity: ChunkRecord.byteCount)
    append(to: &writer)
    return stride(from: 0, to: ChunkRecord.byteCount, by: 8).map { start in
      (0..<8).reduce(0) { $0 | UInt64(writer.bytes[start + $1]) << (8 * $1) }
    }
  }
}
