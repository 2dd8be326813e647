import KistArchitectures
import KistCore
import KistInference
import KistTokenizers

/// All that there is to say about a checkpoint on one page.
public struct ModelReport: Sendable {
  public let summary: CheckpointSummary
  /// README.md.
  let card: String?
  /// What the configuration describes, in words; nil when this version does not know the architecture.
  let architecture: [(name: String, value: String)]?
  let histograms: [WeightHistogram]
  let vocabulary: VocabularySummary?
  /// Of containers that are here: whether the file is whole, and what its model computes on its probes.
  let verification: CheckpointVerification?

  /// Reads a sample of the weights, and of a container all chunks, save for one on a server; runs its probes where it has some.
  public init(
    _ checkpoint: Checkpoint, memory: MemoryBudget, parallelism: Parallelism,
    progress: any ProgressObserver = NoProgress()
  ) throws(KistError) {
    summary = try CheckpointSummary(checkpoint)
    card = ModelReport.card(of: checkpoint)
    architecture = (try? LoadedModel.description(of: checkpoint))?.words
    histograms = try WeightHistogram.all(of: checkpoint, parallelism: parallelism, progress: progress)
    vocabulary = (try? Tokenizer.open(path: checkpoint.path)).flatMap {
      try? VocabularySummary($0, path: checkpoint.path)
    }
    let isHere = !MappedFile.isAddress(checkpoint.path)
    verification = try (isHere ? checkpoint.container : nil).map { _ throws(KistError) in
      var verification = try CheckpointVerification(
        path: checkpoint.path, level: .quick, key: nil, parallelism: parallelism, progress: progress)
      if verification.isSound {
        try verification.checkProbes(asked: false, tolerance: nil, memory: memory, parallelism: parallelism)
      }
      return verification
    }
  }

  private static func card(of checkpoint: Checkpoint) -> String? {
    guard let asset = checkpoint.assets.first(where: { $0.path.utf8.elementsEqual("README.md".utf8) }),
      let bytes = try? asset.smallContent(at: checkpoint.path)
    else { return nil }
    return String(decoding: bytes, as: UTF8.self)
  }
}

extension ModelDescription {
  /// What is computed, for a person.
  fileprivate var words: [(name: String, value: String)] {
    var rows: [(name: String, value: String)] = [
      ("Family", architecture.name), ("Kind", architecture.kind == .encoder ? "encoder" : "decoder"),
      ("Layers", "\(layers.count)"), ("Width", Quantity.count(width)),
      ("Vocabulary", "\(Quantity.count(vocabularySize)) tokens"),
    ]
    if let mostTokens { rows.append(("Context", "\(Quantity.count(mostTokens)) tokens")) }
    if let layer = layers.first(where: { $0.feedForward.experts != nil }) ?? layers.first { rows += layer.words }
    rows.append(("Norm", "\(norm == .rms ? "RMS norm" : "layer norm"), ε \(Quantity.number(Double(normEpsilon)))"))
    if head.hasLogits { rows.append(("Head", head.isTied ? "the embedding matrix" : "a matrix of its own")) }
    return rows
  }
}

extension LayerDescription {
  fileprivate var words: [(name: String, value: String)] {
    let heads = attention.headCount
    var text = "\(heads) \(heads == 1 ? "head" : "heads") of \(attention.headSize)"
    if attention.keyValueHeadCount != heads { text += ", \(attention.keyValueHeadCount) of keys and values" }
    if attention.latent != nil { text += ", through a low rank" }
    if attention.isCausal { text += ", causal" }
    if let window = attention.window { text += ", window of \(window)" }
    var feed =
      "\(Quantity.count(feedForward.size)) wide, \(feedForward.activation)\(feedForward.isGated ? ", gated" : "")"
    if let experts = feedForward.experts {
      feed =
        "\(experts.count) experts of \(Quantity.count(experts.size)), \(experts.perToken) a token, \(feedForward.activation)"
    }
    let positions =
      attention.rotary.map { "rotary, θ \(Quantity.number(Double($0.base)))" }
      ?? (attention.slopes == nil ? nil : "a slope for each head (ALiBi)")
    return [("Attention", text), ("Feed-forward", feed)] + (positions.map { [("Positions", $0)] } ?? [])
  }
}
