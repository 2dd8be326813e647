/// How rows of activations are normalized.
public enum NormKind: Sendable, Equatable {
  /// x / √(mean(x²) + ε) · w. Source: Zhang and Sennrich 2019.
  case rms
  /// (x − mean) / √(variance + ε) · w + b. Source: Ba, Kiros and Hinton 2016.
  case layer
  /// The same without b.
  case layerWithoutBias
  /// (x − mean) / √(variance + ε). OLMo 1.
  case layerWithoutWeight

  public var hasWeight: Bool { self != .layerWithoutWeight }
  public var hasBias: Bool { self == .layer }
}

/// Where a layer normalizes and what it adds; x is the residual stream.
public enum ResidualLayout: Sendable, Equatable {
  /// x += attention(norm(x)); x += feedForward(norm(x)).
  case preNorm
  /// x = norm(x + attention(x)); x = norm(x + feedForward(x)). BERT.
  case postNorm
  /// x += norm(attention(x)); x += norm(feedForward(x)). OLMo 2.
  case branchNorm
  /// x += norm(attention(norm(x))); x += norm(feedForward(norm(x))). Gemma 2.
  case sandwich
  /// n = norm(x); x += attention(n) + feedForward(n). GPT-J.
  case parallel
  /// x += attention(norm(x)) + feedForward(norm′(x)). GPT-NeoX.
  case parallelTwoNorms
  /// n = norm(x); x = n + attention(n); m = norm(x); x = m + feedForward(m). BLOOM, where asked.
  case residualAfterNorm
}

/// What happens between tokens and the first layer.
public struct Embedding: Sendable {
  /// Adds a learned vector by position. The table is ``Parameter/positionOffset`` rows longer than the context and begins with
  /// those: OPT, RoBERTa.
  public var hasLearnedPositions: Bool
  /// Adds a vector by token type.
  public var hasTokenTypes: Bool
  /// Normalizes the sum.
  public var hasNorm: Bool
  /// Multiplies by the square root of the width. Gemma.
  public var scalesBySquareRootOfWidth: Bool

  public init(
    hasLearnedPositions: Bool = false, hasTokenTypes: Bool = false, hasNorm: Bool = false,
    scalesBySquareRootOfWidth: Bool = false
  ) {
    self.hasLearnedPositions = hasLearnedPositions
    self.hasTokenTypes = hasTokenTypes
    self.hasNorm = hasNorm
    self.scalesBySquareRootOfWidth = scalesBySquareRootOfWidth
  }
}

/// How a layer's tokens attend to each other.
public struct Attention: Sendable {
  /// What positions do to scores.
  public enum Positions: Sendable, Equatable {
    /// Nothing: positions are learned vectors.
    case none
    case rotary(RotaryPairs)
    /// A slope for each head times the distance. Source: Press, Smith and Lewis 2022.
    case alibi
    /// The same rounded to bf16, as products of slope and key position, and scaled with the scores. Falcon.
    case roundedALiBi
  }

  /// Which two numbers of a head are rotated together.
  public enum RotaryPairs: Sendable, Equatable {
    /// x[i] and x[i + n/2]; llama.cpp calls it NEOX.
    case halves
    /// x[2i] and x[2i + 1]; llama.cpp calls it NORM.
    case neighbours
  }

  /// Which numbers of queries and keys are normalized together.
  public enum QueryKeyNorm: Sendable, Equatable {
    case none
    /// Those of a head, with the same weights for each.
    case head
    /// Those of a head, each with its own weights.
    case eachHead
    /// All heads as one vector.
    case whole
  }

  /// What scores are multiplied with.
  public enum Scale: Sendable, Equatable {
    /// 1 / √(head size).
    case headSize
    /// 1 / √(that parameter).
    case inverseSquareRoot(Parameter)
    case parameter(Parameter)
    /// 1 / √(head size), and once more the attention factor of YaRN squared. DeepSeek.
    case headSizeAndContext
  }

  public var positions: Choice<Positions>
  /// Layers whose queries and keys are rotated.
  public var rotaryLayers: LayerSelection
  /// Layers that see ``Parameter/window`` tokens only.
  public var windowLayers: LayerSelection
  /// Layers whose rotary frequencies are those of ``Parameter/localRopeBase``, without scaling.
  public var localRotaryLayers: LayerSelection
  public var queryKeyNorm: Choice<QueryKeyNorm>
  /// The norm of queries and keys where it is another than the model's.
  public var queryKeyNormKind: NormKind?
  public var scale: Choice<Scale>
  /// Divides scores by the number of the layer, from 1. GPT-2, where asked.
  public var dividesByLayer: Choice<Bool>
  /// A learned number for each head joins the denominator of the softmax. GPT-OSS.
  public var hasSinks: Bool
  /// Keys and values come from a shared low-rank vector. DeepSeek V2.
  public var isLatent: Bool

