extension Architecture {
  /// Source: transformers 5.23, modeling_starcoder2.py.
  static let starCoder2 = Architecture(
    name: "starcoder2", classNames: ["Starcoder2ForCausalLM", "Starcoder2Model"], modelTypes: ["starcoder2"],
    gguf: GGUFForm(
      "starcoder2", vocabulary: .merges("starcoder"),
      keys: .joined(.sizes, .keyValueHeads, .rotaryBase, .layerNorm, .statedHeadSizes, .fileType),
      parameters: .ggufBias),
    parameters: .modern + .rotary() + [
      .key(.keyValueHeadCount, "num_key_value_heads", or: .value(2), null: .same(.headCount)),
      .key(.activation, "hidden_act", or: .value("gelu_pytorch_tanh")),
      .key(.normEpsilon, "norm_epsilon", or: .value(1e-5)),
      .key(.window, "sliding_window", or: .absent),
      .key(.tiesEmbeddings, "tie_word_embeddings", or: .value(true)),
      .key(.attentionBias, "use_bias", or: .value(true)),
    ],
    requirements: [Requirement("norm_type", "layer_norm"), Requirement("mlp_type", "default")],
    norm: .always(.layer),
    attention: Attention(windowLayers: .all),
    feedForward: FeedForward(isGated: .always(false)),
    optionalPrefixes: ["model."],
    tensors: .joined(
      .llamaEnds, .llamaNorms, .llamaAttention(bias: .when(.attentionBias)),
      .linear(.up, "model.layers.{layer}.mlp.c_fc", bias: .when(.attentionBias)),
      .linear(.down, "model.layers.{layer}.mlp.c_proj", bias: .when(.attentionBias))))
}
