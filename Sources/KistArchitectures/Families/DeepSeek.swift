extension Architecture {
  /// Source: transformers 5.23, modeling_deepseek_v2.py.
  static let deepSeekV2 = Architecture(
    name: "deepseek-v2", classNames: ["DeepseekV2ForCausalLM", "DeepseekV2Model"], modelTypes: ["deepseek_v2"],
    gguf: GGUFForm(
      "deepseek2", vocabulary: .merges("deepseek-v3"), keys: .deepSeek(gatingFunction: 1),
      // One group is no group.
      parameters: .ggufDeepSeek + [
        .fixed(.takesAllGroups, .equals(.expertGroupCount, 1)),
        .fixed(.limitsExpertGroups, .when(.takesAllGroups, .value(false), otherwise: .value(true))),
      ],
      tensors: .ggufDeepSeek,
      configuration: .configDeepSeek + [
        .fixed(
          .expertSelection, .when(.limitsExpertGroups, .value("group_limited_greedy"), otherwise: .value("greedy")))
      ]),
    parameters: .joined(
      .modern, .rotary(), .deepSeek,
      [
        .key(.firstExpertLayer, "first_k_dense_replace", or: .value(0)),
        .key(.expertWeightScale, "routed_scaling_factor", or: .value(1.0)),
        .key(.expertSelection, "topk_method", or: .value("greedy")),
        .fixed(.limitsExpertGroups, .equals(.expertSelection, "group_limited_greedy")),
      ]),
    requirements: .deepSeek + [
      Requirement("topk_method", "greedy", "group_limited_greedy"), Requirement("scoring_func", "softmax"),
      Requirement("norm_topk_prob", false), Requirement("mlp_bias", false),
    ],
    ignoredKeys: .deepSeek,
    attention: Attention(
      positions: .always(.rotary(.neighbours)), scale: .always(.headSizeAndContext), isLatent: true),
    feedForward: FeedForward(
      expertLayers: .from(.firstExpertLayer),
      routing: .init(groups: .when(.limitsExpertGroups, .always(.byBest), otherwise: .always(.none)))),
    optionalPrefixes: ["model."],
    tensors: .deepSeek,
    ignoredTensors: ["*.rotary_emb.inv_freq", "model.layers.{layerCount}.*"])

  /// R1 too. Source: transformers 5.23, modeling_deepseek_v3.py.
  static let deepSeekV3 = Architecture(
    name: "deepseek-v3", classNames: ["DeepseekV3ForCausalLM", "DeepseekV3Model"], modelTypes: ["deepseek_v3"],
    gguf: GGUFForm(
      "deepseek2", vocabulary: .merges("deepseek-v3"), mark: .value("expert_gating_func", 2),
      keys: .deepSeek(gatingFunction: 2), parameters: .ggufDeepSeek,
      tensors: .ggufDeepSeek, configuration: .configDeepSeek),
    parameters: .joined(
      .modern, .rotary(), .deepSeek,
      [
        .key(.firstExpertLayer, "first_k_dense_replace", or: .value(3)),
        .key(.expertWeightScale, "routed_scaling_factor", or: .value(2.5)),
        .key(.normalizesExpertWeights, "norm_topk_prob", or: .value(true)),
        .key(.interleavesRotary, "rope_interleave", or: .value(true)),
      ]),
    requirements: .deepSeek + [Requirement("topk_method", "noaux_tc"), Requirement("scoring_func", "sigmoid")],
    ignoredKeys: .deepSeek,
    attention: Attention(
      positions: .when(.interleavesRotary, .always(.rotary(.neighbours)), otherwise: .always(.rotary(.halves))),
      scale: .always(.headSizeAndContext), isLatent: true),
    feedForward: FeedForward(
      expertLayers: .from(.firstExpertLayer),
      routing: .init(scoring: .always(.sigmoid), groups: .always(.byBestTwo), hasCorrection: true)),
    optionalPrefixes: ["model."],
    tensors: .deepSeek + [
      TensorRule(.routerCorrection, "model.layers.{layer}.mlp.gate.e_score_correction_bias", part: .bias)
    ],
    ignoredTensors: ["*.rotary_emb.inv_freq", "model.layers.{layerCount}.*"])
}

extension [ParameterRule] {
  fileprivate static let deepSeek: [ParameterRule] = [
    .fixed(.keyValueHeadCount, .same(.headCount)),
    .key(.queryRank, "q_lora_rank", null: .absent),
    .key(.keyValueRank, "kv_lora_rank"),
    .key(.rotaryHeadSize, "qk_rope_head_dim"),
    .key(.plainHeadSize, "qk_nope_head_dim"),
    .key(.valueHeadSize, "v_head_dim"),
    .fixed(.headSize, .sum(.plainHeadSize, .rotaryHeadSize)),
    .fixed(.rotarySize, .same(.rotaryHeadSize)),
    // Not that of the other norms: the reference leaves its own default there.
    .fixed(.latentNormEpsilon, .value(1e-6)),
    .key(.attentionBias, "attention_bias", or: .value(false)),
    .key(.expertCount, "n_routed_experts"),
    .key(.expertsPerToken, "num_experts_per_tok"),
    .key(.expertSize, "moe_intermediate_size"),
    .key(.sharedExpertCount, "n_shared_experts", null: .absent),
    .fixed(.sharedExpertSize, .product(.sharedExpertCount, .expertSize)),
    .key(.expertGroupCount, "n_group", or: .absent),
    .key(.expertGroupsPerToken, "topk_group", or: .absent),
  ]
}

