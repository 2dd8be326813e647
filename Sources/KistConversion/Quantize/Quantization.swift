import Foundation
import KistCore
import KistFormat
import KistQuantization

/// A quantization that is ready to run: source and importance matrix were read and checked, nothing was written.
///
/// ```
/// source ──▶ QuantizationView ──▶ a type for each tensor ──▶ TensorPlan ──▶ Conversion ──▶ verdict
///            (names as in GGUF)    (QuantizationScheme)      (made as it is read)
/// ```
public struct Quantization: Sendable {
  public let source: Checkpoint
  public let target: String
  public let options: QuantizationOptions
  public let scheme: QuantizationScheme
  /// In the order in which they are written.
  public let tensors: [TensorPlan]
  /// What a person should know beforehand.
  public let notices: [String]
  /// Writes the result; its source is the quantized model.
  let conversion: Conversion

  /// Opens a source and settles the type of each tensor.
  ///
  /// - Throws: what opening throws; `unsupported` for a target that can't hold block types, or a source of which nothing says what its
  ///   tensors are; `invalid` for tensors that are quantized already, an importance matrix of another model, or a type that needs one.
  public static func plan(
    source path: String, target: String, options: QuantizationOptions
  ) throws(KistError) -> Quantization {
    let format = try targetFormat(target)
    let source = try Checkpoint.open(path: path, includingAllFiles: options.conversion.includesAllFiles)
    let importance = try options.importance.map { path throws(KistError) in
      (path: path, matrix: try ImportanceMatrix(path: path))
    }
    guard case .scheme(let scheme) = options.goal else {
      throw KistError(.unsupported, "this version quantizes to a given type")
    }
    if format == .gguf, source.provenanceFormat != .gguf {
      throw KistError(
        .unsupported, file: target,
        "a GGUF needs llama.cpp's names of tensors and keys, and this version has them only for what came from a GGUF",
        advice: "write a .kist file")
    }
    var planner = try QuantizationPlanner(source, options, importance)
    let plans = try planner.plans(scheme)
    let result = try source.quantized(plans, scheme, importance)
    let conversion = Conversion(
      source: result, target: target, targetFormat: format, options: options.conversion, tensors: result.tensors)
    try conversion.checkTarget()
    if format == .gguf { try conversion.checkGGUF() }
    return Quantization(
      source: source, target: target, options: options, scheme: scheme, tensors: plans, notices: planner.notices,
      conversion: conversion)
  }

  private static func targetFormat(_ target: String) throws(KistError) -> Checkpoint.Format {
    switch URL(fileURLWithPath: target).pathExtension.lowercased() {
    case "kist": return .kist
    case "gguf": return .gguf
    default:
      throw KistError(
        .unsupported, file: target, "is neither a .kist nor a .gguf file, which alone can hold quantized tensors",
        advice: "name the target so; `kist convert --type` writes other float types to any format")
    }
  }
}

/// An importance matrix and where it came from.
typealias NamedImportance = (path: String, matrix: ImportanceMatrix)

extension Checkpoint {
  /// The same model with tensors written otherwise.
  func quantized(
    _ plans: [TensorPlan], _ scheme: QuantizationScheme, _ importance: NamedImportance?
  ) throws(KistError) -> Checkpoint {
    let keys = QuantizationKeys(scheme, importance)
    guard provenanceFormat == .gguf else {
      var metadata = metadata
      for (key, value) in keys.described { metadata[key] = value }
      return replacing(plans.map(\.result), weightFiles: [], metadata: metadata)
    }
    let ordered = plans.map(\.result).sorted { GGUFOrder($0.name) < GGUFOrder($1.name) }
    let tensors = ordered.map { tensor in
      var tensor = tensor
      tensor.weightFile = 0
      return tensor
    }
    let header = try quantizedHeader(of: tensors, keys.gguf)
    return replacing(tensors, weightFiles: [header], metadata: try Checkpoint.metadata(of: [header]))
  }

  private func replacing(_ tensors: [CheckpointTensor], weightFiles: [WeightFile], metadata: Metadata) -> Checkpoint {
    Checkpoint(
      path: path, format: provenanceFormat, tensors: tensors, assets: assets, weightFiles: weightFiles,
      metadata: metadata, emptyDirectories: emptyDirectories, leftOut: leftOut, container: nil, byteCount: byteCount)
  }
}
