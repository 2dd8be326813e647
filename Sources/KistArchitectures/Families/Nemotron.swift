extension Architecture {
  /// Nemotron 3 and 4, Minitron. Source: transformers 5.23, modeling_nemotron.py.
  static let nemotron = Architecture(
    name: "nemotron", classNames: ["NemotronForCausalLM", "NemotronModel"], modelTypes: ["nemotron"],
    gguf: GGUFForm(
      "nemotron", vocabulary: .pieces(tokens: [("padding_token_id", 0), ("unknown_token_id", 1)]),
      keys: .joined(.modern, .headSizes, .fileType, .vocabulary, .layerNorm, .rotarySize, .noScaling),
      parameters: .ggufBias),
    parameters: .modern + .rotary(fraction: 0.5) + [
      .key(.activation, "hidden_act", or: .value("relu2")),
      .key(.normEpsilon, "norm_eps", or: .value(1e-5)),
      .key(.attentionBias, "attention_bias", or: .value(false)),
      .key(.feedForwardBias, "mlp_bias", or: .value(false)),
    ],
    norm: .always(.layer),
    feedForward: FeedForward(isGated: .always(false)),
    optionalPrefixes: ["model."],
    tensors: .joined(
      [TensorRule(.tokenEmbedding, "model.embed_tokens.weight"), TensorRule(.head, "lm_head.weight")],
      .norm(.attentionNorm, "model.layers.{layer}.input_layernorm", form: .oneBelow),
      .llamaAttention(bias: .when(.attentionBias)),
      .norm(.feedForwardNorm, "model.layers.{layer}.post_attention_layernorm", form: .oneBelow),
      .linear(.up, "model.layers.{layer}.mlp.up_proj", bias: .when(.feedForwardBias)),
      .linear(.down, "model.layers.{layer}.mlp.down_proj", bias: .when(.feedForwardBias)),
      .norm(.finalNorm, "model.norm", form: .oneBelow)))
}
