import KistCore
import Synchronization

/// Encodes entries and appends their chunks to a file, in order, whatever the number of threads.
///
/// Equal chunks and equal raw runs are stored once: the second entry refers to the first one's bytes.
package final class ChunkAppender {
  private let output: any FileOutput
  private let packing: Packing
  private let parallelism: Parallelism
  private let progress: any ProgressObserver
  private let encoders = ResourcePool { () throws(KistError) in try ChunkEncoder() }
  private let buffers = ResourcePool { () throws(KistError) in ChunkBuffer() }

  /// Where the next chunk may begin.
  package private(set) var position: Int
  /// Records of all chunks that were appended, for a new chunks block.
  package private(set) var records: [ChunkRecord] = []

  private var packedChunks: [PackedChunkKey: Int] = [:]
  private var rawRuns: [RawRunKey: Int] = [:]

  package init(
    output: any FileOutput, position: Int, packing: Packing, parallelism: Parallelism, progress: any ProgressObserver
  ) {
    self.output = output
    self.position = position
    self.packing = packing
    self.parallelism = parallelism
    self.progress = progress
  }

  /// One chunk of one entry: a piece of work.
  private struct Job: Sendable {
    var entry: Int
    var chunk: Int

    /// Goes on to the next; gives the one before, nil at the end.
    mutating func advance(in drafts: [EntryDraft]) -> Job? {
      guard entry < drafts.count else { return nil }
      defer {
        chunk += 1
        // An entry without content is a job too: it is completed in its turn.
        if chunk >= max(1, drafts[entry].record.layout.chunkCount) { self = Job(entry: entry + 1, chunk: 0) }
      }
      return self
    }
  }

  /// A chunk and the buffer that holds its bytes until they are written.
  private struct Encoded: Sendable {
    var chunk: EncodedChunk
    var buffer: ChunkBuffer
  }

  /// Appends the content of entries.
  ///
  /// - Parameter chunksBlock: Position that the block of ``records`` will have.
  /// - Returns: the entries' records, complete.
  package func append(
    _ entries: [NewEntry], firstOrdinal: UInt32, chunksBlock: Int
  ) throws(KistError) -> [EntryRecord] {
    var drafts: [EntryDraft] = []
    for (index, entry) in entries.enumerated() {
      drafts.append(
        EntryDraft(entry: entry, record: try entry.makeRecord(ordinal: firstOrdinal + UInt32(index)), packing: packing))
    }
    drafts.sort { $0.record.isStored(before: $1.record) }
    var (cursor, told) = (Job(entry: 0, chunk: 0), Job(entry: 0, chunk: 0))
    func range(of job: Job) -> Range<Int> { drafts[job.entry].record.layout.rawRange(ofChunk: job.chunk) }
    let readAhead = ReadAhead {
      guard let job = told.advance(in: drafts) else { return nil }
      drafts[job.entry].entry.source.willRead(range(of: job))
      return range(of: job).count
    }
    try parallelism.inOrder(
      next: { () throws(KistError) -> Job? in
        guard let job = cursor.advance(in: drafts) else { return nil }
        readAhead.reads(range(of: job).count)
        return job
      },
      produce: { (job) throws(KistError) -> Encoded in
        let encoder = try self.encoders.take()
        defer { self.encoders.give(encoder) }
        let buffer = try self.buffers.take()
        return Encoded(chunk: try drafts[job.entry].encode(job.chunk, with: encoder, into: buffer), buffer: buffer)
      },
      consume: { (job, encoded) throws(KistError) in
        let draft = drafts[job.entry]
        let range = draft.record.layout.rawRange(ofChunk: job.chunk)
        if draft.record.layout.rawByteCount > 0 { try self.append(encoded, job.chunk, of: draft) }
        if job.chunk + 1 >= draft.record.layout.chunkCount { try self.complete(draft, chunksBlock: chunksBlock) }
        self.buffers.give(encoded.buffer)
        draft.entry.source.release(range)
        self.progress.advance(by: range.count)
      })
    return drafts.map(\.record)
  }

  private func append(_ encoded: Encoded, _ index: Int, of draft: EntryDraft) throws(KistError) {
    let chunk = encoded.chunk
    if index == 0 {
      draft.begin(packed: chunk.packedByteCount != nil, firstChunk: records.count)
      if draft.record.layout.codec == .raw {
        draft.positionBefore = position
        position = Layout.aligned(
          position, to: Layout.runAlignment(kind: draft.record.kind, byteCount: draft.record.layout.rawByteCount))
        draft.record.layout.runOffset = position
      }
    }
    if let packedByteCount = chunk.packedByteCount {
      unsafe try appendPacked(chunk, encoded.buffer.stored(packedByteCount), of: draft)
    } else {
      let range = draft.record.layout.rawRange(ofChunk: index)
      if chunk.isRawInBuffer {
        unsafe try output.write(encoded.buffer.stored(range.count), at: position)
      } else {
        unsafe try draft.entry.source.withBytes(range) { bytes throws(KistError) in
          unsafe try output.write(bytes, at: position)
        }
      }
      record(chunk, offset: position, storedByteCount: range.count)
      position += range.count
    }
  }

  private func appendPacked(
    _ chunk: EncodedChunk, _ stored: UnsafeRawBufferPointer, of draft: EntryDraft
  ) throws(KistError) {
    let key = PackedChunkKey(leaf: chunk.leaf, in: draft.record.layout)
    if let earlier = packedChunks[key] {
      records.append(records[earlier])
      return
    }
    position = Layout.aligned(position)
    unsafe try output.write(stored, at: position)
    packedChunks[key] = records.count
    record(chunk, offset: position, storedByteCount: stored.count)
    position += stored.count
  }

  private func record(_ chunk: EncodedChunk, offset: Int, storedByteCount: Int) {
    records.append(
      ChunkRecord(
        offset: offset, storedByteCount: storedByteCount, rawByteCount: chunk.rawByteCount, hash: chunk.hash,
        leaf: chunk.leaf))
  }

  /// All chunks of an entry are there: digests it, and takes a raw run back that the file already had.
  private func complete(_ draft: EntryDraft, chunksBlock: Int) throws(KistError) {
    guard draft.record.layout.rawByteCount > 0 else { return }
    let first = draft.record.layout.firstChunk
    draft.record.layout.chunksBlock = chunksBlock
    draft.record.digest = Digest(ofLeaves: records[first...].lazy.map(\.leaf))
    guard draft.record.layout.codec == .raw else { return }
    let key = RawRunKey(draft.record)
    let alignment = Layout.runAlignment(kind: draft.record.kind, byteCount: draft.record.layout.rawByteCount)
    guard let earlier = rawRuns[key], earlier % alignment == 0 else {
      rawRuns[key] = draft.record.layout.runOffset
      return
    }
    for index in first..<records.count { records[index].offset += earlier - draft.record.layout.runOffset }
    position = draft.positionBefore
    // What was written of it must not show where the next entry leaves a gap.
    try output.cut(at: position)
    draft.record.layout.runOffset = earlier
  }
}

