import KistCore
import KistFormat

/// What a conversion would write: what `kist convert --dry-run --json` prints. docs/json.md describes every field.
public struct ConversionPlanReport: Sendable, Codable, Equatable {
  /// The version of this schema.
  public var schema = 1
  public var source: String
  public var sourceFormat: String
  public var target: String
  public var targetFormat: String
  public var tensors: [PlannedTensor]
  /// Files besides the weights; none for a target that holds tensors only.
  public var assets: [CheckpointDiff.AssetSide]
  public var leftOut: [LeftOutRow]
  public var rawByteCount: Int
  /// The most that the target can take.
  public var neededByteCount: Int
  public var notices: [String]

  /// A tensor of the target, and what it is made of.
  public struct PlannedTensor: Sendable, Codable, Equatable {
    public var name: String
    public var dtype: String
    public var shape: [Int]
    public var byteCount: Int
    /// The source's tensors.
    public var from: [Origin]

    public struct Origin: Sendable, Codable, Equatable {
      public var name: String
      public var dtype: String

      public init(name: String, dtype: String) {
        self.name = name
        self.dtype = dtype
      }
    }

    enum CodingKeys: String, CodingKey {
      case name, dtype, shape, from
      case byteCount = "bytes"
    }

    init(_ tensor: CheckpointTensor) {
      func word(_ dtype: DType?) -> String { dtype?.name ?? "unknown" }
      name = tensor.name
      dtype = word(tensor.dtype)
      shape = tensor.shape.dimensions
      byteCount = tensor.byteCount
      from =
        tensor.origins.isEmpty
        ? [Origin(name: tensor.name, dtype: word(tensor.dtype))]
        : tensor.origins.map { Origin(name: $0.name, dtype: word($0.dtype)) }
    }
  }

  enum CodingKeys: String, CodingKey {
    case schema, source, target, tensors, assets, notices
    case sourceFormat = "source_format"
    case targetFormat = "target_format"
    case leftOut = "left_out"
    case rawByteCount = "raw_bytes"
    case neededByteCount = "needed_bytes"
  }

  public init(_ conversion: Conversion) {
    source = conversion.source.path
    sourceFormat = conversion.source.format.rawValue
    target = conversion.target
    targetFormat = conversion.targetFormat.rawValue
    tensors = conversion.writtenTensors.map(PlannedTensor.init)
    assets =
      [.safetensors, .gguf].contains(conversion.targetFormat)
      ? []
      : (conversion.hubContent?.assets ?? conversion.source.assets).map {
        CheckpointDiff.AssetSide(path: $0.path, byteCount: $0.byteCount)
      }
    leftOut = conversion.source.leftOut.map { LeftOutRow(path: $0.path, reason: $0.reason) }
    rawByteCount = conversion.writtenTensors.reduce(0) { $0 + $1.byteCount }
    neededByteCount = conversion.neededByteCount
    notices = conversion.notices
  }
}

/// What a conversion did: what `kist convert --json` prints.
public struct ConversionReport: Sendable, Codable, Equatable {
  /// The version of this schema.
  public var schema = 1
  public var source: String
  public var sourceByteCount: Int
  public var target: String
  public var targetFormat: String
  public var tensorCount: Int
  /// Bytes of the tensors as they are unpacked.
  public var rawByteCount: Int
  /// Bytes of the target.
  public var byteCount: Int
  public var seconds: Double
  public var notices: [String]
  /// Of a container, what the tensors of each dtype take.
  public var dtypes: [DTypeTotal]?
  /// Of a set, its files.
  public var files: [String]?
  /// Whether the result computes what the source computes; nil when nothing was changed, or nobody wants to know.
  public var verdict: Verdict?
  /// Where the result is, when the verdict failed.
  public var rejectedPath: String?

  enum CodingKeys: String, CodingKey {
    case schema, source, target, seconds, notices, dtypes, files, verdict
    case rejectedPath = "rejected"
    case sourceByteCount = "source_bytes"
    case targetFormat = "target_format"
    case tensorCount = "tensors"
    case rawByteCount = "raw_bytes"
    case byteCount = "bytes"
  }

  /// - Throws: what opening a container throws.
  public init(_ conversion: Conversion, _ outcome: Conversion.Outcome, seconds: Double) throws(KistError) {
    source = conversion.source.path
    sourceByteCount = conversion.source.byteCount
    target = conversion.target
    targetFormat = conversion.targetFormat.rawValue
    tensorCount = conversion.writtenTensors.count
    rawByteCount = conversion.writtenTensors.reduce(0) { $0 + $1.byteCount }
    byteCount = outcome.byteCount
    self.seconds = seconds
    notices = outcome.notices
    files = outcome.files.isEmpty ? nil : outcome.files
    verdict = outcome.verdict
    rejectedPath = outcome.rejectedPath
    if conversion.targetFormat == .kist {
      dtypes = try DTypeTotal.totals(of: Checkpoint.open(path: rejectedPath ?? files?.first ?? target))
    }
  }
}
