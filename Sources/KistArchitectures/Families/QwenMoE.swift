extension Architecture {
  /// Source: transformers 5.23, modeling_qwen2_moe.py.
  static let qwen2MoE = Architecture(
    name: "qwen2-moe", classNames: ["Qwen2MoeForCausalLM", "Qwen2MoeModel"], modelTypes: ["qwen2_moe"],
    gguf: GGUFForm(
      "qwen2moe", vocabulary: .merges("qwen2"),
      keys: .joined(
        .modern, .experts, .statedHeadSizes, .fileType, .expertSize,
        [
          .size("expert_shared_feed_forward_length", .sharedExpertSize)
        ])),
    parameters: .joined(
      .modern, .rotary(), .qwenWindow, .qwenExperts,
      [
        .key(.queryKeyValueBias, "qkv_bias", or: .value(true)),
        .key(.sharedExpertSize, "shared_expert_intermediate_size"),
      ]),
    attention: Attention(
      windowLayers: .when(
        .usesWindow, .typed("sliding_attention", otherwise: .both(.even, .before(.firstWindowLayer))))),
    feedForward: FeedForward(expertLayers: .qwenSparse, gatesSharedExpert: true),
    optionalPrefixes: ["model."],
    tensors: .joined(
      .llamaEnds, .llamaNorms, .llamaAttention(bias: .when(.queryKeyValueBias), outputBias: .some(nil)),
      .llamaFeedForward, .qwenExperts, .linear(.sharedExpertGate, "model.layers.{layer}.mlp.shared_expert.gate_proj"),
      .linear(.sharedExpertUp, "model.layers.{layer}.mlp.shared_expert.up_proj"),
      .linear(.sharedExpertDown, "model.layers.{layer}.mlp.shared_expert.down_proj"),
      .linear(.sharedExpertSwitch, "model.layers.{layer}.mlp.shared_expert_gate")))

  /// Source: transformers 5.23, modeling_qwen3_moe.py.
  static let qwen3MoE = Architecture(
    name: "qwen3-moe", classNames: ["Qwen3MoeForCausalLM", "Qwen3MoeModel"], modelTypes: ["qwen3_moe"],
    gguf: GGUFForm(
      "qwen3moe", vocabulary: .merges("qwen2"), keys: .joined(.modern, .experts, .headSizes, .fileType, .expertSize),
      // There is no key for it: llama.cpp's graph of this family always does it.
      parameters: .ggufBias + [.fixed(.normalizesExpertWeights, .value(true))]),
    parameters: .joined(
      .modern, .rotary(), .qwenExperts,
      [
        .key(.keyValueHeadCount, "num_key_value_heads", or: .value(4), null: .same(.headCount)),
        .key(.attentionBias, "attention_bias", or: .value(false)),
        .key(.usesWindow, "use_sliding_window", or: .value(false)),
        .key(.window, "sliding_window", or: .value(4096), null: .absent),
      ]),
    ignoredKeys: ["max_window_layers"],
    attention: Attention(windowLayers: .when(.usesWindow, .all), queryKeyNorm: .always(.head)),
    feedForward: FeedForward(expertLayers: .qwenSparse),
    optionalPrefixes: ["model."],
    tensors: .llama + .queryKeyNorms + .qwenExperts)
}

extension [ParameterRule] {
  fileprivate static let qwenExperts: [ParameterRule] = [
    .key(.expertCount, "num_experts", "num_local_experts"),
    .key(.expertsPerToken, "num_experts_per_tok"),
    .key(.expertSize, "moe_intermediate_size"),
    .key(.normalizesExpertWeights, "norm_topk_prob", or: .value(false)),
    .key(.denseLayers, "mlp_only_layers", or: .absent),
    .key(.expertLayerInterval, "decoder_sparse_step", or: .value(1)),
  ]
}

extension LayerSelection {
  fileprivate static let qwenSparse = LayerSelection.both(.notListed(.denseLayers), .everyNth(.expertLayerInterval))
}

extension [TensorRule] {
  /// The names of experts that most families have.
  static let qwenExperts: [TensorRule] = .joined(
    .linear(.router, "model.layers.{layer}.mlp.gate"),
    .linear(.expertGate, "model.layers.{layer}.mlp.experts.{expert}.gate_proj"),
    .linear(.expertUp, "model.layers.{layer}.mlp.experts.{expert}.up_proj"),
    .linear(.expertDown, "model.layers.{layer}.mlp.experts.{expert}.down_proj"))
}
