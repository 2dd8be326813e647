import KistCore

extension ModelDescription {
  /// Every tensor that the forward pass asks for, in the order of its work.
  public var tensorKeys: [TensorKey] {
    var keys = embeddingKeys
    for index in layers.indices { keys += keysOfLayer(index) }
    if head.hasNorm { keys += keysOfNorm(.finalNorm, norm, layer: nil) }
    if head.hasLogits {
      if head.projectedWidth != nil { keys.append(TensorKey(.outputProjection)) }
      if !head.isTied { keys.append(TensorKey(.head)) }
      keys += biases([.head], layer: nil)
    }
    return keys
  }

  private var embeddingKeys: [TensorKey] {
    var keys = [TensorKey(.tokenEmbedding)]
    if embedding.positionCount != nil { keys.append(TensorKey(.positionEmbedding)) }
    if embedding.tokenTypeCount != nil { keys.append(TensorKey(.tokenTypeEmbedding)) }
    if embedding.hasNorm { keys += keysOfNorm(.embeddingNorm, norm, layer: nil) }
    if embedding.tableWidth != width { keys.append(TensorKey(.embeddingProjection)) }
    return keys
  }

  /// The tensors of one layer.
  public func keysOfLayer(_ index: Int) -> [TensorKey] {
    let layer = layers[index]
    var keys: [TensorKey] = []
    for role in layer.residual.norms { keys += keysOfNorm(role, norm, layer: index) }
    keys += attentionKeys(layer.attention, index)
    keys += feedForwardKeys(layer.feedForward, index)
    return keys
  }

  private func attentionKeys(_ attention: AttentionDescription, _ layer: Int) -> [TensorKey] {
    var roles: [TensorRole] = [.query, .key, .value]
    var keys: [TensorKey] = []
    if let latent = attention.latent {
      roles = (latent.queryRank == nil ? [.query] : [.queryDown, .queryUp]) + [.keyValueDown, .keyValueUp]
      if latent.queryRank != nil { keys += keysOfNorm(.queryDownNorm, .rms, layer: layer) }
      keys += keysOfNorm(.keyValueDownNorm, .rms, layer: layer)
    }
    roles.append(.attentionOutput)
    keys += roles.map { TensorKey($0, layer: layer) } + biases(roles, layer: layer)
    if attention.queryKeyNorm != .none {
      keys += [.queryNorm, .keyNorm].flatMap { keysOfNorm($0, attention.queryKeyNormKind, layer: layer) }
    }
    if attention.hasSinks { keys.append(TensorKey(.attentionSinks, layer: layer)) }
    return keys
  }

  private func feedForwardKeys(_ feedForward: FeedForwardDescription, _ layer: Int) -> [TensorKey] {
    guard let experts = feedForward.experts else {
      let roles: [TensorRole] = feedForward.isGated ? [.gate, .up, .down] : [.up, .down]
      return roles.map { TensorKey($0, layer: layer) } + biases(roles, layer: layer)
    }
    var keys = [TensorKey(.router, layer: layer)]
    if experts.hasRouterBias { keys.append(TensorKey(.router, .bias, layer: layer)) }
    if experts.hasCorrection { keys.append(TensorKey(.routerCorrection, .bias, layer: layer)) }
    let roles: [TensorRole] = [.expertGate, .expertUp, .expertDown]
    for expert in 0..<experts.count {
      keys += roles.map { TensorKey($0, layer: layer, expert: expert) }
      keys += biases(roles, layer: layer).map { TensorKey($0.role, .bias, layer: layer, expert: expert) }
    }
    if experts.sharedSize != nil {
      keys += [.sharedExpertGate, .sharedExpertUp, .sharedExpertDown].map { TensorKey($0, layer: layer) }
      if experts.gatesShared { keys.append(TensorKey(.sharedExpertSwitch, layer: layer)) }
    }
    return keys
  }

  private func keysOfNorm(_ role: TensorRole, _ kind: NormKind, layer: Int?) -> [TensorKey] {
    (kind.hasWeight ? [TensorKey(role, layer: layer)] : [])
      + (kind.hasBias ? [TensorKey(role, .bias, layer: layer)] : [])
  }

  /// The biases that the family's rules have for roles.
  private func biases(_ roles: [TensorRole], layer: Int?) -> [TensorKey] {
    roles.filter { hasBias($0) }.map { TensorKey($0, .bias, layer: layer) }
  }

  /// Whether the family's rules and the configuration give a role a bias.
  public func hasBias(_ role: TensorRole) -> Bool {
    architecture.tensors.contains { $0.role == role && $0.part == .bias && isPresent($0) }
  }

  /// Whether a tensor in a file means nothing to the forward pass: a buffer, or a head that is tied.
  public func ignores(_ name: String) -> Bool {
    let heads =
      head.isTied || !head.hasLogits ? architecture.tensors.filter { $0.role == .head && $0.part == .weight } : []
    return heads.contains { names($0.name, of: TensorKey(.head)).contains(name) }
      || architecture.ignoredTensors.contains {
        Glob.matches(name, $0.replacing("{layerCount}", with: "\(layers.count)"))
      }
  }

  func isPresent(_ rule: TensorRule) -> Bool {
    switch rule.presence {
    case .always: true
    case .when(let parameter): parameters[parameter]?.flag ?? false
    case .unless(let parameter): !(parameters[parameter]?.flag ?? false)
    }
  }
}

extension ResidualLayout {
  /// The norms of a layer, in the order of its work.
  var norms: [TensorRole] {
    switch self {
    case .preNorm, .parallelTwoNorms, .residualAfterNorm: [.attentionNorm, .feedForwardNorm]
    case .postNorm, .branchNorm: [.attentionPostNorm, .feedForwardPostNorm]
    case .sandwich: [.attentionNorm, .attentionPostNorm, .feedForwardNorm, .feedForwardPostNorm]
    case .parallel: [.attentionNorm]
    }
  }
}
