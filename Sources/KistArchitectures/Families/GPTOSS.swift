extension Architecture {
  /// Source: transformers 5.23, modeling_gpt_oss.py.
  static let gptOSS = Architecture(
    name: "gpt-oss", classNames: ["GptOssForCausalLM", "GptOssModel"], modelTypes: ["gpt_oss"],
    gguf: GGUFForm(
      "gpt-oss", vocabulary: .merges("gpt-4o"),
      keys: .joined(.modern, .experts, .headSizes, .fileType, .window, .expertSize),
      parameters: .ggufBias + [.fixed(.isMXFP4, .value(false))],
      tensors: .norm(.feedForwardNorm, "blk.{layer}.post_attention_norm")),
    parameters: .joined(
      .modern, .rotary(base: 150_000), .layerTypes,
      [
        .key(.keyValueHeadCount, "num_key_value_heads", or: .value(8), null: .same(.headCount)),
        .key(.headSize, "head_dim", or: .value(64), null: .quotient(.width, .headCount)),
        .key(.normEpsilon, "rms_norm_eps", or: .value(1e-5)),
        .key(.window, "sliding_window", or: .value(128), null: .absent),
        .key(.attentionBias, "attention_bias", or: .value(true)),
        .key(.expertCount, "num_local_experts", "num_experts"),
        .key(.expertsPerToken, "num_experts_per_tok", or: .value(4)),
        .key(.swishLimit, "swiglu_limit", or: .value(7.0)),
        .key(.quantization, "quantization_config.quant_method", or: .absent),
        .fixed(.isMXFP4, .equals(.quantization, "mxfp4")),
      ]),
    requirements: [
      Requirement("hidden_act", "silu"), Requirement("swiglu_alpha", 1.702),
      Requirement("quantization_config.quant_method", "mxfp4"),
    ],
    ignoredKeys: ["experts_per_token", "initial_context_length", "quantization_config.modules_to_not_convert"],
    attention: Attention(windowLayers: .typed("sliding_attention", otherwise: .even), hasSinks: true),
    feedForward: FeedForward(
      expertLayers: .all, routing: .init(scoring: .always(.softmaxOfBest), hasBias: true), isClampedSwish: true),
    optionalPrefixes: ["model."],
    tensors: .joined(
      .llamaEnds, .llamaNorms, .llamaAttention(bias: .when(.attentionBias)),
      [
        TensorRule(.attentionSinks, "model.layers.{layer}.self_attn.sinks")
      ], .linear(.router, "model.layers.{layer}.mlp.router", bias: .always),
      .gptOSSExperts([.expertGate, .expertUp], "model.layers.{layer}.mlp.experts.gate_up_proj"),
      .gptOSSExperts([.expertDown], "model.layers.{layer}.mlp.experts.down_proj")))
}

extension [TensorRule] {
  /// Experts' matrices as numbers or as MXFP4.
  fileprivate static func gptOSSExperts(_ roles: [TensorRole], _ name: String) -> [TensorRule] {
    roles.flatMap { role in
      [
        TensorRule(role, name, form: .stackedTransposed(roles), presence: .unless(.isMXFP4)),
        TensorRule(
          role, name + "_blocks", form: .stackedBlocks(roles, scales: name + "_scales"), presence: .when(.isMXFP4)),
        TensorRule(role, name + "_bias", part: .bias, form: .stackedInTurn(roles)),
      ]
    }
  }
}
