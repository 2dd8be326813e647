import Foundation
import KistCheckpoints
import KistCore
import KistFormat

/// The tensors of a source as `--type` asks for them.
struct RetypedTensors {
  var tensors: [CheckpointTensor] = []
  var notices: [String] = []

  /// - Parameter keepsVectors: Whether tensors of one dimension stay, as llama.cpp has them.
  /// - Throws: `unsupported` for a type that this target does not have.
  init(
    _ source: [CheckpointTensor], as type: TargetType, file: String, keepsVectors: Bool
  ) throws(KistError) {
    guard type != .keep else {
      tensors = source
      return
    }
    guard case .float(let dtype) = type else {
      throw KistError(
        .unsupported, file: file, "\(type.name) is a quantized type, which is chosen tensor by tensor",
        advice: "use `kist quantize`")
    }
    var kept: [String: Int] = [:]
    for tensor in source {
      guard let reason = RetypedTensors.reason(toKeep: tensor, keepsVectors: keepsVectors) else {
        tensors.append(try tensor.encoded(as: dtype, file: file))
        continue
      }
      if tensor.dtype != dtype { kept[reason, default: 0] += 1 }
      tensors.append(tensor)
    }
    notices = kept.sorted { $0.key < $1.key }.map {
      "kept as \($0.value == 1 ? "it is" : "they are"): \($0.value) \($0.key)"
    }
  }

  /// Why a tensor stays as it is; nil when it is a weight.
  private static func reason(toKeep tensor: CheckpointTensor, keepsVectors: Bool) -> String? {
    guard let dtype = tensor.dtype else { return "of unknown dtype" }
    if keepsVectors, tensor.shape.dimensions.count < 2 { return "of one dimension, as llama.cpp has them" }
    switch dtype.numbers {
    case .boolean: return "of truth values"
    case .signed, .unsigned: return "of integers"
    case .complex: return "of complex numbers"
    // Numbers of few bits mean nothing without the scales that lie beside them.
    case .float where dtype.bitsPerElement <= 8: return "of \(dtype), whose scales lie in other tensors"
    case .float, .ieee, .blocks: return nil
    }
  }
}

extension CheckpointAsset {
  /// The files of a folder with configurations that name the dtype of the weights.
  static func naming(_ dtype: DType, in assets: [CheckpointAsset], file: String) throws(KistError) -> [CheckpointAsset]
  {
    guard let name = torchNames[dtype] else { return assets }
    return try assets.map { asset throws(KistError) in
      guard compareBytes(asset.path, "config.json") == 0 else { return asset }
      let text = String(decoding: try asset.smallContent(at: file), as: UTF8.self)
      // Everything else stays as it was, to the byte.
      let changed = text.replacing(/(?<key>"(?:torch_)?dtype"\s*:\s*)"(?:float|bfloat)[0-9a-z_]*"/) {
        "\($0.output.key)\"\(name)\""
      }
      guard changed != text else { return asset }
      return CheckpointAsset(path: asset.path, source: MemorySource(Array(changed.utf8)), entry: nil)
    }
  }

  /// What PyTorch calls the dtypes that weights are written in.
  static let torchNames: [DType: String] = [
    .f32: "float32", .f16: "float16", .bf16: "bfloat16", .f8e4m3: "float8_e4m3fn", .f8e5m2: "float8_e5m2",
  ]
}
