// swift-format-ignore-file: AlwaysUseLowerCamelCase

import KistCore

/// How most tensors of a GGUF are stored that is made of a model: `--outtype` of llama.cpp's converter.
enum GGUFOutputType: Sendable {
  case f32, f16, bf16, q8_0, tq1_0, tq2_0

  /// - Returns: nil for a type that the converter does not have.
  init?(_ type: TargetType, of tensors: [CheckpointTensor]) {
    switch type {
    case .keep: self = GGUFOutputType.suggested(by: tensors)
    case .float(.f32): self = .f32
    case .float(.f16): self = .f16
    case .float(.bf16): self = .bf16
    case .mixture(.q8_0): self = .q8_0
    case .mixture(.tq1_0): self = .tq1_0
    case .mixture(.tq2_0): self = .tq2_0
    default: return nil
    }
  }

  /// The 16-bit type of the first matrix that has one.
  ///
  /// - Parameter tensors: in the order in which the converter reads them.
  private static func suggested(by tensors: [CheckpointTensor]) -> GGUFOutputType {
    let found = tensors.first { $0.shape.rank >= 2 && ($0.dtype == .bf16 || $0.dtype == .f16) }
    return found?.dtype == .bf16 ? .bf16 : .f16
  }

  var dtype: DType {
    switch self {
    case .f32: .f32
    case .f16: .f16
    case .bf16: .bf16
    case .q8_0: .q8_0
    case .tq1_0: .tq1_0
    case .tq2_0: .tq2_0
    }
  }

  /// `general.file_type`. Source: `llama_ftype` of llama.h.
  func fileType(isMXFP4: Bool) -> UInt32 {
    switch self {
    case .f32: isMXFP4 ? 38 : 0
    case .f16: isMXFP4 ? 38 : 1
    case .bf16: isMXFP4 ? 38 : 32
    case .q8_0: 7
    case .tq1_0: 36
    case .tq2_0: 37
    }
  }

  /// The dtype of a tensor. Source: llama.cpp, conversion/base.py, `prepare_tensors`.
  func dtype(of name: String, shape: [Int]) -> DType {
    if shape.count < 2 || name.hasSuffix("_norm.weight") || !name.hasSuffix(".weight") { return .f32 }
    let alwaysWhole = [
      "ffn_gate_inp.weight", "ffn_gate_inp_shexp.weight", "position_embd.weight", "token_types.weight",
    ]
    if alwaysWhole.contains(where: { name == $0 || name.hasSuffix("." + $0) }) { return .f32 }
    let isTernary = self == .tq1_0 || self == .tq2_0
    if isTernary, name == "token_embd.weight" || name == "output.weight" { return .f16 }
    return (shape.last ?? 1) % dtype.unitElementCount == 0 ? dtype : .f16
  }
}
