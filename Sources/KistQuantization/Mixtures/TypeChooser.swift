import KistCore

/// Chooses the type of each tensor of a model as `llama-quantize` does. Tensors have GGUF's names, and come in the order
/// of the file.
///
/// - Source: `llama_tensor_get_type` and what it calls in llama.cpp's llama-quant.cpp. Two architectures that have rules
///   of their own there, `glm5-next` and `bailingmoe3`, are not told apart.
public struct TypeChooser: Sendable {
  /// What the choice depends on.
  public struct Model: Sendable {
    /// GGUF's `general.architecture`.
    public var architecture: String
    public var layerCount: Int
    public var headCount: Int
    /// 0 when there are none.
    public var kvHeadCount: Int
    /// 0 without experts.
    public var expertCount: Int
    public var hasImportance: Bool

    public init(
      architecture: String, layerCount: Int, headCount: Int, kvHeadCount: Int, expertCount: Int = 0,
      hasImportance: Bool = false
    ) {
      self.architecture = architecture
      self.layerCount = layerCount
      self.headCount = headCount
      self.kvHeadCount = kvHeadCount
      self.expertCount = expertCount
      self.hasImportance = hasImportance
    }
  }

  public struct Tensor: Sendable {
    public var name: String
    public var dtype: DType
    /// Slowest dimension first: [rows, columns], or [experts, rows, columns].
    public var shape: [Int]

    public init(name: String, dtype: DType, shape: [Int]) {
      self.name = name
      self.dtype = dtype
      self.shape = shape
    }
  }

  /// What the user asks for instead; as the options of `llama-quantize`.
  public struct Wishes: Sendable {
    public var output: DType?
    public var tokenEmbedding: DType?
    /// The mixture's own type for all.
    public var isPure = false
    /// The type of tensors that are named.
    public var named: @Sendable (String) -> DType? = { _ in nil }

    public init() {}
  }

  private let model: Model
  private let mixture: Mixture
  private let wishes: Wishes
  private var isTied = true
  private var valueCount = 0
  /// Tensors of a role that were chosen for.
  private var seen: [MixtureRole: Int] = [:]

  /// The types of all tensors, in their order. Those that are not quantized keep theirs; a row that does not divide into
  /// blocks gets another type, at worst F16.
  public static func types(
    of tensors: [Tensor], in model: Model, mixture: Mixture, wishes: Wishes = Wishes()
  ) -> [DType] {
    zip(tensors, choices(of: tensors, in: model, mixture: mixture, wishes: wishes)).map { tensor, type in
      fitting(type, columns: tensor.shape.last ?? 0)
    }
  }

  /// The types of all tensors as if every row divided into blocks.
  public static func choices(
    of tensors: [Tensor], in model: Model, mixture: Mixture, wishes: Wishes = Wishes()
  ) -> [DType] {
    var chooser = TypeChooser(model: model, mixture: mixture, wishes: wishes)
    let roles = tensors.map { MixtureRole($0.name) }
    chooser.isTied = !roles.contains(.output)
    chooser.valueCount = roles.count { $0 == .attentionV }
    return zip(tensors, roles).map { chooser.choose($0, $1) }
  }

  /// The type of a tensor where all matrices have the same, save for wishes.
  static func uniform(_ tensor: Tensor, _ dtype: DType, wishes: Wishes) -> DType {
    guard mayQuantize(tensor) else { return tensor.dtype }
    switch MixtureRole(tensor.name) {
    case .output: return wishes.output ?? wishes.named(tensor.name) ?? dtype
    case .tokenEmbedding: return wishes.tokenEmbedding ?? wishes.named(tensor.name) ?? dtype
    default: return wishes.named(tensor.name) ?? dtype
    }
  }

  private init(model: Model, mixture: Mixture, wishes: Wishes) {
    self.model = model
    self.mixture = mixture
    self.wishes = wishes
  }

  private mutating func choose(_ tensor: Tensor, _ role: MixtureRole) -> DType {
    guard TypeChooser.mayQuantize(tensor) else { return tensor.dtype }
    let named = wishes.named(tensor.name)
    let isSecondTable = tensor.name == "per_layer_token_embd.weight" && named != nil
    if role == .tokenEmbedding, !isSecondTable, let wish = wishes.tokenEmbedding { return wish }
    if role == .output, let wish = wishes.output { return wish }
    return named ?? (wishes.isPure ? mixture.defaultType : byMixture(tensor, role))
  }

