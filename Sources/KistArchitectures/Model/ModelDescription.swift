import KistCore

/// What one model computes: a family's ``Architecture`` with every number of a checkpoint's configuration in its place.
public struct ModelDescription: Sendable {
  public let architecture: Architecture
  public let parameters: Parameters

  public let vocabularySize: Int
  public let width: Int
  /// Most tokens that positions reach; nil when nothing bounds them.
  public let contextLength: Int?
  public let norm: NormKind
  public let normEpsilon: Float
  public let embedding: EmbeddingDescription
  public let layers: [LayerDescription]
  public let head: HeadDescription
}

/// What happens between tokens and the first layer.
public struct EmbeddingDescription: Sendable {
  /// Width of the table where it is not the model's; a projection follows then.
  public var tableWidth: Int
  public var positionCount: Int?
  public var positionOffset: Int
  public var tokenTypeCount: Int?
  public var scale: Float
  public var hasNorm: Bool
}

/// What a layer computes.
public struct LayerDescription: Sendable {
  public var residual: ResidualLayout
  /// What branches are multiplied with before they are added.
  public var residualScale: Float
  public var attention: AttentionDescription
  public var feedForward: FeedForwardDescription
}

public struct AttentionDescription: Sendable {
  public var headCount: Int
  public var keyValueHeadCount: Int
  /// Numbers of a query's and of a key's head.
  public var headSize: Int
  public var valueHeadSize: Int
  public var isCausal: Bool
  /// Tokens that are seen, the token itself included; nil for all.
  public var window: Int?
  public var scale: Float
  public var softCap: Float?
  /// Largest absolute value of queries, keys and values. OLMo 1, where asked.
  public var clip: Float?
  public var rotary: RotaryDescription?
  /// What each head's scores fall by for each token of distance.
  public var slopes: [Float]?
  /// Falcon: what is added to the unscaled score is the slope times the key's position (from 0; not its distance), both slope and
  /// product rounded to bf16; the sum is scaled then.
  public var roundsAndScalesSlopes: Bool
  public var queryKeyNorm: Attention.QueryKeyNorm
  public var queryKeyNormKind: NormKind
  public var hasSinks: Bool
  public var latent: LatentDescription?

  public var queryWidth: Int { headCount * headSize }
  public var keyWidth: Int { keyValueHeadCount * headSize }
  public var valueWidth: Int { keyValueHeadCount * valueHeadSize }
  public var outputWidth: Int { headCount * valueHeadSize }
}

/// Low-rank queries, keys and values. Source: DeepSeek-V2, 2024, section 2.1.
public struct LatentDescription: Sendable {
  /// Nil when queries come straight from the stream.
  public var queryRank: Int?
  public var keyValueRank: Int
  /// Numbers of a head that are rotated; keys share theirs among all heads.
  public var rotarySize: Int
  /// Numbers of a head that are not; they come first.
  public var plainSize: Int
  /// The epsilon of both low ranks' norms.
  public var normEpsilon: Float
}

public enum Activation: String, Sendable, CaseIterable {
  case silu, gelu, geluTanh, geluQuick, relu, reluSquared
}

public struct FeedForwardDescription: Sendable {
  public var size: Int
  public var activation: Activation
  public var isGated: Bool
  public var experts: ExpertsDescription?
  /// GPT-OSS: what gate and up are clamped to.
  public var swishLimit: Float?
}

public struct ExpertsDescription: Sendable {
  public var count: Int
  public var perToken: Int
  public var size: Int
  public var scoring: FeedForward.Routing.Scoring
  public var groups: FeedForward.Routing.Groups
  public var groupCount: Int
  public var groupsPerToken: Int
  public var normalizesWeights: Bool
  public var weightScale: Float
  public var hasCorrection: Bool
  public var hasRouterBias: Bool
  /// Size of the feed-forward that all tokens take; nil without one.
  public var sharedSize: Int?
  public var gatesShared: Bool
}

/// What happens after the last layer.
public struct HeadDescription: Sendable {
  public var hasNorm: Bool
  public var hasLogits: Bool
  /// Whether the token embedding is the head.
  public var isTied: Bool
  /// Width of the states that meet the head, when a projection goes before.
  public var projectedWidth: Int?
  public var scale: Float
  public var softCap: Float?
}

extension ModelDescription {
  /// Most tokens of a text; nil when nothing bounds them.
  public var mostTokens: Int? {
    if let count = embedding.positionCount { return count }
    guard let rotary = layers.lazy.compactMap(\.attention.rotary).first else { return nil }
    // This scaling grows with the text.
    if case .dynamic = rotary.scaling { return nil }
    return contextLength
  }

  func attention(ofLayer layer: Int?) -> AttentionDescription { layers[layer ?? 0].attention }
  func expertCount(ofLayer layer: Int?) -> Int { layers[layer ?? 0].feedForward.experts?.count ?? 0 }
}
