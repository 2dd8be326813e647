import KistArchitectures
import KistCheckpoints
import KistCore
import KistFormat

extension Conversion {
  /// Settles how a GGUF becomes a directory that transformers reads.
  static func planHub(
    _ source: Checkpoint, target: String, options: ConversionOptions
  ) throws(KistError) -> Conversion {
    let content = try HubContent(of: source, type: options.type)
    let tensors = try Glob.filter(content.tensors, options.tensors, name: \.name, file: source.path)
    var conversion = Conversion(
      source: source, target: target, targetFormat: .huggingFace, options: options, tensors: tensors,
      range: tensors.indices, notices: content.notices)
    conversion.hubContent = content
    try conversion.checkTarget()
    try conversion.checkShards()
    return conversion
  }
}

/// A GGUF's model as a Hugging Face directory has it: tensors under transformers' names and in its order of rows, config.json, and the
/// tokenizer's files.
struct HubContent: Sendable {
  var tensors: [CheckpointTensor] = []
  var assets: [CheckpointAsset] = []
  var notices: [String] = []

  /// - Parameter type: What weights are stored as; when they are to be kept, block types become BF16.
  /// - Throws: `unsupported` for an architecture that this version does not know; `damaged` for tensors that do not go with it.
  init(of checkpoint: Checkpoint, type: TargetType) throws(KistError) {
    let source = try LoadedModel.description(of: checkpoint)
    let dtype = HubContent.mainDType(of: checkpoint, type)
    let ids = GGUFTokenIDs(checkpoint)
    var config = try source.configuration().merging(ids.configuration) { own, _ in own }
    config["torch_dtype"] = CheckpointAsset.torchNames[dtype].map { .value(.text($0)) }
    let text = Array(ConfigValue.object(config).text.utf8)
    let sink = try ModelDescription(ModelConfig(text, file: "config.json for \(checkpoint.path)"))
    try takeTensors(of: checkpoint, source, sink, dtype: dtype, type)

    assets.append(CheckpointAsset(path: "config.json", source: MemorySource(text), entry: nil))
    if let generation = ids.generation(checkpoint) {
      let bytes = Array(generation.text.utf8)
      assets.append(CheckpointAsset(path: "generation_config.json", source: MemorySource(bytes), entry: nil))
    }
    try takeTokenizer(of: checkpoint, ids, contextLength: source.contextLength)
  }

  /// The dtype of most bytes, among those that weights of a directory can have.
  private static func mainDType(of checkpoint: Checkpoint, _ type: TargetType) -> DType {
    if case .float(let dtype) = type { return dtype }
    var byteCounts: [DType: Int] = [:]
    for tensor in checkpoint.tensors {
      guard let dtype = tensor.dtype else { continue }
      let here = dtype.isBlockType ? .bf16 : dtype
      byteCounts[here, default: 0] += tensor.byteCount
    }
    let known = byteCounts.filter { CheckpointAsset.torchNames[$0.key] != nil }
    return known.max { ($0.value, $0.key.code) < ($1.value, $1.key.code) }?.key ?? .f32
  }

  private mutating func takeTensors(
    of checkpoint: Checkpoint, _ source: ModelDescription, _ sink: ModelDescription, dtype: DType, _ type: TargetType
  ) throws(KistError) {
    let rearrangement = ModelRearrangement(of: checkpoint.tensors, from: source, to: sink, file: checkpoint.path)
    var taken: Set<String> = []
    var blocks: [DType: Int] = [:]
    for place in sink.fileTensors {
      let numbers = try rearrangement.rearranged(place)
      let here = try HubContent.dtype(of: numbers, main: dtype, type)
      var tensor = try numbers.encoded(as: here, name: place.name, file: checkpoint.path)
      tensor.origins = numbers.parts.map { CheckpointTensor.Origin(name: $0.name, dtype: $0.dtype) }
      tensors.append(tensor)
      for part in numbers.parts where taken.insert(part.name).inserted {
        if let dtype = part.dtype, dtype.isBlockType { blocks[dtype, default: 0] += 1 }
      }
    }
    let words = blocks.sorted { $0.key.code < $1.key.code }.map { "\($0.value) of \($0.key)" }
    if !words.isEmpty { notices.append("dequantized to \(dtype): \(words.joined(separator: ", ")) tensors") }
    // What they say, config.json says.
    let others = checkpoint.tensors.filter { !taken.contains($0.name) && !$0.name.hasPrefix("rope_f") }
    if !others.isEmpty {
      notices.append("left out \(others.count) tensors that the architecture has no use for: \(others[0].name)…")
    }
  }

  /// What a tensor is stored as: what was asked for, or what it was; vectors, routers and other short ones, which GGUF has in F32, as the
  /// others where that loses nothing.
  private static func dtype(
    of numbers: RearrangedTensor, main: DType, _ type: TargetType
  ) throws(KistError) -> DType {
    if type != .keep { return main }
    let stored = Set(numbers.parts.compactMap(\.dtype))
    guard stored.count == 1, let only = stored.first, torchHas(only) else {
      return stored.contains { $0.isBlockType } ? .bf16 : .f32
    }
    guard only == .f32, main != .f32 else { return only }
    return try numbers.isExact(in: main) ? main : only
  }

  private static func torchHas(_ dtype: DType) -> Bool { CheckpointAsset.torchNames[dtype] != nil }
}

extension RearrangedTensor {
  /// Longer ones are not looked at.
  private static let mostElements = 1 << 20

  /// Whether all numbers are such of a dtype.
  fileprivate func isExact(in dtype: DType) throws(KistError) -> Bool {
    guard elementCount <= Self.mostElements else { return false }
    let encoded = try encoded(as: dtype, name: "vector", file: "")
    return try StoredElements(encoded, file: "").numbers() == numbers()
  }
}

extension ElementSource {
  /// All numbers of a short tensor.
  fileprivate func numbers() throws(KistError) -> [Float] {
    var numbers = [Float](repeating: 0, count: elementCount)
    let result = unsafe numbers.withUnsafeMutableBufferPointer { buffer in
      Result { () throws(KistError) in
        if let base = buffer.baseAddress { unsafe try read(0..<elementCount, into: base) }
      }
    }
    try result.get()
    return numbers
  }
}
