import KistArchitectures
import KistCheckpoints
import KistCore
import KistFormat
import KistInference
import KistTokenizers

/// A checkpoint that can be computed with: its weights, and the tokenizer when it has one.
public struct LoadedModel: Sendable {
  public let checkpoint: Checkpoint
  public let weights: WeightTable
  /// Nil when the checkpoint has none that this version knows.
  public let tokenizer: Tokenizer?

  public var path: String { checkpoint.path }
  public var model: ModelDescription { weights.model }

  /// Opens a checkpoint and checks that its tensors are what its configuration says.
  ///
  /// - Parameter memory: What may stay in memory between uses, shared with other models.
  /// - Throws: `unsupported` when this version does not know the architecture or something that its configuration says; `damaged` for
  ///   tensors that do not go with it.
  public static func open(
    path: String, memory: MemoryBudget = MemoryBudget()
  ) throws(KistError) -> LoadedModel {
    try LoadedModel(try Checkpoint.open(path: path), memory: memory)
  }

  public init(
    _ checkpoint: Checkpoint, memory: MemoryBudget = MemoryBudget(), nonfinite: NonfiniteWeights = .refused
  ) throws(KistError) {
    self.checkpoint = checkpoint
    let plain = try checkpoint.plain()
    do throws(KistError) {
      weights = try WeightTable(
        try LoadedModel.description(of: plain), plain.tensors.filter { !$0.isTrainingState }.map(\.weight),
        file: checkpoint.path, memory: memory, nonfinite: nonfinite)
    } catch {
      throw error.inFile(checkpoint.path)
    }
    tokenizer = try? Tokenizer.open(path: checkpoint.path)
  }

  /// What the checkpoint's configuration describes.
  static func description(of checkpoint: Checkpoint) throws(KistError) -> ModelDescription {
    if checkpoint.provenanceFormat == .gguf { return try descriptionOfGGUF(checkpoint) }
    guard let asset = checkpoint.assets.first(where: { $0.path.utf8.elementsEqual("config.json".utf8) }) else {
      throw KistError(
        .unsupported, file: checkpoint.path, "has no config.json, so that nothing says what to compute",
        advice: "give the model's folder, or a container that was made from it")
    }
    let bytes = try asset.smallContent(at: checkpoint.path)
    return try ModelDescription(ModelConfig(bytes, file: checkpoint.path + ": config.json"))
  }

  /// Tokens of a text, by the rules of the library that the tokenizer belongs to.
  ///
  /// - Throws: `missing` when the model has no tokenizer.
  public func tokens(of text: String) throws(KistError) -> [Int] {
    let tokenizer = try requireTokenizer()
    return try tokenizer.encode(Array(text.utf8), tokenizer.referenceSettings).map(Int.init)
  }

  public func requireTokenizer() throws(KistError) -> Tokenizer {
    guard let tokenizer else {
      // Says why, when there is one that can't be read.
      return try Tokenizer.open(path: path)
    }
    return tokenizer
  }
}

extension CheckpointTensor {
  /// The tensor for the forward pass; raw content of a container where it lies in the file.
  var weight: WeightTensor {
    var tensor = WeightTensor(name: name, dtype: dtype, shape: shape, source: source)
    if let own = source as? EntrySource, let entry, let (file, range) = own.file.mappedRange(of: entry) {
      tensor.source = FileSource(file, range: range)
    } else if !(source is FileSource) {
      tensor.pieceByteCount =
        entry?.layout.rawBytesPerChunk ?? Layout.rawBytesPerChunk(unit: dtype?.unitByteCount ?? 1)
    }
    return tensor
  }
}

extension CheckpointAsset {
  /// All bytes of a file that is small.
  func smallContent(at path: String) throws(KistError) -> [UInt8] {
    guard byteCount <= 1 << 24 else {
      throw KistError(.unsupported, file: path, field: self.path, "\(byteCount) bytes are too many for a configuration")
    }
    var bytes: [UInt8] = []
    for start in stride(from: 0, to: byteCount, by: Layout.maximumChunkByteCount) {
      let range = start..<min(start + Layout.maximumChunkByteCount, byteCount)
      unsafe try source.withBytes(range) { part throws(KistError) in unsafe bytes.append(contentsOf: part) }
    }
    return bytes
  }
}
