extension TensorRole {
  /// What GGUF calls the tensor, without `.weight` or `.bias`. Source: llama.cpp, gguf-py/gguf/constants.py, TENSOR_NAMES.
  public var ggufName: String? {
    guard let name = TensorRole.ggufNames[self] else { return nil }
    return isOfLayer ? "blk.{layer}." + name : name
  }

  private static let ggufNames: [TensorRole: String] = [
    .tokenEmbedding: "token_embd", .positionEmbedding: "position_embd", .tokenTypeEmbedding: "token_types",
    .embeddingNorm: "token_embd_norm",
    .attentionNorm: "attn_norm", .query: "attn_q", .key: "attn_k", .value: "attn_v", .attentionOutput: "attn_output",
    .queryNorm: "attn_q_norm", .keyNorm: "attn_k_norm", .attentionSinks: "attn_sinks",
    .attentionPostNorm: "post_attention_norm",
    .queryDown: "attn_q_a", .queryDownNorm: "attn_q_a_norm", .queryUp: "attn_q_b", .keyValueDown: "attn_kv_a_mqa",
    .keyValueDownNorm: "attn_kv_a_norm",
    .feedForwardNorm: "ffn_norm", .gate: "ffn_gate", .up: "ffn_up", .down: "ffn_down",
    .feedForwardPostNorm: "post_ffw_norm",
    .router: "ffn_gate_inp", .routerCorrection: "exp_probs_b", .expertGate: "ffn_gate_exps", .expertUp: "ffn_up_exps",
    .expertDown: "ffn_down_exps", .sharedExpertGate: "ffn_gate_shexp", .sharedExpertUp: "ffn_up_shexp",
    .sharedExpertDown: "ffn_down_shexp", .sharedExpertSwitch: "ffn_gate_inp_shexp",
    .finalNorm: "output_norm", .head: "output",
  ]
}

extension [TensorRule] {
  /// Queries and keys as llama.cpp has those that it rotates by neighbours, where the family rotates by halves.
  static func ggufNeighbouringPairs(bias: TensorRule.Presence? = nil) -> [TensorRule] {
    linear(.query, "blk.{layer}.attn_q", bias: bias, form: .neighbouringPairs)
      + linear(.key, "blk.{layer}.attn_k", bias: bias, form: .neighbouringPairs)
  }

  /// Query, key and value in one tensor, one after the other.
  static func ggufQueryKeyValue(bias: TensorRule.Presence? = nil) -> [TensorRule] {
    [.query, .key, .value].flatMap {
      linear($0, "blk.{layer}.attn_qkv", bias: bias, form: .rows([.query, .key, .value]))
    }
  }
}
