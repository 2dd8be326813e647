import KistCore

/// How the weights of a model are written: a mixture of types, or one type for all.
public enum QuantizationScheme: Sendable, Equatable {
  /// As `llama-quantize` mixes them.
  case mixture(Mixture)
  /// One dtype for every matrix; block types give way where rows do not divide.
  case uniform(DType)

  /// Finds a scheme by its name, in any case: `Q4_K_M`, `bf16`, `f8_e4m3`.
  public init?(name: String) {
    if let mixture = Mixture(name: name) {
      self = .mixture(mixture)
    } else if let dtype = DType(name: name), RowEncoder(dtype) != nil {
      self = .uniform(dtype)
    } else {
      return nil
    }
  }

  public var name: String {
    switch self {
    case .mixture(let mixture): mixture.rawValue
    case .uniform(let dtype): dtype.name
    }
  }

  /// Names that ``init(name:)`` finds, for a person.
  public static let names: [String] =
    Mixture.allCases.map(\.rawValue) + ["NVFP4", "F32", "F16", "BF16", "F8_E4M3", "F8_E5M2"]

  /// GGUF's `general.file_type`; nil where it has no number.
  ///
  /// - Source: `llama_ftype` of llama.cpp's llama.h.
  public var fileType: UInt32? {
    switch self {
    case .mixture(let mixture): mixture.fileType
    case .uniform(.f32): 0
    case .uniform(.f16): 1
    case .uniform(.bf16): 32
    case .uniform(.mxfp4): 38
    case .uniform(.nvfp4): 39
    case .uniform: nil
    }
  }

  /// The type of each tensor, and the one it would have if its rows divided into blocks.
  public func types(
    of tensors: [TypeChooser.Tensor], in model: TypeChooser.Model, wishes: TypeChooser.Wishes
  ) -> [(wanted: DType, type: DType)] {
    let wanted =
      switch self {
      case .mixture(let mixture): TypeChooser.choices(of: tensors, in: model, mixture: mixture, wishes: wishes)
      case .uniform(let dtype): tensors.map { TypeChooser.uniform($0, dtype, wishes: wishes) }
      }
    return zip(tensors, wanted).map { ($1, TypeChooser.fitting($1, columns: $0.shape.last ?? 0)) }
  }
}

extension Mixture {
  fileprivate var fileType: UInt32 {
    switch self {
    case .q4_0: 2
    case .q4_1: 3
    case .q8_0: 7
    case .q5_0: 8
    case .q5_1: 9
    case .q2_k: 10
    case .q3_k_s: 11
    case .q3_k_m: 12
    case .q3_k_l: 13
    case .q4_k_s: 14
    case .q4_k_m: 15
    case .q5_k_s: 16
    case .q5_k_m: 17
    case .q6_k: 18
    case .iq2_xxs: 19
    case .iq2_xs: 20
    case .q2_k_s: 21
    case .iq3_xs: 22
    case .iq3_xxs: 23
    case .iq1_s: 24
    case .iq4_nl: 25
    case .iq3_s: 26
    case .iq3_m: 27
    case .iq2_s: 28
    case .iq2_m: 29
    case .iq4_xs: 30
    case .iq1_m: 31
    case .tq1_0: 36
    case .tq2_0: 37
    case .mxfp4_moe: 38
    case .q1_0: 40
    case .q2_0: 41
    }
  }
}
