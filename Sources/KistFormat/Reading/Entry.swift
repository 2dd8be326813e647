import KistCore

/// What a container holds under a name: a record of the index, read where it lies when it is asked.
public struct Entry: Sendable, Identifiable {
  /// Position among the file's entries, which are sorted by name.
  public let id: Int
  package let index: EntryIndex

  private var raw: RawEntry { index.raw(id) }

  public var name: String { raw.name }
  public var kind: EntryKind { raw.checkedKind }
  /// Nil for assets, records, and tensors of a dtype that this version does not know.
  public var dtype: DType? { DType(code: raw.dtypeCode) }
  /// Slowest dimension first; `[]` for scalars, assets and records.
  public var shape: Shape { raw.shape }
  /// Position in the source that the file was made from.
  public var ordinal: Int { Int(raw.ordinal) }
  /// Length of the content.
  public var byteCount: Int { raw.rawByteCount }
  public var codec: Codec { raw.checkedCodec }
  public var transform: Transform { raw.checkedTransform }
  /// Covers the content, however it is packed.
  public var digest: Digest { raw.digest }

  package var dtypeCode: UInt16 { raw.dtypeCode }
  package var layout: ContentLayout { raw.layout }
  package var record: EntryRecord { index[id] }

  package var isSignature: Bool {
    kind == .record && name.utf8.starts(with: RecordName.signaturePrefix.utf8)
  }
}
