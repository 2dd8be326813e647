import KistCore

/// Copies stored chunks of containers into a new one, checking each. What is equal is stored once: entries copied in the order in which a
/// ``ChunkAppender`` would pack them lie where it would put them.
package struct ChunkCopier {
  private let output: any FileOutput
  package private(set) var position = Layout.bodyOffset
  package private(set) var records: [ChunkRecord] = []
  /// Where equal content is already: of packed chunks their record, of raw runs their offset.
  private var packedChunks: [PackedChunkKey: Int] = [:]
  private var rawRuns: [RawRunKey: Int] = [:]

  package init(output: any FileOutput) { self.output = output }

  /// Copies the chunks of an entry; gives its new record.
  package mutating func copy(_ entry: Entry, of file: KistFile) throws(KistError) -> EntryRecord {
    var record = entry.record
    guard record.layout.rawByteCount > 0 else { return record }
    let first = records.count
    if record.layout.codec == .raw {
      record.layout.runOffset = try copyRun(entry, record, of: file)
    } else {
      for number in 0..<record.layout.chunkCount { try copyPacked(number, entry, record.layout, of: file) }
    }
    record.layout.chunksBlock = 0
    record.layout.firstChunk = first
    return record
  }

  private mutating func copyPacked(
    _ number: Int, _ entry: Entry, _ layout: ContentLayout, of file: KistFile
  ) throws(KistError) {
    var chunk = try file.chunk(number, of: entry)
    let key = PackedChunkKey(leaf: chunk.leaf, in: layout)
    if let earlier = packedChunks[key], records[earlier].rawByteCount == chunk.rawByteCount {
      records.append(records[earlier])
      return
    }
    position = Layout.aligned(position)
    try write(chunk, number, entry, of: file, at: position)
    chunk.offset = position
    position += chunk.storedByteCount
    packedChunks[key] = records.count
    records.append(chunk)
  }

  /// - Returns: where the run is.
  private mutating func copyRun(_ entry: Entry, _ record: EntryRecord, of file: KistFile) throws(KistError) -> Int {
    let alignment = Layout.runAlignment(kind: record.kind, byteCount: record.layout.rawByteCount)
    let key = RawRunKey(record)
    let earlier = rawRuns[key].flatMap { $0 % alignment == 0 ? $0 : nil }
    let start = earlier ?? Layout.aligned(position, to: alignment)
    for number in 0..<record.layout.chunkCount {
      var chunk = try file.chunk(number, of: entry)
      let offset = start + number * record.layout.rawBytesPerChunk
      if earlier == nil { try write(chunk, number, entry, of: file, at: offset) }
      chunk.offset = offset
      records.append(chunk)
    }
    if earlier == nil {
      rawRuns[key] = start
      position = start + record.layout.rawByteCount
    }
    return start
  }

  private func write(
    _ chunk: ChunkRecord, _ number: Int, _ entry: Entry, of file: KistFile, at offset: Int
  ) throws(KistError) {
    try file.mapped.fetch(chunk.range)
    let stored = unsafe file.mapped.pointer(chunk.range)
    guard unsafe xxh3(stored) == chunk.hash else {
      throw KistError(
        .damaged, file: file.path, field: "chunk \(number) of '\(entry.name)': XXH3", offset: chunk.offset,
        "the stored bytes do not match their checksum")
    }
    unsafe try output.write(stored, at: offset)
    try file.mapped.checkIntact()
    file.mapped.release(chunk.range)
  }
}
