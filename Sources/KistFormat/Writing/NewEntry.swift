import KistCore

/// Something to put into a container: a name, what it is, and where its bytes come from.
public struct NewEntry: Sendable {
  public var name: String
  public var kind: EntryKind
  /// Nil for assets and records.
  public var dtype: DType?
  public var shape: Shape
  public var source: any ByteSource
  /// Keeps the content raw, whatever the packing: it is to be mapped.
  package var staysRaw = false

  /// A tensor of `shape`, in row-major order, little-endian.
  public static func tensor(_ name: String, dtype: DType, shape: Shape, source: any ByteSource) -> NewEntry {
    NewEntry(name: name, kind: .tensor, dtype: dtype, shape: shape, source: source)
  }

  /// A file kept verbatim, under its path relative to the model's folder.
  public static func asset(_ path: String, source: any ByteSource) -> NewEntry {
    NewEntry(name: path, kind: .asset, dtype: nil, shape: [], source: source)
  }

  /// A record of Kist's own; the name begins `kist:`.
  package static func record(_ name: String, _ bytes: [UInt8], staysRaw: Bool = false) -> NewEntry {
    NewEntry(name: name, kind: .record, dtype: nil, shape: [], source: MemorySource(bytes), staysRaw: staysRaw)
  }

  /// The record of this entry before it has chunks.
  ///
  /// - Throws: `invalid` when the name is too long or empty, the rank too high, or the source's length is not that of the shape.
  package func makeRecord(ordinal: UInt32) throws(KistError) -> EntryRecord {
    let nameByteCount = name.utf8.count
    guard nameByteCount > 0, nameByteCount <= Layout.maximumNameByteCount else {
      throw KistError(
        .invalid, field: "name", "a name has 1 to \(Layout.maximumNameByteCount) bytes, not \(nameByteCount)")
    }
    guard shape.rank <= Shape.maximumRank else {
      throw KistError(.invalid, field: "'\(name)': rank", "\(shape.rank) dimensions is more than \(Shape.maximumRank)")
    }
    if kind == .tensor {
      guard let dtype, let count = shape.elementCount, dtype.byteCount(ofElements: count) == source.byteCount else {
        throw KistError(
          .invalid, field: "'\(name)': shape",
          "\(source.byteCount) bytes do not hold \(shape) of \(dtype?.name ?? "no dtype")")
      }
    }
    return EntryRecord(
      name: name, kind: kind, dtype: dtype, shape: shape, ordinal: ordinal, rawByteCount: source.byteCount)
  }
}
