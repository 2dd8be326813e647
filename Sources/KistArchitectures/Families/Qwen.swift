extension Architecture {
  /// Source: transformers 5.23, modeling_qwen2.py.
  static let qwen2 = Architecture(
    name: "qwen2", classNames: ["Qwen2ForCausalLM", "Qwen2Model"], modelTypes: ["qwen2"],
    gguf: GGUFForm(
      "qwen2", vocabulary: .pieces(orMerges: "qwen2"), keys: .modern + .statedHeadSizes + .fileType + [.pooling]),
    parameters: .modern + .rotary() + .qwenWindow,
    attention: Attention(windowLayers: .qwen),
    optionalPrefixes: ["model."],
    tensors: .joined(
      .llamaEnds, .llamaNorms, .llamaAttention(bias: .always, outputBias: .some(nil)), .llamaFeedForward),
    ignoredTensors: ["*.rotary_emb.inv_freq"])

  /// Source: transformers 5.23, modeling_qwen3.py.
  static let qwen3 = Architecture(
    name: "qwen3", classNames: ["Qwen3ForCausalLM", "Qwen3Model"], modelTypes: ["qwen3"],
    gguf: GGUFForm(
      "qwen3", vocabulary: .pieces(orMerges: "qwen2"), keys: .modern + .headSizes + .fileType + [.pooling],
      parameters: .ggufBias),
    parameters: .joined(.modern, .rotary(), .qwenWindow, .qwen3),
    attention: Attention(windowLayers: .qwen, queryKeyNorm: .always(.head)),
    optionalPrefixes: ["model."],
    tensors: .llama + .queryKeyNorms)
}

extension [TensorRule] {
  static let queryKeyNorms: [TensorRule] =
    .norm(.queryNorm, "model.layers.{layer}.self_attn.q_norm")
    + .norm(.keyNorm, "model.layers.{layer}.self_attn.k_norm")
}

extension [ParameterRule] {
  static let qwenWindow: [ParameterRule] =
    layerTypes + [
      .key(.usesWindow, "use_sliding_window", or: .value(false)),
      .key(.window, "sliding_window", or: .value(4096), null: .absent),
      .key(.firstWindowLayer, "max_window_layers", or: .value(28)),
      // transformers' default of 32 is of one model.
      .key(.keyValueHeadCount, "num_key_value_heads", null: .same(.headCount)),
    ]

  static let qwen3: [ParameterRule] = [
    .key(.headSize, "head_dim", or: .value(128)),
    .key(.attentionBias, "attention_bias", or: .value(false)),
  ]
}

extension LayerSelection {
  static let qwen = LayerSelection.when(.usesWindow, .typed("sliding_attention", otherwise: .from(.firstWindowLayer)))
}
