import KistCore

/// Where a piece of an entry's content is stored, and what it must hash to.
package struct ChunkRecord: Sendable, Equatable {
  package static let byteCount = 64

  package var offset: Int
  package var storedByteCount: Int
  package var rawByteCount: Int
  /// XXH3 of the stored bytes.
  package var hash: UInt64
  /// SHA-256 of the raw bytes.
  package var leaf: Digest

  package var range: Range<Int> { offset..<offset + storedByteCount }

  package init(offset: Int, storedByteCount: Int, rawByteCount: Int, hash: UInt64, leaf: Digest) {
    self.offset = offset
    self.storedByteCount = storedByteCount
    self.rawByteCount = rawByteCount
    self.hash = hash
    self.leaf = leaf
  }

  package func append(to writer: inout ByteWriter) {
    writer.u64(offset)
    writer.u32(UInt32(storedByteCount))
    writer.u32(UInt32(rawByteCount))
    writer.u64(hash)
    writer.u64(0)
    writer.digest(leaf)
  }

  /// Reads chunk `index` of an entry and checks it against the entry and the file's length.
  package init(
    _ block: RawSpan, chunk index: Int, of layout: ContentLayout, name: @autoclosure () -> String, fileByteCount: Int
  ) throws(KistError) {
    let base = (layout.firstChunk + index) * ChunkRecord.byteCount
    self.init(
      offset: block.size(base), storedByteCount: Int(block.u32(base + 8)), rawByteCount: Int(block.u32(base + 12)),
      hash: block.u64(base + 16), leaf: block.sha256(base + 32))

    func damage(_ field: String, _ problem: String) -> KistError {
      KistError(.damaged, field: "chunk \(index) of '\(name())': \(field)", offset: nil, problem)
    }
    guard block.u64(base + 24) == 0 else { throw damage("reserved", "reserved bytes are not zero") }
    let expected = layout.rawRange(ofChunk: index).count
    guard rawByteCount == expected else {
      throw damage("raw length", "\(rawByteCount) bytes, where the entry needs \(expected)")
    }
    guard storedByteCount <= Layout.maximumStoredByteCount else {
      throw damage("stored length", "\(storedByteCount) bytes is more than a chunk may have")
    }
    guard offset >= Layout.bodyOffset, offset <= fileByteCount - storedByteCount else {
      throw damage("offset", "bytes from \(offset) on lie outside the committed file")
    }
    switch layout.codec {
    case .raw:
      guard storedByteCount == rawByteCount else {
        throw damage("stored length", "differs from the raw length of a raw chunk")
      }
      guard offset == layout.runOffset + index * layout.rawBytesPerChunk else {
        throw damage("offset", "the chunk is not where the entry's run has it")
      }
    case .zstd:
      guard offset % Layout.alignment == 0 else { throw damage("offset", "not a multiple of \(Layout.alignment)") }
      // Most have room for any table; asking for the planes of each costs what listing 1,000 tensors does.
      guard storedByteCount >= 4 * Layout.maximumPlaneCount || storedByteCount >= 4 * layout.planes.planeCount else {
        throw damage("stored length", "too short for the table of planes")
      }
    }
  }
}
