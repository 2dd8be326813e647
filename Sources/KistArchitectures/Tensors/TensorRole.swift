/// What a tensor does in a model, in every format.
public enum TensorRole: String, Sendable, CaseIterable {
  // Before the layers.
  case tokenEmbedding, positionEmbedding, tokenTypeEmbedding, embeddingNorm, embeddingProjection
  // Attention.
  case attentionNorm, query, key, value, attentionOutput, queryNorm, keyNorm, attentionSinks, attentionPostNorm
  // Latent attention.
  case queryDown, queryDownNorm, queryUp, keyValueDown, keyValueDownNorm, keyValueUp
  // Feed-forward.
  case feedForwardNorm, gate, up, down, feedForwardPostNorm
  // Experts.
  case router, routerCorrection, expertGate, expertUp, expertDown
  case sharedExpertGate, sharedExpertUp, sharedExpertDown, sharedExpertSwitch
  // After the layers.
  case finalNorm, outputProjection, head, pooler

  public var isOfLayer: Bool {
    switch self {
    case .tokenEmbedding, .positionEmbedding, .tokenTypeEmbedding, .embeddingNorm, .embeddingProjection, .finalNorm,
      .outputProjection, .head, .pooler:
      false
    default: true
    }
  }

  /// Whether there is one for each expert.
  public var isOfExpert: Bool { self == .expertGate || self == .expertUp || self == .expertDown }

  public var isNorm: Bool {
    switch self {
    case .embeddingNorm, .attentionNorm, .queryNorm, .keyNorm, .attentionPostNorm, .queryDownNorm, .keyValueDownNorm,
      .feedForwardNorm, .feedForwardPostNorm, .finalNorm:
      true
    default: false
    }
  }
}

/// One tensor of a model as the forward pass knows it, whatever a file calls it.
public struct TensorKey: Sendable, Hashable {
  public enum Part: String, Sendable { case weight, bias }

  public var role: TensorRole
  public var part: Part
  public var layer: Int?
  public var expert: Int?

  public init(_ role: TensorRole, _ part: Part = .weight, layer: Int? = nil, expert: Int? = nil) {
    self.role = role
    self.part = part
    self.layer = layer
    self.expert = expert
  }

  /// The key of the same tensor's bias.
  public var bias: TensorKey { TensorKey(role, .bias, layer: layer, expert: expert) }
}

extension TensorKey: CustomStringConvertible {
  /// `layers.3.query.weight`.
  public var description: String {
    (layer.map { "layers.\($0)." } ?? "") + role.rawValue + (expert.map { ".\($0)" } ?? "") + ".\(part.rawValue)"
  }
}
