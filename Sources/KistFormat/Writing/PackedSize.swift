import KistCore

/// What entries take in a container, found by packing them and keeping nothing.
package struct PackedSize: Sendable {
  /// The container's length.
  package private(set) var byteCount: Int
  /// Stored bytes of each entry, in the order in which they were given.
  package private(set) var entries: [Int]

  /// - Parameters:
  ///   - entries: in the order in which a ``KistWriter`` gets them.
  ///   - later: a record that a second commit adds, packed as an edit does it.
  /// - Complexity: that of writing them, without the disk.
  package init(of entries: [NewEntry], later: NewEntry? = nil, options: WriterOptions) throws(KistError) {
    func appender(_ position: Int, _ packing: Packing) -> ChunkAppender {
      ChunkAppender(
        output: NoOutput(), position: position, packing: packing, parallelism: options.parallelism,
        progress: options.progress)
    }
    let body = appender(Layout.bodyOffset, options.packing)
    let records = try body.append(entries, firstOrdinal: 0, chunksBlock: 0)
    let slot = try Commit(entries: records, newChunks: body.records, generation: 1)
      .write(to: NoOutput(), position: body.position, syncing: false)
    byteCount = slot.fileByteCount
    var stored = entries.map { _ in 0 }
    for record in records {
      let layout = record.layout
      let chunks = body.records[
        layout.firstChunk..<layout.firstChunk + (layout.rawByteCount > 0 ? layout.chunkCount : 0)]
      stored[Int(record.ordinal)] = chunks.reduce(0) { $0 + $1.storedByteCount }
    }
    self.entries = stored
    guard let later else { return }
    let second = appender(byteCount, .auto)
    let added = try second.append([later], firstOrdinal: UInt32(entries.count), chunksBlock: 1)
    // The older block of chunks is only named again.
    let block = BlockDescription(.chunks, bytes: [], offset: 0)
    byteCount = try Commit(
      entries: records + added, chunksBlocks: body.records.isEmpty ? [] : [block], newChunks: second.records,
      generation: 2
    ).write(to: NoOutput(), position: second.position, syncing: false).fileByteCount
  }
}

/// Takes everything and keeps nothing.
private struct NoOutput: FileOutput {
  func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) {}
  func cut(at offset: Int) {}
  func sync() {}
}
