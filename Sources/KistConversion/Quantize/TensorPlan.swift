import KistCore
import KistFormat
import KistQuantization

/// What becomes of one tensor.
public struct TensorPlan: Sendable {
  /// As it is in the source.
  public let tensor: CheckpointTensor
  /// GGUF's name of it, where there is one.
  public let role: String?
  /// The type that the mixture has for it.
  public let wanted: DType?
  /// The type that it gets.
  public let type: DType?
  /// How much the error of each column counts.
  let importance: [Float]?
  let meter: EncodingMeter?
  /// As it is written.
  let result: CheckpointTensor

  /// What reports call a dtype that this version does not know.
  static let unknownType = "unknown"

  /// Whether numbers are written anew.
  public var isChanged: Bool { meter != nil }

  /// Why it is not the type that the mixture has.
  public var note: String? {
    guard let wanted, let type, wanted != type else { return nil }
    return "rows of \(tensor.shape.dimensions.last ?? 1) are no \(wanted) blocks"
  }

  /// Whether llama-quantize asks for an importance matrix. Source: `tensor_requires_imatrix` of llama-quant.cpp.
  var isOnlyUsefulWithImportance: Bool {
    guard let type, let role, !["output.weight", "token_embd.weight"].contains(role) else { return false }
    return [.iq3_xxs, .iq2_xxs, .iq2_xs, .iq2_s, .iq1_m, .iq1_s].contains(type)
  }

  /// What was lost; complete when all of it was written.
  var loss: EncodingLoss { meter?.loss ?? EncodingLoss() }
}

extension TensorPlan {
  /// A tensor that stays as it is.
  init(keeping tensor: CheckpointTensor, role: String?) {
    self.init(
      tensor: tensor, role: role, wanted: nil, type: tensor.dtype, importance: nil, meter: nil, result: tensor)
  }

  /// A tensor whose numbers are written as another type.
  ///
  /// - Throws: `unsupported` for numbers that can't be read or written; `invalid` when the type needs an importance matrix.
  init(
    _ tensor: CheckpointTensor, role: String, wanted: DType, as type: DType, importance: [Float]?,
    allowsNonfinite: Bool, file: String
  ) throws(KistError) {
    if let encoder = RowEncoder(type), encoder.requiresImportance, importance == nil {
      throw KistError(
        .invalid, file: file, field: "tensor '\(tensor.name)'",
        "is to be \(type), which is useless without an importance matrix\(role == tensor.name ? "" : " of '\(role)'")",
        advice: "give one with --imatrix (`kist imatrix` makes it), or the tensor another type with --tensor-type")
    }
    let meter = EncodingMeter(
      tensor, as: type, importance: importance, allowsNonfinite: allowsNonfinite, file: file)
    self.init(
      tensor: tensor, role: role, wanted: wanted, type: type, importance: importance, meter: meter,
      result: try tensor.encoded(as: type, importance: importance, meter: meter, file: file))
  }
}