  public init(
    positions: Choice<Positions> = .always(.rotary(.halves)), rotaryLayers: LayerSelection = .all,
    windowLayers: LayerSelection = .none, localRotaryLayers: LayerSelection = .none,
    queryKeyNorm: Choice<QueryKeyNorm> = .always(.none), queryKeyNormKind: NormKind? = nil,
    scale: Choice<Scale> = .always(.headSize), dividesByLayer: Choice<Bool> = .always(false), hasSinks: Bool = false,
    isLatent: Bool = false
  ) {
    self.positions = positions
    self.rotaryLayers = rotaryLayers
    self.windowLayers = windowLayers
    self.localRotaryLayers = localRotaryLayers
    self.queryKeyNorm = queryKeyNorm
    self.queryKeyNormKind = queryKeyNormKind
    self.scale = scale
    self.dividesByLayer = dividesByLayer
    self.hasSinks = hasSinks
    self.isLatent = isLatent
  }
}

/// What a layer computes for each token alone.
public struct FeedForward: Sendable {
  /// How experts are chosen and weighed.
  public struct Routing: Sendable {
    public enum Scoring: Sendable, Equatable {
      /// Probabilities over all experts, of which the best are taken.
      case softmax
      /// Probabilities over the best.
      case softmaxOfBest
      case sigmoid
    }

    public enum Groups: Sendable, Equatable {
      /// Experts are taken from all.
      case none
      /// From the groups whose best expert is best. DeepSeek V2.
      case byBest
      /// From the groups whose two best experts are best together. DeepSeek V3.
      case byBestTwo
    }

    public var scoring: Choice<Scoring>
    public var groups: Choice<Groups>
    /// Adds a learned number to the scores that choose, not to those that weigh. DeepSeek V3.
    public var hasCorrection: Bool
    /// The router has a bias.
    public var hasBias: Bool

    public init(
      scoring: Choice<Scoring> = .always(.softmax), groups: Choice<Groups> = .always(.none),
      hasCorrection: Bool = false,
      hasBias: Bool = false
    ) {
      self.scoring = scoring
      self.groups = groups
      self.hasCorrection = hasCorrection
      self.hasBias = hasBias
    }
  }

  /// down(activation(gate(x)) · up(x)) rather than down(activation(up(x))).
  public var isGated: Choice<Bool>
  /// Layers that have experts.
  public var expertLayers: LayerSelection
  public var routing: Routing
  /// Whether an expert that all tokens take is weighed by a gate of its own. Qwen 2-MoE.
  public var gatesSharedExpert: Bool
  /// GPT-OSS: (up + 1) · gate · σ(1.702 · gate), both clamped.
  public var isClampedSwish: Bool

  public init(
    isGated: Choice<Bool> = .always(true), expertLayers: LayerSelection = .none, routing: Routing = Routing(),
    gatesSharedExpert: Bool = false, isClampedSwish: Bool = false
  ) {
    self.isGated = isGated
    self.expertLayers = expertLayers
    self.routing = routing
    self.gatesSharedExpert = gatesSharedExpert
    self.isClampedSwish = isClampedSwish
  }
}

/// What happens after the last layer.
public struct Head: Sendable {
  /// Whether states are normalized before the head.
  public var hasNorm: Choice<Bool>
  /// Whether there are logits at all; encoders end with states.
  public var hasLogits: Bool
  /// Logits are multiplied (``Parameter/logitScale``) or divided by it. Granite divides.
  public var dividesByLogitScale: Bool

  public init(hasNorm: Choice<Bool> = .always(true), hasLogits: Bool = true, dividesByLogitScale: Bool = false) {
    self.hasNorm = hasNorm
    self.hasLogits = hasLogits
    self.dividesByLogitScale = dividesByLogitScale
  }
}

/// Some of a model's layers, by a rule of the configuration.
public enum LayerSelection: Sendable {
  case all
  case none
  /// Those whose entry in `layer_types` is the text; without that list, what the other selection says.
  indirect case typed(String, otherwise: LayerSelection)
  /// Those from that number on; none without it.
  case from(Parameter)
  /// Those before that number; all without it.
  case before(Parameter)
  /// Those whose entry in a list of numbers is not 0; without the list, what the other selection says.
  indirect case flagged(Parameter, otherwise: LayerSelection)
  /// Those whose number is not in a list.
  case notListed(Parameter)
  /// Layer i where (i + 1) is no multiple of the parameter.
  case notEveryNth(Parameter)
  /// Layer i where (i + 1) is a multiple of the parameter.
  case everyNth(Parameter)
  /// Even numbers, from 0.
  case even
  /// Those that are not in the selection.
  indirect case others(LayerSelection)
  /// Those in both.
  indirect case both(LayerSelection, LayerSelection)
  /// The selection, when the parameter is true; else none.
  indirect case when(Parameter, LayerSelection)
}
