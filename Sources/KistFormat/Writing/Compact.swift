import KistCore

extension KistFile {
  /// Rewrites a container without what its latest commit does not reach. Stored bytes are copied, not encoded again.
  ///
  /// - Returns: the lengths before and after.
  /// - Throws: `damaged` when a chunk does not match its checksum; the file is then as it was.
  public static func compact(
    path: String, parallelism: Parallelism = Parallelism(), progress: any ProgressObserver = NoProgress()
  ) throws(KistError) -> (before: Int, after: Int) {
    let lock = try FileLock(path: path)
    let file = try KistFile(try MappedFile(descriptor: lock.descriptor, path: path))
    let target = try NewFile(target: path)
    try target.output.write(Head.encoded(), at: 0)

    var copier = ChunkCopier(file: file, output: target.output)
    progress.begin("Compacting", total: file.byteCount)
    var records: [EntryRecord] = []
    for entry in file.entries(of: .tensor) + file.entries(of: .asset) + file.entries(of: .record) {
      try parallelism.cancellation.check()
      records.append(try copier.copy(entry))
      progress.advance(by: entry.byteCount)
    }
    progress.end()
    var commit = Commit(entries: records, newChunks: copier.records, generation: 1)
    (commit.setID, commit.shardNumber, commit.shardCount) = (
      file.index.root.setID, file.index.root.shardNumber, file.index.root.shardCount
    )
    let slot = try commit.write(to: target.output, position: copier.position, syncing: false)
    try target.commit(replacing: true)
    return (file.mapped.count, slot.fileByteCount)
  }
}

/// Copies stored chunks from one container to another, keeping what is shared shared.
package struct ChunkCopier {
  private let file: KistFile
  private let output: any FileOutput
  package private(set) var position = Layout.bodyOffset
  package private(set) var records: [ChunkRecord] = []
  /// Where stored bytes went: of packed chunks by their offset, of raw runs by theirs.
  private var moved: [Int: Int] = [:]

  package init(file: KistFile, output: any FileOutput) {
    self.file = file
    self.output = output
  }

  /// Copies the chunks of an entry; gives its new record.
  package mutating func copy(_ entry: Entry) throws(KistError) -> EntryRecord {
    var record = entry.record
    guard record.layout.rawByteCount > 0 else { return record }
    let first = records.count
    for number in 0..<record.layout.chunkCount {
      var chunk = try file.chunk(number, of: entry)
      if record.layout.codec == .raw {
        chunk.offset = try place(ofRun: entry) + number * record.layout.rawBytesPerChunk
        if number == 0 { record.layout.runOffset = chunk.offset }
      } else {
        chunk.offset = try place(of: chunk, number, entry)
      }
      records.append(chunk)
    }
    record.layout.chunksBlock = 0
    record.layout.firstChunk = first
    return record
  }

  private mutating func place(of chunk: ChunkRecord, _ number: Int, _ entry: Entry) throws(KistError) -> Int {
    if let offset = moved[chunk.offset] { return offset }
    position = Layout.aligned(position)
    defer { position += chunk.storedByteCount }
    moved[chunk.offset] = position
    try write(chunk, number, entry, at: position)
    return position
  }

  private mutating func place(ofRun entry: Entry) throws(KistError) -> Int {
    let record = entry.record
    if let offset = moved[record.layout.runOffset] { return offset }
    position = Layout.aligned(
      position, to: Layout.runAlignment(kind: record.kind, byteCount: record.layout.rawByteCount))
    defer { position += record.layout.rawByteCount }
    moved[record.layout.runOffset] = position
    for number in 0..<record.layout.chunkCount {
      try write(
        try file.chunk(number, of: entry), number, entry, at: position + number * record.layout.rawBytesPerChunk)
    }
    return position
  }

  private func write(_ chunk: ChunkRecord, _ number: Int, _ entry: Entry, at offset: Int) throws(KistError) {
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
