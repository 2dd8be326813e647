import KistCore

/// What a tensor is for, as far as mixtures care.
package enum MixtureRole: Sendable {
  case output, tokenEmbedding, attentionV, attentionK, attentionQ, attentionOutput, up, gate, down, other

  /// By GGUF's names, the first that fits. A fused QKV counts as V.
  private static let parts: [(String, MixtureRole)] = [
    ("attn_qkv.weight", .attentionV), ("attn_kv_b.weight", .attentionV), ("attn_v.weight", .attentionV),
    ("attn_k.weight", .attentionK), ("attn_q.weight", .attentionQ), ("attn_output.weight", .attentionOutput),
    ("ffn_up", .up), ("ffn_gate", .gate), ("ffn_down", .down),
  ]

  package init(_ name: String) {
    switch name {
    case "output.weight": self = .output
    case "token_embd.weight", "per_layer_token_embd.weight": self = .tokenEmbedding
    default: self = MixtureRole.parts.first { name.contains($0.0) }?.1 ?? .other
    }
  }
}

/// When a rule holds. `layer` counts tensors of a role; with experts it is the number in the name.
enum MixtureCondition: Sendable {
  case layerInFirst(part: Int)
  case layerBefore(Int)
  case layerInMiddle
  case getsMoreBits
  case sharesHeadsByFour
  case hasFourExperts
  case hasEightExperts
  case hasNotEightExperts
  case hasImportance
  case hasNoImportance
  case isFalcon
  case isNotFalcon
}

struct MixtureRule: Sendable {
  var role: MixtureRole
  var mixtures: Set<Mixture>
  var conditions: [MixtureCondition]
  var type: DType

  /// The mixtures that `rules` below call coarse.
  static let coarse: Set<Mixture> = [.iq2_xxs, .iq2_xs, .iq2_s, .iq2_m, .iq1_s, .iq1_m]
  private static let coarse2: Set<Mixture> = [.iq2_s, .iq2_m]

  private init(_ role: MixtureRole, _ mixtures: Set<Mixture>, _ conditions: [MixtureCondition], _ type: DType) {
    self.role = role
    self.mixtures = mixtures
    self.conditions = conditions
    self.type = type
  }

  private init(_ role: MixtureRole, _ mixtures: Set<Mixture>, _ type: DType) { self.init(role, mixtures, [], type) }

  /// The first rule that holds for a tensor gives its type; without one, it is the mixture's own.
  ///
  /// - Source: `llama_tensor_get_type_impl` of llama.cpp's llama-quant.cpp, branch by branch.
  static let all: [MixtureRule] = embeddings + attention + feedForward

  private static let embeddings: [MixtureRule] = [
    MixtureRule(.tokenEmbedding, [.iq2_xxs, .iq2_xs, .iq1_s, .iq1_m], .q2_k),
    MixtureRule(.tokenEmbedding, [.iq2_s, .iq2_m, .iq3_xxs], .iq3_s),
    MixtureRule(.tokenEmbedding, [.tq1_0, .tq2_0, .q2_0], .q4_k),
  ]

