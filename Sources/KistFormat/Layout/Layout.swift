import KistCore

/// The numbers of spec/kist-format.md, each written once.
///
/// ```
///      0  head      identity; written once
///   4096  slot A    a commit
///   8192  slot B    the other commit
///  16384  body      chunks and index blocks, appended
/// ```
package enum Layout {
  package static let magic: [UInt8] = [0x89, 0x4B, 0x49, 0x53, 0x54, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 0, 0, 0, 0]
  package static let version: UInt32 = 1

  package static let pageByteCount = 4096
  /// Where a page's own XXH3 stands.
  package static let pageHashOffset = 4088
  package static let slotOffsets = [4096, 8192]
  package static let bodyOffset = 16384

  package static let alignment = 64
  /// Raw tensors of at least ``pageAlignedByteCount`` begin on such a boundary.
  package static let runAlignment = 16384
  package static let pageAlignedByteCount = 65536

  package static let rootHeaderByteCount = 96
  package static let blockDescriptionByteCount = 72
  package static let maximumRootByteCount = 65536
  package static let maximumChunksBlockCount = 512
  package static let maximumNameByteCount = 65535
  package static let maximumChunkByteCount = 1 << 20
  package static let maximumStoredByteCount = 1 << 20 + 1 << 16
  package static let maximumPlaneCount = 16

  package static func aligned(_ offset: Int, to alignment: Int = Layout.alignment) -> Int {
    (offset + alignment - 1) / alignment * alignment
  }

  /// The largest multiple of a unit that fits a chunk.
  package static func rawBytesPerChunk(unit: Int) -> Int { maximumChunkByteCount / unit * unit }

  /// What a run of an entry has to be a multiple of.
  package static func runAlignment(kind: EntryKind, byteCount: Int) -> Int {
    kind == .tensor && byteCount >= pageAlignedByteCount ? runAlignment : alignment
  }
}

/// The kinds of index blocks, in the order in which the root lists them.
package enum BlockKind: UInt32, CaseIterable, Sendable {
  case entries = 1
  case names = 2
  case dims = 3
  case chunks = 4

  package var recordByteCount: Int {
    switch self {
    case .entries: EntryRecord.byteCount
    case .names: 1
    case .dims: 8
    case .chunks: ChunkRecord.byteCount
    }
  }

  package var name: String { "\(self) block" }
}

/// What an entry of a container is.
public enum EntryKind: UInt8, CaseIterable, Sendable {
  /// Weights.
  case tensor = 1
  /// A source file kept verbatim, or the part of a weight file that is not tensor data.
  case asset = 2
  /// Kist's own; names begin `kist:`.
  case record = 3
}

/// What is done to the bytes of a chunk before compression.
public enum Transform: UInt8, CaseIterable, Sendable {
  case none = 0
  /// Bytes transposed by component, most significant first.
  case planes = 1
  /// As planes, of components rotated left by one bit: the exponent fills the first plane.
  case floatPlanes = 2
  /// A struct of arrays for block types: each field by itself, its bytes transposed by component. Scales with scales, quants with quants.
  case blockPlanes = 3
}

/// How chunks are stored.
public enum Codec: UInt8, Sendable {
  /// As they are, in one run.
  case raw = 0
  /// A zstd frame for each plane.
  case zstd = 1
}
