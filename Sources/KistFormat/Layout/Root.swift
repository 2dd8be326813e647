import KistCore

/// Where an index block is, and what its bytes must hash to.
package struct BlockDescription: Sendable, Equatable {
  package var kind: BlockKind
  package var recordCount: Int
  package var offset: Int
  package var byteCount: Int
  package var hash: UInt64
  package var digest: Digest

  package var range: Range<Int> { offset..<offset + byteCount }

  /// Describes a block that is written at an offset.
  package init(_ kind: BlockKind, bytes: [UInt8], offset: Int) {
    self.kind = kind
    recordCount = bytes.count / kind.recordByteCount
    self.offset = bytes.isEmpty ? 0 : offset
    byteCount = bytes.count
    hash = xxh3(bytes)
    digest = Digest(hashing: bytes)
  }

  fileprivate init(_ span: RawSpan, at offset: Int, expecting kind: BlockKind, fileByteCount: Int) throws(KistError) {
    guard span.u32(offset) == kind.rawValue else {
      throw KistError(.damaged, field: "root: block kind", "kind \(span.u32(offset)) where the \(kind.name) belongs")
    }
    guard span.u32(offset + 4) == 0 else {
      throw KistError(.damaged, field: "root: reserved", "reserved bytes of the \(kind.name) are not zero")
    }
    self.kind = kind
    recordCount = span.size(offset + 8)
    self.offset = span.size(offset + 16)
    byteCount = span.size(offset + 24)
    hash = span.u64(offset + 32)
    digest = span.sha256(offset + 40)

    let (expected, overflow) = recordCount.multipliedReportingOverflow(by: kind.recordByteCount)
    guard !overflow, byteCount == expected, recordCount <= UInt32.max || kind == .names else {
      throw KistError(
        .damaged, field: "\(kind.name): length", "\(byteCount) bytes do not hold \(recordCount) records")
    }
    if byteCount == 0 {
      guard self.offset == 0 else {
        throw KistError(.damaged, field: "\(kind.name): offset", "an empty block has offset 0")
      }
      return
    }
    guard self.offset % Layout.alignment == 0, self.offset >= Layout.bodyOffset, byteCount <= fileByteCount,
      self.offset <= fileByteCount - byteCount
    else {
      throw KistError(
        .damaged, field: "\(kind.name): offset", offset: self.offset, "the block lies outside the committed file")
    }
  }
}

/// The list of index blocks of a commit, and the digests of the whole.
package struct Root: Sendable, Equatable {
  /// Nil when the file is not part of a set.
  package var place: SetPlace?
  package var weightsDigest: Digest
  package var packageDigest: Digest
  package var entries: BlockDescription
  package var names: BlockDescription
  package var dims: BlockDescription
  package var chunks: [BlockDescription]

  package var blocks: [BlockDescription] { [entries, names, dims] + chunks }

  package init(
    weightsDigest: Digest, packageDigest: Digest, entries: BlockDescription, names: BlockDescription,
    dims: BlockDescription, chunks: [BlockDescription]
  ) {
    self.weightsDigest = weightsDigest
    self.packageDigest = packageDigest
    self.entries = entries
    self.names = names
    self.dims = dims
    self.chunks = chunks
  }

  package func encoded() -> [UInt8] {
    var root = ByteWriter()
    root.raw(place?.id ?? [UInt8](repeating: 0, count: 16))
    root.u32(UInt32(place?.number ?? 0))
    root.u32(UInt32(place?.count ?? 0))
    root.u32(UInt32(blocks.count))
    root.u32(0)
    root.digest(weightsDigest)
    root.digest(packageDigest)
    for block in blocks {
      root.u32(block.kind.rawValue)
      root.u32(0)
      root.u64(block.recordCount)
      root.u64(block.offset)
      root.u64(block.byteCount)
      root.u64(block.hash)
      root.digest(block.digest)
    }
    return root.bytes
  }

  /// Reads the root that a commit points to, after checking its digest.
  package init(_ file: RawSpan, slot: CommitSlot) throws(KistError) {
    let span = file.extracting(slot.rootOffset..<slot.rootOffset + slot.rootByteCount)
    guard unsafe span.withUnsafeBytes({ unsafe Digest(hashing: $0) }) == slot.rootDigest else {
      throw KistError(.damaged, field: "root: SHA-256", offset: slot.rootOffset, "the root does not match its digest")
    }
    let count = Int(span.u32(24))
    guard count >= 3, count <= 3 + Layout.maximumChunksBlockCount,
      slot.rootByteCount == Layout.rootHeaderByteCount + count * Layout.blockDescriptionByteCount
    else {
      throw KistError(
        .damaged, field: "root: block count", offset: slot.rootOffset + 24, "\(count) is not possible here")
    }
    guard span.u32(28) == 0 else {
      throw KistError(.damaged, field: "root: reserved", offset: slot.rootOffset + 28, "reserved bytes are not zero")
    }
    func block(_ index: Int, _ kind: BlockKind) throws(KistError) -> BlockDescription {
      try BlockDescription(
        span, at: Layout.rootHeaderByteCount + index * Layout.blockDescriptionByteCount, expecting: kind,
        fileByteCount: slot.fileByteCount)
    }
    self.init(
      weightsDigest: span.sha256(32), packageDigest: span.sha256(64), entries: try block(0, .entries),
      names: try block(1, .names), dims: try block(2, .dims), chunks: [])
    let place = SetPlace(id: span.array(0..<16), number: Int(span.u32(16)), count: Int(span.u32(20)))
    let isInSet = [place.id.contains { $0 != 0 }, place.number > 0, place.count > 0]
    guard Set(isInSet).count == 1, place.number <= place.count else {
      throw KistError(
        .damaged, field: "root: shard number", offset: slot.rootOffset + 16,
        "set id, number and count do not go together")
    }
    if place.count > 0 { self.place = place }
    for index in 3..<count { chunks.append(try block(index, .chunks)) }
  }
}