  private static let attention: [MixtureRule] = [
    MixtureRule(.attentionV, coarse, [.sharesHeadsByFour], .q4_k),
    MixtureRule(.attentionV, coarse, [.hasFourExperts], .q4_k),
    MixtureRule(.attentionV, coarse2, .iq3_s),
    MixtureRule(.attentionV, coarse, .q2_k),
    MixtureRule(.attentionV, [.q2_k, .q2_k_s, .iq3_xxs, .iq3_xs, .iq3_s], [.sharesHeadsByFour], .q4_k),
    MixtureRule(.attentionV, [.q2_k], .q3_k),
    MixtureRule(.attentionV, [.iq3_xxs], [.hasNoImportance], .iq3_s),
    MixtureRule(.attentionV, [.iq3_xxs], .iq3_xxs),
    MixtureRule(.attentionV, [.iq3_m], .q4_k),
    MixtureRule(.attentionV, [.q3_k_m], [.layerBefore(2)], .q5_k),
    MixtureRule(.attentionV, [.q3_k_m], .q4_k),
    MixtureRule(.attentionV, [.q3_k_l], .q5_k),
    MixtureRule(.attentionV, [.iq4_nl, .iq4_xs], [.sharesHeadsByFour], .q5_k),
    MixtureRule(.attentionV, [.q4_k_m, .q5_k_m], [.getsMoreBits], .q6_k),
    MixtureRule(.attentionV, [.q4_k_s], [.layerBefore(4)], .q5_k),

    MixtureRule(.attentionK, coarse, [.hasEightExperts], .q4_k),
    MixtureRule(.attentionK, Set(Mixture.allCases).subtracting(coarse), [.hasEightExperts], .q8_0),
    MixtureRule(.attentionK, [.iq3_xs], .iq3_xxs),
    MixtureRule(.attentionK, [.iq3_xxs], .iq2_s),
    MixtureRule(.attentionQ, [.iq3_xs], .iq3_xxs),
    MixtureRule(.attentionQ, [.iq3_xxs], .iq2_s),

    MixtureRule(.attentionOutput, coarse, [.hasEightExperts], .q5_k),
    MixtureRule(.attentionOutput, [.iq1_s, .iq1_m], .iq2_xxs),
    MixtureRule(.attentionOutput, coarse2, .iq3_s),
    MixtureRule(.attentionOutput, [.q3_k_l], [.isFalcon], .q4_k),
    MixtureRule(
      .attentionOutput,
      [.q2_k, .iq3_xs, .iq3_xxs, .q3_k_s, .q3_k_m, .iq4_nl, .q4_k_s, .q4_k_m, .iq3_s, .iq3_m, .iq4_xs],
      [.isNotFalcon, .hasEightExperts], .q5_k),
    MixtureRule(.attentionOutput, [.q2_k], [.isNotFalcon, .hasNotEightExperts], .q3_k),
    MixtureRule(.attentionOutput, [.iq3_xxs], [.isNotFalcon, .hasNotEightExperts], .iq3_s),
    MixtureRule(.attentionOutput, [.q3_k_m, .iq3_m], [.isNotFalcon, .hasNotEightExperts], .q4_k),
    MixtureRule(.attentionOutput, [.q3_k_l], [.isNotFalcon, .hasNotEightExperts], .q5_k),
  ]

  private static let feedForward: [MixtureRule] = [
    MixtureRule(.down, coarse2, [.layerInFirst(part: 8)], .iq3_s),
    MixtureRule(.down, coarse, [.layerInFirst(part: 8)], .q2_k),
    MixtureRule(.down, [.q2_k], .q3_k),
    MixtureRule(.down, [.q2_k_s], [.layerInFirst(part: 8)], .q4_k),
    MixtureRule(.down, [.iq3_xxs], [.hasNoImportance, .layerInFirst(part: 8)], .q4_k),
    MixtureRule(.down, [.iq3_xxs], [.hasNoImportance], .q3_k),
    MixtureRule(.down, [.q3_k_m], [.layerInFirst(part: 16)], .q5_k),
    MixtureRule(.down, [.q3_k_m], [.isNotFalcon], .q4_k),
    MixtureRule(.down, [.q3_k_m], [.getsMoreBits], .q4_k),
    MixtureRule(.down, [.iq3_m], [.layerInFirst(part: 8)], .q4_k),
    MixtureRule(.down, [.iq3_m], [.hasEightExperts, .getsMoreBits], .q4_k),
    MixtureRule(.down, [.q3_k_l], [.isFalcon], .q4_k),
    MixtureRule(.down, [.q3_k_l], .q5_k),
    MixtureRule(.down, [.q4_k_m], [.isFalcon, .layerInFirst(part: 16)], .q6_k),
    MixtureRule(.down, [.q4_k_m], [.isFalcon, .getsMoreBits], .q5_k),
    MixtureRule(.down, [.q4_k_m], [.isNotFalcon, .getsMoreBits], .q6_k),
    MixtureRule(.down, [.iq4_nl, .iq4_xs], [.hasNoImportance, .layerInFirst(part: 8)], .q5_k),
    MixtureRule(.down, [.q5_k_m], [.getsMoreBits], .q6_k),
    MixtureRule(.down, [.q4_k_s], [.isNotFalcon, .layerInFirst(part: 8)], .q5_k),
    MixtureRule(.down, [.q4_0], [.hasImportance, .layerInFirst(part: 8)], .q4_1),
    MixtureRule(.down, [.q5_0], [.hasImportance, .layerInFirst(part: 8)], .q5_1),
    MixtureRule(.gate, [.iq3_xs], [.layerInMiddle], .iq3_xxs),
    MixtureRule(.up, [.iq3_xs], [.layerInMiddle], .iq3_xxs),
  ]
}
