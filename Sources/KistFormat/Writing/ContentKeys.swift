import KistCore

/// What makes two packed chunks of a file one.
struct PackedChunkKey: Hashable {
  var leaf: Digest
  var planes: PlaneLayout

  init(leaf: Digest, in layout: ContentLayout) {
    self.leaf = leaf
    planes = layout.planes
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
