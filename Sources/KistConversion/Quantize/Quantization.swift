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
  /// What a chosen mixture was expected to come to.
  public let prediction: MixturePrediction?
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
    source path: String, target: String, options: QuantizationOptions, progress: any ProgressObserver = NoProgress()
  ) throws(KistError) -> Quantization {
    let format = try targetFormat(target)
    var source = try Checkpoint.open(path: path, includingAllFiles: options.conversion.includesAllFiles).plain()
    source.tensors.removeAll(where: \.isTrainingState)
    let importance = try options.importance.map { path throws(KistError) in
      (path: path, matrix: try ImportanceMatrix(path: path))
    }
    // What becomes a GGUF is quantized as one.
    let model = try format == .gguf ? source.asGGUF(target: target) : source
    var planner = try QuantizationPlanner(model, options, importance)
    try requireFree(target, options)
    let settled = try settle(&planner, format, progress)
    let result = try model.quantized(
      settled.plans, settled.scheme, name: typeName(settled.scheme, settled.prediction), importance)
    let conversion = Conversion(result, target: target, format, options.conversion)
    try conversion.checkTarget()
    guard format == .gguf || options.conversion.shardByteCount == nil else {
      throw KistError(
        .unsupported, file: target, "is quantized as a single file",
        advice: "quantize to name.gguf, or convert the result with --shard-size")
    }
    try conversion.checkShards()
    if format == .gguf { try conversion.checkGGUF() }
    return Quantization(
      source: source, target: target, options: options, scheme: settled.scheme, prediction: settled.prediction,
      tensors: settled.plans, notices: planner.notices, conversion: conversion)
  }

  /// What was asked for, or that types were chosen one by one.
  public var typeName: String { Quantization.typeName(scheme, prediction) }

  private static func typeName(_ scheme: QuantizationScheme, _ prediction: MixturePrediction?) -> String {
    prediction == nil ? scheme.name : "chosen types"
  }

  /// Before hours of measuring.
  private static func requireFree(_ target: String, _ options: QuantizationOptions) throws(KistError) {
    if !options.conversion.replacesExisting { try requireAbsent(target) }
  }

  /// The tensors' types: as given, or as a goal asks for.
  private static func settle(
    _ planner: inout QuantizationPlanner, _ format: Checkpoint.Format, _ progress: any ProgressObserver
  ) throws(KistError) -> (plans: [TensorPlan], scheme: QuantizationScheme, prediction: MixturePrediction?) {
    if case .scheme(let scheme) = planner.options.goal { return (try planner.plans(scheme), scheme, nil) }
    let chooser = try MixtureChooser(
      planner, otherByteCount: planner.source.byteCountBesideTensors(in: format, planner.options.conversion),
      progress: progress)
    let choice: MixtureChoice
    switch planner.options.goal {
    case .size(let byteCount): choice = try chooser.choice(ofAtMost: byteCount)
    case .divergence(let limit): choice = try chooser.choice(divergingAtMost: limit)
    case .scheme: return ([], .uniform(.f32), nil)
    }
    if choice.prediction.divergence == nil {
      planner.notices.append(
        "types were chosen by the errors of weights alone: what each tensor does to the logits was not measured "
          + "(--measure does it)")
    }
    let plans = try planner.plans(of: choice.wanted)
    return (plans, .custom(by: plans), choice.prediction)
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
  /// Of everything that a checkpoint has.
  init(_ source: Checkpoint, target: String, _ format: Format, _ options: ConversionOptions) {
    self.init(
      source: source, target: target, targetFormat: format, options: options, tensors: source.tensors,
      range: source.tensors.indices)
  }

  typealias Format = Checkpoint.Format
}

extension Checkpoint {
  /// Most bytes that a target has beside its tensors.
  fileprivate func byteCountBesideTensors(in format: Format, _ options: ConversionOptions) -> Int {
    let headers = weightFiles.reduce(0) { $0 + $1.source.byteCount } + 4096
    guard format == .kist else { return headers + 64 * tensors.count }
    var conversion = Conversion(self, target: path, format, options).neededByteCount
    conversion -= tensors.reduce(0) { $0 + $1.byteCount }
    let vocabulary = tensors.lazy.filter { $0.shape.rank == 2 }.map { $0.shape[0] }.max() ?? 0
    let probes = options.probes == .none ? 0 : 4 * (3 * 4 * vocabulary + 32 * 64 * 12)
    var tokenizer = 0
    if case .compiled(let record) = CompiledTokenizer.compile(tokenizerFiles) { tokenizer = record.count + 4096 }
    // Raw runs begin at multiples of a page.
    let padding = tensors.reduce(0) { $0 + Layout.runAlignment(kind: .tensor, byteCount: $1.byteCount) }
    return conversion + (provenanceFormat == .gguf ? headers : 0) + probes + tokenizer + padding
  }
}

extension QuantizationScheme {
  /// The mixture whose usual type most of a chosen one's bytes are.
  fileprivate static func custom(by plans: [TensorPlan]) -> QuantizationScheme {
    var bytes: [DType: Int] = [:]
    for plan in plans where plan.isChanged {
      if let type = plan.type { bytes[type, default: 0] += plan.result.byteCount }
    }
    let most = bytes.max { ($0.value, $1.key.code) < ($1.value, $0.key.code) }?.key
    let mixture = Mixture.allCases.last { $0.defaultType == most }
    return mixture.map { .mixture($0) } ?? .uniform(most ?? .f32)
  }
}