extension [ParameterRule] {
  /// Sizes of heads as they are, beside those of the shared low-rank vector that llama.cpp attends to.
  fileprivate static let ggufDeepSeek: [ParameterRule] = [
    .key(.headSize, "attention.key_length_mla"),
    .key(.valueHeadSize, "attention.value_length_mla"),
    .key(.rotaryHeadSize, "rope.dimension_count"),
    .fixed(.rotarySize, .same(.rotaryHeadSize)),
    .fixed(.plainHeadSize, .difference(.headSize, .rotaryHeadSize)),
    .fixed(.keyValueHeadCount, .same(.headCount)),
    .fixed(.latentNormEpsilon, .same(.normEpsilon)),
    .fixed(.sharedExpertSize, .product(.sharedExpertCount, .expertSize)),
    // 0.1 of the scale over all sizes; the other scale is taken for the same.
    .key(.ropeLogMultiplier, "rope.scaling.yarn_log_multiplier", or: .absent),
    .fixed(.ropeMScaleAllSizes, .scaled(10, .ropeLogMultiplier)),
    .fixed(.ropeMScale, .same(.ropeMScaleAllSizes)),
  ]
}

extension [ParameterRule] {
  /// transformers asks for it; here every head has its keys.
  fileprivate static let configDeepSeek: [ParameterRule] = [
    .key(.keyValueHeadCount, "num_key_value_heads", or: .same(.headCount))
  ]
}

extension [Requirement] {
  fileprivate static let deepSeek = [Requirement("moe_layer_freq", 1)]
}

extension [String] {
  fileprivate static let deepSeek = [
    "num_key_value_heads", "head_dim", "qk_head_dim", "ep_size", "aux_loss_alpha", "seq_aux", "pretraining_tp",
    "num_nextn_predict_layers",
  ]
}

extension [TensorRule] {
  fileprivate static let deepSeek: [TensorRule] = .joined(
    llamaEnds, llamaNorms, llamaFeedForward, qwenExperts, .linear(.query, "model.layers.{layer}.self_attn.q_proj"),
    .linear(.queryDown, "model.layers.{layer}.self_attn.q_a_proj", bias: .when(.attentionBias)),
    .norm(.queryDownNorm, "model.layers.{layer}.self_attn.q_a_layernorm"),
    .linear(.queryUp, "model.layers.{layer}.self_attn.q_b_proj"),
    .linear(.keyValueDown, "model.layers.{layer}.self_attn.kv_a_proj_with_mqa", bias: .when(.attentionBias)),
    .norm(.keyValueDownNorm, "model.layers.{layer}.self_attn.kv_a_layernorm"),
    .linear(.keyValueUp, "model.layers.{layer}.self_attn.kv_b_proj"),
    .linear(.attentionOutput, "model.layers.{layer}.self_attn.o_proj", bias: .when(.attentionBias)),
    .linear(.sharedExpertGate, "model.layers.{layer}.mlp.shared_experts.gate_proj"),
    .linear(.sharedExpertUp, "model.layers.{layer}.mlp.shared_experts.up_proj"),
    .linear(.sharedExpertDown, "model.layers.{layer}.mlp.shared_experts.down_proj"))

  fileprivate static let ggufDeepSeek = [
    TensorRule(
      .keyValueUp, "blk.{layer}.attn_k_b.weight", form: .latentHeads(values: "blk.{layer}.attn_v_b.weight"))
  ]
}

extension [GGUFKey] {
  /// llama.cpp attends to the shared vector: one key head of both its parts.
  fileprivate static func deepSeek(gatingFunction: UInt32) -> [GGUFKey] {
    .joined(
      sizes, [.fixed("attention.head_count_kv", .uint32(1))], rotaryScaling, rotaryBase, rmsNorm, experts,
      sharedLatent(gatingFunction: gatingFunction), fileType,
      [.size("leading_dense_block_count", .firstExpertLayer)], vocabulary,
      [
        .size("attention.q_lora_rank", .queryRank), .size("attention.kv_lora_rank", .keyValueRank),
        .size("attention.key_length_mla", .headSize), .size("attention.value_length_mla", .valueHeadSize),
      ], expertSize,
      [
        .size("expert_shared_count", .sharedExpertCount), .number("expert_weights_scale", .expertWeightScale),
        .flag("expert_weights_norm", .normalizesExpertWeights), .size("rope.dimension_count", .rotaryHeadSize),
        .number("rope.scaling.yarn_log_multiplier") { model in
          model.parameters[.ropeMScaleAllSizes]?.number.map { Float(0.1 * $0) }
        },
      ])
  }

  private static func sharedLatent(gatingFunction: UInt32) -> [GGUFKey] {
    [
      .size("expert_group_count", .expertGroupCount), .size("expert_group_used_count", .expertGroupsPerToken),
      .fixed("expert_gating_func", .uint32(gatingFunction)),
      .size("attention.key_length") { $0.layers[0].attention.latent.map { $0.keyValueRank + $0.rotarySize } },
      .size("attention.value_length", .keyValueRank),
    ]
  }
}
