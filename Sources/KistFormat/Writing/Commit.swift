import KistCore

/// Writes an index and the commit that puts it in force.
package struct Commit {
  /// All entries, in any order; their chunks are in `chunksBlocks` or, with the next position, in `newChunks`.
  package var entries: [EntryRecord]
  /// Chunks blocks that are in the file already.
  package var chunksBlocks: [BlockDescription]
  /// Records for one more chunks block; may be empty.
  package var newChunks: [ChunkRecord]
  package var generation: UInt64
  package var place: SetPlace?

  package init(
    entries: [EntryRecord], chunksBlocks: [BlockDescription] = [], newChunks: [ChunkRecord], generation: UInt64,
    place: SetPlace? = nil
  ) {
    self.entries = entries
    self.chunksBlocks = chunksBlocks
    self.newChunks = newChunks
    self.generation = generation
    self.place = place
  }

  /// Appends index blocks and root from `position` on, syncs, and writes the slot; syncs again when asked to.
  ///
  /// - Returns: the commit that is now in force.
  package func write(to output: any FileOutput, position: Int, syncing: Bool) throws(KistError) -> CommitSlot {
    let sorted = entries.sorted(by: EntryRecord.precedes)
    guard sorted.count <= Int(UInt32.max) else {
      throw KistError(.invalid, "a file holds at most 4,294,967,295 entries")
    }
    var position = position
    func append(_ kind: BlockKind, _ bytes: [UInt8]) throws(KistError) -> BlockDescription {
      position = Layout.aligned(position)
      let block = BlockDescription(kind, bytes: bytes, offset: position)
      try output.write(bytes, at: position)
      position += bytes.count
      return block
    }

    var chunks = chunksBlocks
    if !newChunks.isEmpty { chunks.append(try append(.chunks, Commit.encode(newChunks))) }
    let blocks = Commit.encode(sorted)
    var root = Root(
      weightsDigest: Commit.digest(of: sorted.filter { $0.kind == .tensor }),
      packageDigest: Commit.digest(of: sorted.filter { !$0.isSignature }),
      entries: try append(.entries, blocks.entries), names: try append(.names, blocks.names),
      dims: try append(.dims, blocks.dims), chunks: chunks)
    root.place = place

    let rootBytes = root.encoded()
    position = Layout.aligned(position)
    try output.write(rootBytes, at: position)
    var slot = CommitSlot(
      generation: generation, fileByteCount: position + rootBytes.count, rootOffset: position,
      rootByteCount: rootBytes.count, rootDigest: Digest(hashing: rootBytes))
    slot.incompatible = IncompatibleFeatures(neededBy: sorted)
    if syncing { try output.sync() }
    try output.write(slot.encoded(), at: CommitSlot.offset(ofGeneration: generation))
    if syncing { try output.sync() }
    return slot
  }

  private static func encode(_ chunks: [ChunkRecord]) -> [UInt8] {
    var writer = ByteWriter(capacity: chunks.count * ChunkRecord.byteCount)
    for chunk in chunks { chunk.append(to: &writer) }
    return writer.bytes
  }

  private static func encode(_ sorted: [EntryRecord]) -> (entries: [UInt8], names: [UInt8], dims: [UInt8]) {
    var entries = ByteWriter(capacity: sorted.count * EntryRecord.byteCount)
    var names = ByteWriter()
    var dims = ByteWriter()
    for entry in sorted {
      entry.append(to: &entries, nameOffset: names.bytes.count, firstDim: dims.bytes.count / 8)
      names.raw(entry.name.utf8)
      for dimension in entry.shape.dimensions { dims.u64(dimension) }
    }
    return (entries.bytes, names.bytes, dims.bytes)
  }

  /// The digest of a list of entries in entry order: spec/kist-format.md, "Digests".
  package static func digest(of sorted: some Sequence<EntryRecord>) -> Digest {
    var writer = ByteWriter()
    for entry in sorted { entry.append(toDigestInput: &writer) }
    return Digest(hashing: writer.bytes)
  }
}
