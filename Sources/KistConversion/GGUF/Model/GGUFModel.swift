import Foundation
import KistArchitectures
import KistCheckpoints
import KistCore

/// A model of another format as a GGUF: its tensors and keys as llama.cpp's own converter gives them.
///
/// Nothing is written, and of the tensors nothing is read.
struct GGUFModel: Sendable {
  /// In the order of the file.
  let tensors: [CheckpointTensor]
  /// Keys and tensors, for the header.
  let writer: GGUFWriter
  let notices: [String]

  /// - Parameters:
  ///   - type: how most tensors are stored.
  ///   - target: the file, for errors.
  /// - Throws: `unsupported` for an architecture that Kist or GGUF does not have, a type that the converter does not have, or a
  ///   tokenizer that GGUF can't say; `damaged` for tensors that do not go with the configuration.
  init(_ source: Checkpoint, as type: TargetType, target: String) throws(KistError) {
    let model = try LoadedModel.description(of: source)
    guard let sink = try model.inGGUF() else {
      throw KistError(
        .unsupported, file: source.path, field: "architectures",
        "llama.cpp has no \(model.architecture.name) models, so that GGUF can't say what this is",
        advice: "write .kist or .safetensors")
    }
    let order = SourceOrder(source)
    guard let outputType = GGUFOutputType(type, of: order.sorted) else {
      throw KistError(
        .unsupported, file: target, "tensors are not stored as \(type.name) when a model becomes a GGUF",
        advice: "write f32, f16, bf16, q8_0, tq1_0 or tq2_0, or use `kist quantize`")
    }
    let rearrangement = ModelRearrangement(of: source.tensors, from: model, to: sink, file: source.path)
    let made = try sink.fileTensors.map { tensor throws(KistError) in
      try GGUFModel.made(tensor, rearrangement, outputType)
    }
    try GGUFModel.checkAllUsed(source, model, made)
    let factors = model.ggufFactors.map { CheckpointTensor($0.name, $0.values) }
    tensors = factors + order.ordered(made)
    let isMXFP4 = made.contains { $0.tensor.dtype == .mxfp4 }
    let header = GGUFModelHeader(
      source: source, model: model, tensors: tensors, fileType: outputType.fileType(isMXFP4: isMXFP4))
    var notices: [String] = []
    writer = try header.writer(&notices)
    self.notices = notices
  }

  /// A tensor of the file, and the tensors of the forward pass that lie in it.
  struct MadeTensor {
    var tensor: CheckpointTensor
    var keys: [TensorKey]
    /// Names of the source's tensors that it is made of.
    var sourceNames: [String]
  }

  private static func made(
    _ tensor: FileTensor, _ rearrangement: ModelRearrangement, _ type: GGUFOutputType
  ) throws(KistError) -> MadeTensor {
    let numbers = try rearrangement.rearranged(tensor)
    // Blocks stay blocks.
    let isPacked = !numbers.parts.isEmpty && numbers.parts.allSatisfy { $0.dtype == .mxfp4 }
    let dtype = isPacked ? .mxfp4 : type.dtype(of: tensor.name, shape: numbers.shape.dimensions)
    // Of blocks that lie in two tensors, a part stands for both.
    let names = numbers.parts.flatMap { part in [part.name] + part.origins.map(\.name) }
    return MadeTensor(
      tensor: try rearrangement.encoded(numbers, as: dtype, name: tensor.name), keys: tensor.keys, sourceNames: names)
  }

  /// Refuses a tensor that nothing is made of, since the model might mean something by it.
  private static func checkAllUsed(
    _ source: Checkpoint, _ model: ModelDescription, _ made: [MadeTensor]
  ) throws(KistError) {
    var used: Set<[UInt8]> = []
    for tensor in made { for name in tensor.sourceNames { used.insert(Array(name.utf8)) } }
    for tensor in source.tensors where !used.contains(Array(tensor.name.utf8)) && !model.ignores(tensor.name) {
      throw KistError(
        .damaged, file: source.path, field: "tensor '\(tensor.name)'",
        "is not part of a \(model.architecture.name) model with this configuration")
    }
  }
}

extension CheckpointTensor {
  /// A vector of F32.
  fileprivate init(_ name: String, _ values: [Float]) {
    let bytes = values.flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * $0)) } }
    self.init(name: name, dtype: .f32, shape: [values.count], source: MemorySource(bytes), entry: nil, weightFile: nil)
  }
}

/// The order in which llama.cpp's converter reads a source's tensors, and therefore writes them.
private struct SourceOrder {
  /// Files by name, and of safetensors each file's tensors by name.
  let sorted: [CheckpointTensor]
  private let places: [[UInt8]: Int]

  init(_ source: Checkpoint) {
    let paths = source.weightFiles.map { Array($0.path.utf8) }
    func path(_ tensor: CheckpointTensor) -> [UInt8] { tensor.weightFile.map { paths[$0] } ?? [] }
    let isByName = !paths.isEmpty && source.weightFiles.allSatisfy { $0.path.hasSuffix(".safetensors") }
    let indices = source.tensors.indices.sorted { first, second in
      let (a, b) = (source.tensors[first], source.tensors[second])
      let (pathOfA, pathOfB) = (path(a), path(b))
      if pathOfA != pathOfB { return pathOfA.lexicographicallyPrecedes(pathOfB) }
      return isByName ? a.name.utf8.lexicographicallyPrecedes(b.name.utf8) : first < second
    }
    sorted = indices.map { source.tensors[$0] }
    places = Dictionary(sorted.enumerated().map { (Array($1.name.utf8), $0) }) { first, _ in first }
  }

  /// A tensor is written once the last that it is made of was read; stacked experts of a layer together, and packed ones before all others.
  func ordered(_ tensors: [GGUFModel.MadeTensor]) -> [CheckpointTensor] {
    let last = tensors.map { tensor in tensor.sourceNames.compactMap { places[Array($0.utf8)] }.max() ?? 0 }
    var lastOfLayer: [Int: Int] = [:]
    func stackedLayer(_ index: Int) -> Int? {
      let tensor = tensors[index]
      guard tensor.sourceNames.count > 1, let key = tensor.keys.first, key.role.isOfExpert else { return nil }
      return key.layer
    }
    for index in tensors.indices {
      if let layer = stackedLayer(index) { lastOfLayer[layer] = max(lastOfLayer[layer] ?? 0, last[index]) }
    }
    func place(_ index: Int) -> (Int, Int, Int, Int) {
      let isPacked = tensors[index].tensor.dtype == .mxfp4
      let layer = stackedLayer(index).flatMap { lastOfLayer[$0] }
      return (isPacked ? 0 : 1, layer ?? last[index], last[index], index)
    }
    return tensors.indices.sorted { place($0) < place($1) }.map { tensors[$0].tensor }
  }
}
