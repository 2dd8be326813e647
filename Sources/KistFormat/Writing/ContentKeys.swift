import KistCore

/// What makes two packed chunks of a file one.
struct PackedChunkKey: Hashable {
  var leaf: Digest
  var transform: Transform
  var planeCount: Int

  init(leaf: Digest, in layout: ContentLayout) {
    self.leaf = leaf
    transform = layout.transform
    planeCount = layout.planeCount
  }
}

/// What makes two raw runs of a file one.
struct RawRunKey: Hashable {
  var digest: Digest
  var byteCount: Int

  init(_ record: EntryRecord) {
    digest = record.digest
    byteCount = record.layout.rawByteCount
  }
}
