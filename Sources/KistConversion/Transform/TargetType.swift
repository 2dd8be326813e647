import KistCore
import KistQuantization

/// What `--type` asks for: how weights are to be stored.
public enum TargetType: Sendable, Equatable {
  /// As they are.
  case keep
  /// Every weight in that float format.
  case float(DType)
  /// A block type for most tensors, as llama.cpp chooses.
  case mixture(Mixture)

  /// Float formats that weights can be written in, with the names that people know them by.
  private static let floats: [(names: [String], dtype: DType)] = [
    (["f32", "fp32", "float32"], .f32), (["f16", "fp16", "float16"], .f16), (["bf16", "bfloat16"], .bf16),
    (["f8_e4m3", "f8e4m3", "fp8", "float8_e4m3fn"], .f8e4m3), (["f8_e5m2", "f8e5m2", "float8_e5m2"], .f8e5m2),
  ]

  /// Finds a type by its name, in any case.
  public init?(name: String) {
    let name = name.lowercased()
    if name == "keep" {
      self = .keep
    } else if let float = TargetType.floats.first(where: { $0.names.contains(name) }) {
      self = .float(float.dtype)
    } else if let mixture = Mixture(name: name) {
      self = .mixture(mixture)
    } else {
      return nil
    }
  }

  public var name: String {
    switch self {
    case .keep: "keep"
    case .float(let dtype): dtype.name
    case .mixture(let mixture): mixture.rawValue
    }
  }

  /// Names of the float formats, for help and errors.
  public static let floatNames = floats.compactMap(\.names.first)
}
