// swift-format-ignore-file: AlwaysUseLowerCamelCase

import KistCore

/// What kind of file `llama-quantize` makes: a type for most tensors, others for some, chosen by ``TypeChooser``.
///
/// - Source: llama.cpp's tools/quantize/quantize.cpp (names) and `llama_ftype_get_default_type`.
public enum Mixture: String, CaseIterable, Sendable {
  case q1_0 = "Q1_0"
  case q2_0 = "Q2_0"
  case q4_0 = "Q4_0"
  case q4_1 = "Q4_1"
  case q5_0 = "Q5_0"
  case q5_1 = "Q5_1"
  case q8_0 = "Q8_0"
  case q2_k = "Q2_K"
  case q2_k_s = "Q2_K_S"
  case q3_k_s = "Q3_K_S"
  case q3_k_m = "Q3_K_M"
  case q3_k_l = "Q3_K_L"
  case q4_k_s = "Q4_K_S"
  case q4_k_m = "Q4_K_M"
  case q5_k_s = "Q5_K_S"
  case q5_k_m = "Q5_K_M"
  case q6_k = "Q6_K"
  case iq1_s = "IQ1_S"
  case iq1_m = "IQ1_M"
  case iq2_xxs = "IQ2_XXS"
  case iq2_xs = "IQ2_XS"
  case iq2_s = "IQ2_S"
  case iq2_m = "IQ2_M"
  case iq3_xxs = "IQ3_XXS"
  case iq3_xs = "IQ3_XS"
  case iq3_s = "IQ3_S"
  case iq3_m = "IQ3_M"
  case iq4_nl = "IQ4_NL"
  case iq4_xs = "IQ4_XS"
  case tq1_0 = "TQ1_0"
  case tq2_0 = "TQ2_0"
  case mxfp4_moe = "MXFP4_MOE"

  /// Finds a mixture by its name, in any case; `Q3_K`, `Q4_K` and `Q5_K` are their `_M`.
  public init?(name: String) {
    let name = name.uppercased()
    guard let mixture = Mixture(rawValue: name) ?? Mixture(rawValue: name + "_M") else { return nil }
    self = mixture
  }

  /// The type of tensors that no rule is about.
  public var defaultType: DType {
    switch self {
    case .q1_0: .q1_0
    case .q2_0: .q2_0
    case .q4_0: .q4_0
    case .q4_1: .q4_1
    case .q5_0: .q5_0
    case .q5_1: .q5_1
    case .q8_0: .q8_0
    case .q2_k, .q2_k_s: .q2_k
    case .q3_k_s, .q3_k_m, .q3_k_l: .q3_k
    case .q4_k_s, .q4_k_m: .q4_k
    case .q5_k_s, .q5_k_m: .q5_k
    case .q6_k: .q6_k
    case .iq1_s: .iq1_s
    case .iq1_m: .iq1_m
    case .iq2_xxs: .iq2_xxs
    case .iq2_xs, .iq2_s: .iq2_xs
    case .iq2_m: .iq2_s
    case .iq3_xxs: .iq3_xxs
    case .iq3_xs, .iq3_s, .iq3_m: .iq3_s
    case .iq4_nl: .iq4_nl
    case .iq4_xs: .iq4_xs
    case .tq1_0: .tq1_0
    case .tq2_0: .tq2_0
    case .mxfp4_moe: .mxfp4
    }
  }
}
