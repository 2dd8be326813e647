extension Parameter {
  /// GGUF's keys after the architecture's name, or what a tensor of the file says; empty where GGUF says nothing.
  /// Source: llama.cpp, gguf-py/gguf/constants.py, Keys.
  var ggufKeys: [String] { Parameter.ggufKeyTable[self] ?? [] }

  private static let ggufKeyTable: [Parameter: [String]] = [
    .vocabularySize: [GGUFSource.rows("token_embd.weight")], .width: ["embedding_length"], .layerCount: ["block_count"],
    .contextLength: ["context_length"], .tokenTypeCount: [GGUFSource.rows("token_types.weight")],
    .headCount: ["attention.head_count"], .keyValueHeadCount: ["attention.head_count_kv"],
    .headSize: ["attention.key_length"], .valueHeadSize: ["attention.value_length"],
    .window: ["attention.sliding_window"], .attentionScale: ["attention.scale"],
    .attentionSoftCap: ["attn_logit_softcapping"], .clipsQueryKeyValue: ["attention.clamp_kqv"],
    .queryRank: ["attention.q_lora_rank"], .keyValueRank: ["attention.kv_lora_rank"],
    .ropeBase: ["rope.freq_base"], .localRopeBase: ["rope.freq_base_swa"], .rotarySize: ["rope.dimension_count"],
    .ropeFactor: ["rope.scaling.factor"], .ropeOriginalContext: ["rope.scaling.original_context_length"],
    .ropeAttentionFactor: ["rope.scaling.attn_factor"], .ropeFastBeta: ["rope.scaling.yarn_beta_fast"],
    .ropeSlowBeta: ["rope.scaling.yarn_beta_slow"],
    .ropeShortFactors: [GGUFSource.values("rope_factors_short.weight")],
    .ropeLongFactors: [GGUFSource.values("rope_factors_long.weight")],
    .feedForwardSize: ["feed_forward_length"], .expertCount: ["expert_count"], .expertsPerToken: ["expert_used_count"],
    .expertSize: ["expert_feed_forward_length"], .sharedExpertCount: ["expert_shared_count"],
    .sharedExpertSize: ["expert_shared_feed_forward_length"], .expertGroupCount: ["expert_group_count"],
    .expertGroupsPerToken: ["expert_group_used_count"], .normalizesExpertWeights: ["expert_weights_norm"],
    .expertWeightScale: ["expert_weights_scale"], .firstExpertLayer: ["leading_dense_block_count"],
    .normEpsilon: ["attention.layer_norm_rms_epsilon", "attention.layer_norm_epsilon"],
    .isParallel: ["use_parallel_residual"],
    .attentionBias: [GGUFSource.has("blk.0.attn_output.bias")],
    .queryKeyValueBias: [GGUFSource.has("blk.0.attn_q.bias")],
    .feedForwardBias: [GGUFSource.has("blk.0.ffn_down.bias")],
    .normalizesQueryKey: [GGUFSource.has("blk.0.attn_q_norm.weight")],
    .embeddingScale: ["embedding_scale"], .residualScale: ["residual_scale"], .logitScale: ["logit_scale"],
    .logitSoftCap: ["final_logit_softcapping"],
  ]
}

extension [ParameterRule] {
  /// Whether queries, keys, values and outputs have biases, where the family has all or none.
  static let ggufBias: [ParameterRule] = [.key(.attentionBias, GGUFSource.has("blk.0.attn_q.bias"))]
}