/// An entry on its way into the file.
private final class EntryDraft: @unchecked Sendable {
  let entry: NewEntry
  private let packing: Packing
  /// Touched by one thread at a time: the one that consumes.
  var record: EntryRecord
  /// Where the file ended before the entry's run was aligned.
  var positionBefore = 0
  /// What `encode` reads: the record as it was before its chunks came.
  private let blank: EntryRecord
  private let plan = Mutex<Result<PackingPlan, KistError>?>(nil)

  init(entry: NewEntry, record: EntryRecord, packing: Packing) {
    self.entry = entry
    self.record = record
    self.blank = record
    self.packing = entry.staysRaw ? .none : packing
  }

  /// The plan of all chunks, settled by the first thread that needs it.
  private func plan(_ encoder: ChunkEncoder) throws(KistError) -> PackingPlan {
    let result = plan.withLock { plan in
      if let plan { return plan }
      let chosen = Result { () throws(KistError) in
        try PackingPlan.choose(for: blank, from: entry.source, packing: packing, encoder: encoder)
      }
      plan = chosen
      return chosen
    }
    return try result.get()
  }

  func encode(
    _ chunk: Int, with encoder: ChunkEncoder, into buffer: ChunkBuffer
  ) throws(KistError) -> EncodedChunk {
    let plan = try plan(encoder)
    var encoded: EncodedChunk?
    unsafe try entry.source.withBytes(blank.layout.rawRange(ofChunk: chunk)) { bytes throws(KistError) in
      unsafe encoded = try encoder.encode(
        bytes, plan: plan, minimumSaving: packing.minimumSaving, isOnly: blank.layout.chunkCount == 1, into: buffer)
      guard entry.source.isMadeWhenRead, encoded?.packedByteCount == nil else { return }
      unsafe buffer.keep(bytes)
      encoded?.isRawInBuffer = true
    }
    guard let encoded else { throw KistError(.system, field: "'\(entry.name)'", "the source gave no bytes") }
    return encoded
  }

  /// Notes, with the first chunk, how the entry is stored.
  func begin(packed: Bool, firstChunk: Int) {
    record.layout.firstChunk = firstChunk
    guard packed, case .success(let plan)? = plan.withLock({ $0 }) else { return }
    record.layout.codec = .zstd
    record.layout.transform = plan.transform
  }
}
