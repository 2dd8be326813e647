import KistCore

extension ModelDescription {
  /// The shape of a tensor as the forward pass sees it: matrices have a row for each output.
  public func shape(of key: TensorKey) -> [Int]? {
    guard let shape = weightShape(key.role, key.layer) else { return nil }
    // A norm's bias is like its weight; that of a matrix has a number for each row.
    return key.part == .bias ? [shape[0]] : shape
  }

  private func weightShape(_ role: TensorRole, _ layer: Int?) -> [Int]? {
    guard let layer else { return shapeOutsideLayers(role) }
    guard layers.indices.contains(layer) else { return nil }
    return attentionShape(role, layers[layer].attention) ?? feedForwardShape(role, layers[layer].feedForward)
  }

  private func shapeOutsideLayers(_ role: TensorRole) -> [Int]? {
    switch role {
    case .tokenEmbedding: [vocabularySize, embedding.tableWidth]
    case .head: [vocabularySize, head.projectedWidth ?? width]
    case .positionEmbedding: embedding.positionCount.map { [$0 + embedding.positionOffset, width] }
    case .tokenTypeEmbedding: embedding.tokenTypeCount.map { [$0, width] }
    case .embeddingProjection: [width, embedding.tableWidth]
    case .outputProjection: [head.projectedWidth ?? width, width]
    case .embeddingNorm, .finalNorm: [width]
    case .pooler: [width, width]
    default: nil
    }
  }

  private func attentionShape(_ role: TensorRole, _ attention: AttentionDescription) -> [Int]? {
    switch role {
    case .attentionNorm, .attentionPostNorm, .feedForwardNorm, .feedForwardPostNorm: [width]
    case .query: [attention.queryWidth, width]
    case .key: [attention.keyWidth, width]
    case .value: [attention.valueWidth, width]
    case .attentionOutput: [width, attention.outputWidth]
    case .queryNorm: normShape(attention, heads: attention.headCount)
    case .keyNorm: normShape(attention, heads: attention.keyValueHeadCount)
    case .attentionSinks: [attention.headCount]
    default: attention.latent.flatMap { latentShape(role, attention, $0) }
    }
  }

  private func normShape(_ attention: AttentionDescription, heads: Int) -> [Int]? {
    switch attention.queryKeyNorm {
    case .none: nil
    case .head: [attention.headSize]
    case .eachHead: [heads, attention.headSize]
    case .whole: [heads * attention.headSize]
    }
  }

  private func latentShape(
    _ role: TensorRole, _ attention: AttentionDescription, _ latent: LatentDescription
  ) -> [Int]? {
    switch role {
    case .queryDown: latent.queryRank.map { [$0, width] }
    case .queryDownNorm: latent.queryRank.map { [$0] }
    case .queryUp: latent.queryRank.map { [attention.queryWidth, $0] }
    case .keyValueDown: [latent.keyValueRank + latent.rotarySize, width]
    case .keyValueDownNorm: [latent.keyValueRank]
    case .keyValueUp: [attention.headCount * (latent.plainSize + attention.valueHeadSize), latent.keyValueRank]
    default: nil
    }
  }

  private func feedForwardShape(_ role: TensorRole, _ feedForward: FeedForwardDescription) -> [Int]? {
    switch role {
    case .gate, .up: return [feedForward.size, width]
    case .down: return [width, feedForward.size]
    default: break
    }
    guard let experts = feedForward.experts else { return nil }
    let shared = experts.sharedSize ?? 0
    return switch role {
    case .router, .routerCorrection: [experts.count, width]
    case .expertGate, .expertUp: [experts.size, width]
    case .expertDown: [width, experts.size]
    case .sharedExpertGate, .sharedExpertUp: [shared, width]
    case .sharedExpertDown: [width, shared]
    case .sharedExpertSwitch: [1, width]
    default: nil
    }
  }

  /// Where a tensor lies in a checkpoint, when it lies in one place; nil when the family has none.
  public func location(of key: TensorKey) -> TensorLocation? {
    let locations = locations(of: key)
    return locations.count == 1 ? locations.first : nil
  }

  /// Where a tensor's rows lie in a checkpoint, in their order: mostly in one place. Empty when the family has none.
  public func locations(of key: TensorKey) -> [TensorLocation] {
    guard let shape = shape(of: key),
      let rule = architecture.tensors.first(where: { $0.role == key.role && $0.part == key.part && isPresent($0) })
    else { return [] }
    if case .stackedBlocks = rule.form, shape.last.map({ $0 % DType.mxfp4.unitElementCount }) != 0 { return [] }
    return rule.form.locations(of: key, shape: shape, name: rule.name, in: self)
  }

  /// The names that a rule's name stands for, best first: whole, and without a beginning that files leave out.
  func names(_ name: String, of key: TensorKey, head: Int = 0) -> [String] {
    var name = name
    for (place, number) in [("{layer}", key.layer), ("{expert}", key.expert), ("{head}", head)] {
      if let number { name = name.replacing(place, with: "\(number)") }
    }
    let names =
      [name] + architecture.optionalPrefixes.filter { name.hasPrefix($0) }.map { String(name.dropFirst($0.count)) }
      + architecture.longerPrefixes.filter { name.hasPrefix($0.key) }.map { $0.value + name.dropFirst($0.key.count) }
    let older = names.flatMap { name in
      architecture.olderEndings.filter { name.hasSuffix($0.key) }.map { String(name.dropLast($0.key.count)) + $0.value }
    }
    return names + older
  }
}
