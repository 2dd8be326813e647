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
  /// What was asked for, or that types were chosen one by one.
  public let typeName: String
  /// What a chosen mixture was expected to come to.
  public let prediction: MixturePrediction?
  /// Those that are written here: all, or a part's.
  public let tensors: [TensorPlan]
  /// What a person should know beforehand.
  public let notices: [String]
  /// Writes the result; its source is the quantized model.
  let conversion: Conversion
  /// What the source computes, where choosing types has computed it already.
  let probes: [UInt8]?

  /// Opens a source and settles the type of each tensor.
  ///
  /// - Throws: what opening throws; `unsupported` for a target that can't hold block types, or a source of which nothing says what its
  ///   tensors are; `invalid` for tensors that are quantized already, an importance matrix of another model, or a type that needs one.
  public static func plan(
    source path: String, target: String, options: QuantizationOptions, progress: any ProgressObserver = NoProgress()
  ) throws(KistError) -> Quantization {
    let format = try targetFormat(target)
    let target =
      try options.conversion.part.map { part throws(KistError) in try part.path(of: target, format) } ?? target
    let opened = try Checkpoint.open(path: path, includingAllFiles: options.conversion.includesAllFiles)
    var source = try opened.plain()
    source.tensors.removeAll(where: \.isTrainingState)
    let importance = try options.importance.map { path throws(KistError) in
      (path: path, matrix: try ImportanceMatrix(path: path))
    }
    // What becomes a GGUF is quantized as one.
    let model = try format == .gguf ? source.asGGUF(target: target) : source
    var planner = try QuantizationPlanner(model, options, importance)
    try requireFree(target, options)
    let settled = try Settled(&planner, importance, format, progress)
    let result = try model.quantized(settled.plans, settled.scheme, name: settled.name, importance)
    var conversion = Conversion(result, target: target, format, options.conversion)
    if options.conversion.part != nil {
      conversion.origin = Conversion.Origin(
        source: opened, options: try options.inManifest(settled.name, settled.plans))
    }
    try conversion.checkTarget()
    guard format == .gguf || options.conversion.shardByteCount == nil else {
      throw KistError(
        .unsupported, file: target, "is quantized as a single file",
        advice: "quantize to name.gguf, or convert the result with --shard-size")
    }
    try conversion.checkShards()
    if format == .gguf { try conversion.checkGGUF() }
    let written = Set(conversion.writtenTensors.map { Array($0.name.utf8) })
    return Quantization(
      source: source, target: target, options: options, scheme: settled.scheme, typeName: settled.name,
      prediction: settled.prediction, tensors: settled.plans.filter { written.contains(Array($0.tensor.name.utf8)) },
      notices: planner.notices, conversion: conversion, probes: settled.probes)
  }

  /// Before hours of measuring.
  private static func requireFree(_ target: String, _ options: QuantizationOptions) throws(KistError) {
    if !options.conversion.replacesExisting { try requireAbsent(target) }
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
    _ plans: [TensorPlan], _ scheme: QuantizationScheme, name: String, _ importance: NamedImportance?
  ) throws(KistError) -> Checkpoint {
    let keys = QuantizationKeys(scheme, name: name, importance)
    guard provenanceFormat == .gguf else {
      var metadata = metadata
      for (key, value) in keys.described { metadata[key] = value }
      return replacing(plans.map(\.result), weightFiles: [], metadata: metadata)
    }
    let ordered = plans.map(\.result).sorted { GGUFOrder($0.name) < GGUFOrder($1.name) }
    let tensors = ordered.map { tensor in
      var tensor = tensor
      tensor.weightFile = 0
      // As llama-quantize writes it: GGML has no outer dimensions of 1.
      let inner = tensor.shape.dimensions.drop { $0 == 1 }
      tensor.shape = Shape(inner.isEmpty ? [1] : Array(inner))
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

extension Conversion {
  /// Of everything that a checkpoint has, or a part of it.
  init(_ source: Checkpoint, target: String, _ format: Format, _ options: ConversionOptions) {
    self.init(
      source: source, target: target, targetFormat: format, options: options, tensors: source.tensors,
      range: options.part?.range(ofItems: source.tensors.map(\.byteCount)) ?? source.tensors.indices)
  }

  typealias Format = Checkpoint.Format
}
