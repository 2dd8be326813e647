import KistCore
import KistFormat

/// What differs between two checkpoints: what `kist diff --json` prints. docs/json.md describes every field.
public struct CheckpointDiff: Sendable, Codable, Equatable {
  /// The version of this schema.
  public var schema = 1
  public var a: String
  public var b: String
  /// Whether nothing differs.
  public var isSame: Bool
  /// Tensors that both have, alike in dtype, shape and every byte.
  public var equalTensorCount = 0
  public var tensorsOnlyInA: [TensorSide] = []
  public var tensorsOnlyInB: [TensorSide] = []
  /// Tensors that both have, in the order of A.
  public var tensors: [TensorDifference] = []
  public var equalAssetCount = 0
  public var assetsOnlyInA: [AssetSide] = []
  public var assetsOnlyInB: [AssetSide] = []
  public var assets: [AssetDifference] = []
  public var metadata: [MetadataDifference] = []

  enum CodingKeys: String, CodingKey {
    case schema, a, b, tensors, assets, metadata
    case isSame = "same"
    case equalTensorCount = "equal_tensors"
    case tensorsOnlyInA = "tensors_only_in_a"
    case tensorsOnlyInB = "tensors_only_in_b"
    case equalAssetCount = "equal_assets"
    case assetsOnlyInA = "assets_only_in_a"
    case assetsOnlyInB = "assets_only_in_b"
  }

  /// A tensor as one of the two has it.
  public struct TensorSide: Sendable, Codable, Equatable {
    public var name: String
    public var dtype: String
    public var shape: [Int]
    public var byteCount: Int

    enum CodingKeys: String, CodingKey {
      case name, dtype, shape
      case byteCount = "bytes"
    }

    init(_ tensor: CheckpointTensor) {
      name = tensor.name
      dtype = tensor.dtype?.name ?? "unknown"
      shape = tensor.shape.dimensions
      byteCount = tensor.byteCount
    }
  }

  /// A tensor that is not the same in both.
  public struct TensorDifference: Sendable, Codable, Equatable {
    public var name: String
    public var dtypeA: String
    public var dtypeB: String
    public var shapeA: [Int]
    public var shapeB: [Int]
    /// How far A's values are from B's; absent when the shapes differ or a dtype is not known. When no value differs,
    /// the dtypes do, or the bytes in a way that does not show in the values: the sign of a zero, the bits of a NaN.
    public var comparison: TensorComparison?

    enum CodingKeys: String, CodingKey {
      case name, comparison
      case dtypeA = "dtype_a"
      case dtypeB = "dtype_b"
      case shapeA = "shape_a"
      case shapeB = "shape_b"
    }
  }

  public struct AssetSide: Sendable, Codable, Equatable {
    public var path: String
    public var byteCount: Int

    enum CodingKeys: String, CodingKey {
      case path
      case byteCount = "bytes"
    }
  }

  public struct AssetDifference: Sendable, Codable, Equatable {
    public var path: String
    public var byteCountA: Int
    public var byteCountB: Int
    /// Offset of the first byte that differs; the shorter length when one is the beginning of the other.
    public var firstDifference: Int

    enum CodingKeys: String, CodingKey {
      case path
      case byteCountA = "bytes_a"
      case byteCountB = "bytes_b"
      case firstDifference = "first_difference"
    }
  }

  /// A key whose value or type differs; a side that has no such key is absent.
  public struct MetadataDifference: Sendable, Codable, Equatable {
    public var key: String
    public var a: MetadataRow?
    public var b: MetadataRow?
  }
}
