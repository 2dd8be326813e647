import KistCore
import KistFormat

/// One tensor, as `kist inspect` lists it.
public struct TensorRow: Sendable, Codable, Equatable {
  public var name: String
  /// `unknown` when this version does not know it.
  public var dtype: String
  /// Slowest dimension first.
  public var shape: [Int]
  public var elementCount: Int
  public var rawByteCount: Int
  /// Bytes that it takes in the file, without those that are stored for an earlier tensor already.
  public var storedByteCount: Int
  /// The earlier tensor whose content this one equals; of containers only.
  public var sameAs: String?
  /// `raw` or `zstd`; of containers only, as the next two.
  public var codec: String?
  /// `none`, `planes` or `float planes`.
  public var transform: String?
  /// SHA-256 over the content's chunks.
  public var digest: String?
  /// The file of weights that has it, where there are several.
  public var file: String?
  /// With `--stats`.
  public var statistics: TensorStatistics?
  /// With `--against`, when the reference has a tensor of that name and shape.
  public var comparison: TensorComparison?

  enum CodingKeys: String, CodingKey {
    case name, dtype, shape, codec, transform, digest, file, statistics, comparison
    case elementCount = "elements"
    case rawByteCount = "raw_bytes"
    case storedByteCount = "stored_bytes"
    case sameAs = "same_as"
  }

  /// Lists all tensors of a checkpoint, in its order.
  ///
  /// - Throws: `damaged` when a chunk record of a container is wrong.
  static func rows(of checkpoint: Checkpoint) throws(KistError) -> [TensorRow] {
    var storage = StorageTally()
    var firstOfContent: [TensorContent: String] = [:]
    var rows: [TensorRow] = []
    rows.reserveCapacity(checkpoint.tensors.count)
    for tensor in checkpoint.tensors {
      var row = TensorRow(
        name: tensor.name, dtype: tensor.dtype?.name ?? "unknown", shape: tensor.shape.dimensions,
        elementCount: tensor.elementCount, rawByteCount: tensor.byteCount, storedByteCount: tensor.byteCount)
      if checkpoint.weightFiles.count > 1, let file = tensor.weightFile { row.file = checkpoint.weightFiles[file].path }
      if let own = tensor.source as? EntrySource {
        let entry = own.entry
        row.storedByteCount = try storage.add(own)
        row.codec = "\(entry.codec)"
        row.transform = entry.transform.words
        row.digest = entry.digest.hexadecimal
        if tensor.byteCount > 0 {
          let content = TensorContent(digest: entry.digest, dtype: entry.dtypeCode, shape: entry.shape)
          row.sameAs = firstOfContent[content]
          if row.sameAs == nil { firstOfContent[content] = tensor.name }
        }
      }
      rows.append(row)
    }
    return rows
  }
}

private struct TensorContent: Hashable {
  var digest: Digest
  var dtype: UInt16
  var shape: Shape
}

/// Counts stored bytes, those that several entries use once.
struct StorageTally {
  private struct Place: Hashable {
    var file: ObjectIdentifier
    var offset: Int
  }

  private var seen: Set<Place> = []

  /// The bytes of an entry that no earlier one has.
  mutating func add(_ own: EntrySource) throws(KistError) -> Int {
    let (entry, file) = (own.entry, ObjectIdentifier(own.file))
    guard entry.byteCount > 0 else { return 0 }
    if entry.codec == .raw {
      return seen.insert(Place(file: file, offset: entry.layout.runOffset)).inserted ? entry.byteCount : 0
    }
    var count = 0
    for number in 0..<entry.layout.chunkCount {
      let chunk = try own.file.chunk(number, of: entry)
      if seen.insert(Place(file: file, offset: chunk.offset)).inserted { count += chunk.storedByteCount }
    }
    return count
  }
}

extension Transform {
  /// The name in spec/kist-format.md.
  var words: String {
    switch self {
    case .none: "none"
    case .planes: "planes"
    case .floatPlanes: "float planes"
    case .blockPlanes: "block planes"
    }
  }
}
