import Foundation
import KistArchitectures
import KistCheckpoints
import KistCore
import KistTokenizers

/// The keys of a GGUF that is made of a model, in the order in which llama.cpp's converter writes them.
struct GGUFModelHeader {
  var source: Checkpoint
  var model: ModelDescription
  var tensors: [CheckpointTensor]
  /// `general.file_type`.
  var fileType: UInt32

  /// Of the block types, as llama.cpp counts them.
  private static let quantizationVersion: UInt32 = 2
  private typealias Value = KistCheckpoints.GGUFValue

  func writer(_ notices: inout [String]) throws(KistError) -> GGUFWriter {
    guard let form = model.architecture.gguf,
      let keys = model.ggufKeysAroundGeneral(fileType: fileType, pooling: try pooling())
    else {
      throw KistError(.unsupported, file: source.path, field: "architectures", "GGUF has no such models")
    }
    do throws(KistError) {
      var writer = GGUFWriter()
      try writer.add("general.architecture", Value.string(form.name))
      for (key, value) in keys.before { try writer.add(key, Value(value)) }
      try writer.add("general.type", Value.string("model"))
      for (key, value) in try generalKeys() { try writer.add(key, value) }
      for (key, value) in keys.after { try writer.add(key, Value(value)) }
      try writer.add("general.quantization_version", .uint32(Self.quantizationVersion))
      try addTokenizer(form.vocabulary, to: &writer, &notices)
      for tensor in tensors {
        try writer.addTensor(tensor.name, dtype: tensor.dtype ?? .f32, shape: tensor.shape)
      }
      return writer
    } catch { throw error.inFile(source.path) }
  }

  /// How sentence-transformers makes one vector of a text. Source: `llama_pooling_type` of llama.h.
  private func pooling() throws(KistError) -> UInt32? {
    func json(_ name: String) throws(KistError) -> JSONValue? {
      try asset(name).flatMap { try? JSONDocument($0, depth: 64).root }
    }
    let modules = try json("modules.json")?.array ?? []
    guard let module = modules.first(where: { $0["type"]?.string?.hasSuffix("Pooling") == true }),
      let folder = module["path"]?.string, let config = try json("\(folder)/config.json")
    else { return nil }
    let modes: [(name: String, type: UInt32)] = [("mean_tokens", 1), ("cls_token", 2), ("lasttoken", 3)]
    return modes.first { config["pooling_mode_\($0.name)"]?.bool == true }?.type
  }

  private func addTokenizer(
    _ vocabulary: GGUFVocabulary, to writer: inout GGUFWriter, _ notices: inout [String]
  ) throws(KistError) {
    let choice = GGUFTokenizerWriter.Choice(
      size: model.vocabularySize, prefersPieces: vocabulary.prefersPieces, preTokenizer: vocabulary.preTokenizer,
      spacePrefix: vocabulary.spacePrefix == .never ? false : nil,
      statesSpacePrefix: vocabulary.spacePrefix == .asConfigured, fixedTokens: vocabulary.fixedTokens)
    let types = model.embedding.tokenTypeCount.flatMap { UInt32(exactly: $0) }
    func addTypes(_ place: GGUFVocabulary.Place) throws(KistError) {
      guard let types, vocabulary.tokenTypeCount == place else { return }
      try writer.add("tokenizer.ggml.token_type_count", Value.uint32(types))
    }
    try addTypes(.first)
    if let keys = try GGUFTokenizerWriter.keys(CompiledTokenizer.files(source.assets), choice) {
      for key in keys {
        try key.add(to: &writer)
        if key.name == "add_space_prefix" { try addTypes(.afterSpacePrefix) }
      }
    } else {
      try writer.add("tokenizer.ggml.model", Value.string("none"))
      notices.append("there is no tokenizer: llama.cpp can compute with the model, but reads no text")
    }
    try addTypes(.last)
  }

  private func generalKeys() throws(KistError) -> [(key: String, value: Value)] {
    var card = ModelCard()
    if let readme = try asset("README.md") { card = ModelCard(String(decoding: readme, as: UTF8.self)) }
    // A generation_config.json that can't be read says nothing.
    let generation = try asset("generation_config.json").flatMap { try? JSONDocument($0, depth: 64).root }
    let config = try asset("config.json").flatMap { try? JSONDocument($0, depth: 64).root }
    let counts = ParameterCounts(tensors)
    return GeneralKeys(
      card: card, config: config, generation: generation, folder: sourceName, parameterCount: counts.total,
      sizeLabel: counts.label
    ).keys
  }

  /// What the model's folder is called, or the container.
  private var sourceName: String {
    let url = URL(fileURLWithPath: source.path).standardizedFileURL
    return source.format == .huggingFace ? url.lastPathComponent : url.deletingPathExtension().lastPathComponent
  }

  private func asset(_ name: String) throws(KistError) -> [UInt8]? {
    try source.assets.first { $0.path.utf8.elementsEqual(name.utf8) }?.smallContent(at: source.path)
  }
}

extension KistCheckpoints.GGUFValue {
  fileprivate init(_ value: KistArchitectures.GGUFValue) {
    switch value {
    case .uint32(let number): self = .uint32(number)
    case .float32(let number): self = .float32(number)
    case .bool(let flag): self = .bool(flag)
    case .string(let text): self = .string(text)
    }
  }
}

/// Parameters of a model, counted as gguf-py does. Source: gguf_writer.py, `get_total_parameter_count`.
private struct ParameterCounts {
  var total = 0
  private var shared = 0
  private var ofExpert = 0
  private var expertCount = 0

  init(_ tensors: [CheckpointTensor]) {
    var (sum, stacks) = (0, 0)
    for tensor in tensors {
      let size = tensor.shape.elementCount ?? 0
      total += size
      let shape = tensor.shape.dimensions
      // Of the rest, vectors of all experts, gguf-py takes the number of rows.
      let place = tensor.name.contains(".bias") ? shape.count - 2 : shape.count - 3
      guard tensor.name.contains("_exps."), shape.count >= 3, shape[place] > 0 else {
        shared += size
        continue
      }
      ofExpert += size / shape[place]
      sum += shape[place]
      stacks += 1
    }
    expertCount = stacks > 0 ? sum / stacks : 0
  }

  var label: String {
    expertCount > 0 ? "\(expertCount)x" + ModelName.rounded(shared + ofExpert) : ModelName.rounded(total)
  }
}