  private mutating func byMixture(_ tensor: Tensor, _ role: MixtureRole) -> DType {
    if role == .output || (isTied && role == .tokenEmbedding) { return wishes.output ?? outputType(tensor) }
    if mixture == .mxfp4_moe { return tensor.shape.count > 2 && tensor.shape[0] > 1 ? .mxfp4 : .q8_0 }
    let isCoarse = MixtureRule.coarse.contains(mixture)
    let count = seen[role, default: 0]
    seen[role] = count + 1
    let layer = model.expertCount > 1 && !isCoarse && role != .attentionV ? layer(of: tensor.name) ?? count : count
    let layers = role == .attentionV ? valueCount : model.layerCount
    let rule = MixtureRule.all.first { rule in
      rule.role == role && rule.mixtures.contains(mixture)
        && rule.conditions.allSatisfy { holds($0, layer: layer, of: layers) }
    }
    var type = rule?.type ?? mixture.defaultType
    guard role == .attentionV, !isCoarse else { return type }
    let isLlama70B = model.architecture == "llama" && model.layerCount == 80 && model.headCount != model.kvHeadCount
    if isLlama70B && (type == .q3_k || type == .q4_k) { type = .q5_k }
    return model.expertCount == 8 ? .q8_0 : type
  }

  private func outputType(_ tensor: Tensor) -> DType {
    let type = mixture.defaultType
    let divides = (tensor.shape.last ?? 0) % type.unitElementCount == 0
    if mixture == .mxfp4_moe || model.architecture == "falcon" || !divides { return .q8_0 }
    if MixtureRule.coarse.contains(mixture) || mixture == .iq3_xxs { return .q5_k }
    return type == .q8_0 ? .q8_0 : .q6_k
  }

  private func layer(of name: String) -> Int? {
    guard name.hasPrefix("blk.") else { return nil }
    return name.dropFirst(4).split(separator: ".").first.flatMap { Int($0) }
  }

  private func holds(_ condition: MixtureCondition, layer: Int, of layers: Int) -> Bool {
    switch condition {
    case .layerInFirst(let part): layer < layers / part
    case .layerBefore(let limit): layer < limit
    case .layerInMiddle: layer >= layers / 8 && layer < 7 * layers / 8
    case .getsMoreBits:
      layer < layers / 8 || layer >= 7 * layers / 8 || (layer - layers / 8) % 3 == 2
    case .sharesHeadsByFour: model.kvHeadCount > 0 && model.headCount / model.kvHeadCount >= 4
    case .hasFourExperts: model.expertCount >= 4
    case .hasEightExperts: model.expertCount == 8
    case .hasNotEightExperts: model.expertCount != 8
    case .hasImportance: model.hasImportance
    case .hasNoImportance: !model.hasImportance
    case .isFalcon: model.architecture == "falcon"
    case .isNotFalcon: model.architecture != "falcon"
    }
  }

  /// Parts of names of tensors that stay as they are: norms, routers, convolutions, small tables.
  private static let kept = [
    "_norm.weight", "ffn_gate_inp.weight", "ffn_gate_tid2eid.weight", "altup", "laurel", "per_layer_model_proj",
    "ssm_conv1d", "shortconv.conv.weight", "indexer.k_proj.weight", "indexer.q_proj.weight", "time_mix_first.weight",
    "time_mix_w0.weight", "time_mix_w1.weight", "time_mix_w2.weight", "time_mix_v0.weight", "time_mix_v1.weight",
    "time_mix_v2.weight", "time_mix_a0.weight", "time_mix_a1.weight", "time_mix_a2.weight", "time_mix_g1.weight",
    "time_mix_g2.weight", "time_mix_decay_w1.weight", "time_mix_decay_w2.weight", "time_mix_lerp_fused.weight",
    "attn_rel_b.weight", ".position_embd", "sam.pos_embd", "sam.neck.", "sam.net_", ".rel_pos", ".patch_embd",
    ".patch_merger", "a.rvq.codebook", "mm.a.code_embd",
  ]

  /// Whether a tensor is one that is quantized at all: a matrix, and no small or delicate one.
  public static func mayQuantize(_ tensor: Tensor) -> Bool {
    tensor.shape.dropLast().contains { $0 > 1 } && tensor.name.hasSuffix("weight")
      && !["position_embd.weight", "token_types.weight"].contains(tensor.name)
      && !kept.contains(where: tensor.name.contains)
  }

  /// The type itself, or the one that takes its place when rows do not divide into its blocks.
  public static func fitting(_ type: DType, columns: Int) -> DType {
    guard type.isBlockType, columns % type.unitElementCount != 0 else { return type }
    let fallback: DType =
      switch type {
      case .iq1_s, .iq1_m, .iq2_xxs, .iq2_xs, .iq2_s, .iq3_xxs, .iq3_s, .iq4_xs: .iq4_nl
      case .q2_0, .q2_k, .q3_k, .tq1_0, .tq2_0: .q4_0
      case .q4_k: .q5_0
      case .q5_k: .q5_1
      case .q6_k: .q8_0
      default: type
      }
    return columns % fallback.unitElementCount == 0 ? fallback : .f16
  }
}
