import KistCore
import KistFormat

/// What `kist inspect --json` prints: docs/json.md describes every field, and does not change within a version of the
/// schema.
public struct CheckpointSummary: Sendable, Codable, Equatable {
  /// The version of this schema.
  public var schema = 1
  public var path: String
  public var format: String
  /// The first of `architectures` in the model's config.json.
  public var architecture: String?
  /// `model_type` in the model's config.json, or a GGUF's `general.architecture`.
  public var modelType: String?
  public var fileByteCount: Int
  public var tensorCount: Int
  /// Elements of all tensors.
  public var parameterCount: Int
  /// Of these, elements of tensors that equal an earlier one, such as tied embeddings; of containers only.
  public var repeatedParameterCount: Int?
  /// Bytes of all tensors.
  public var rawByteCount: Int
  /// Bytes that the tensors take in the file; what several share counts once.
  public var storedByteCount: Int
  /// Stored ÷ raw; absent when there is nothing.
  public var ratio: Double?
  public var dtypes: [DTypeTotal]
  public var groups: [TensorGroup]
  /// All tensors, or those that were asked for.
  public var tensors: [TensorRow]
  public var assets: [AssetRow]
  /// In the order of the file.
  public var metadata: [MetadataRow]
  /// How often a container was committed, as the following of containers only.
  public var generation: UInt64?
  public var weightsDigest: String?
  public var packageDigest: String?
  public var signatures: [SignatureRow]?
  /// Of the shards of a set, and of a part of a conversion.
  public var set: SetRow?
  public var leftOut: [LeftOutRow]
  /// With `--against`.
  public var against: ReferenceReport?

  enum CodingKeys: String, CodingKey {
    case schema, path, format, architecture, ratio, dtypes, groups, tensors, assets, metadata, generation, signatures,
      set, against
    case modelType = "model_type"
    case fileByteCount = "file_bytes"
    case tensorCount = "tensor_count"
    case parameterCount = "parameters"
    case repeatedParameterCount = "repeated_parameters"
    case rawByteCount = "raw_bytes"
    case storedByteCount = "stored_bytes"
    case weightsDigest = "weights_digest"
    case packageDigest = "package_digest"
    case leftOut = "left_out"
  }
}

/// The set that a file is one of.
public struct SetRow: Sendable, Codable, Equatable {
  /// `shards` or `parts`.
  public var kind: String
  public var count: Int
  /// Of a part, which it is, from 1.
  public var number: Int?
}

/// The tensors of one dtype.
public struct DTypeTotal: Sendable, Codable, Equatable {
  public var dtype: String
  public var tensorCount: Int
  public var elementCount: Int
  public var rawByteCount: Int
  public var storedByteCount: Int

  enum CodingKeys: String, CodingKey {
    case dtype
    case tensorCount = "tensors"
    case elementCount = "elements"
    case rawByteCount = "raw_bytes"
    case storedByteCount = "stored_bytes"
  }
}

/// A file that travels with the weights.
public struct AssetRow: Sendable, Codable, Equatable {
  public var path: String
  public var byteCount: Int
  public var storedByteCount: Int
  /// Of containers only.
  public var digest: String?

  enum CodingKeys: String, CodingKey {
    case path, digest
    case byteCount = "bytes"
    case storedByteCount = "stored_bytes"
  }
}

/// A key of the model's metadata. The value is text whatever its type, so that 64-bit integers come through.
public struct MetadataRow: Sendable, Codable, Equatable {
  public var key: String
  public var type: String
  /// Of a long list the beginning.
  public var value: String
  /// Of lists: the type of their elements, and how many there are.
  public var elementType: String?
  public var count: Int?

  enum CodingKeys: String, CodingKey {
    case key, type, value, count
    case elementType = "element_type"
  }

  init(_ key: String, _ value: Metadata.Value) {
    self.key = key
    type = value.type
    self.value = value.description
    if case .list(let list) = value {
      elementType = list.elementType
      count = list.count
    }
  }
}

public struct SignatureRow: Sendable, Codable, Equatable {
  /// 16 hexadecimal digits of the SHA-256 of the public key.
  public var fingerprint: String
  /// Whether it signs this file's package digest.
  public var isValid: Bool

  enum CodingKeys: String, CodingKey {
    case fingerprint
    case isValid = "valid"
  }

  init(_ signature: Signature) {
    fingerprint = signature.key.fingerprint
    isValid = signature.isValid
  }
}

/// A file of the folder that is not part of the checkpoint.
public struct LeftOutRow: Sendable, Codable, Equatable {
  public var path: String
  public var reason: String
}

/// What `--against` found besides the values, which stand with each tensor.
public struct ReferenceReport: Sendable, Codable, Equatable {
  public var path: String
  /// Names that only the reference has.
  public var missing: [String]
  /// Names that the reference has not.
  public var extra: [String]
  /// Tensors whose values can't be compared.
  public var mismatches: [Mismatch]

  public struct Mismatch: Sendable, Codable, Equatable {
    public var name: String
    public var dtype: String
    public var shape: [Int]
    public var referenceDType: String
    public var referenceShape: [Int]

    enum CodingKeys: String, CodingKey {
      case name, dtype, shape
      case referenceDType = "reference_dtype"
      case referenceShape = "reference_shape"
    }
  }
}
