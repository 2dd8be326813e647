extension Architecture {
  /// Source: transformers 5.23, modeling_olmo.py.
  static let olmo = Architecture(
    name: "olmo", classNames: ["OlmoForCausalLM", "OlmoModel"], modelTypes: ["olmo"],
    gguf: GGUFForm(
      "olmo", vocabulary: .merges("olmo"),
      keys: .joined(
        .sizes, .keyValueHeads, .rotaryBase, .statedHeadSizes, .fileType, .layerNorm,
        [
          .number("attention.clamp_kqv", .clipsQueryKeyValue)
        ]),
      parameters: .ggufBias, tensors: .ggufNeighbouringPairs(bias: .when(.attentionBias))),
    parameters: .modern + .rotary() + [
      .fixed(.normEpsilon, .value(1e-5)),
      .key(.clipsQueryKeyValue, "clip_qkv", or: .absent),
      .key(.attentionBias, "attention_bias", or: .value(false)),
    ],
    norm: .always(.layerWithoutWeight),
    optionalPrefixes: ["model."],
    tensors: .llama,
    ignoredTensors: ["*.rotary_emb.inv_freq"])

  /// Source: transformers 5.23, modeling_olmo2.py.
  static let olmo2 = Architecture(
    name: "olmo2", classNames: ["Olmo2ForCausalLM", "Olmo2Model"], modelTypes: ["olmo2"],
    gguf: GGUFForm(
      "olmo2", vocabulary: .merges("dbrx"), keys: .modern + .statedHeadSizes + .fileType, parameters: .ggufBias),
    parameters: .modern + .rotary() + [
      .key(.normEpsilon, "rms_norm_eps", or: .value(1e-5)),
      .key(.attentionBias, "attention_bias", or: .value(false)),
    ],
    residual: .always(.branchNorm),
    attention: Attention(queryKeyNorm: .always(.whole)),
    optionalPrefixes: ["model."],
    tensors: .joined(
      .llamaEnds, .llamaAttention(bias: .when(.attentionBias)), .llamaFeedForward, .queryKeyNorms,
      .norm(.attentionPostNorm, "model.layers.{layer}.post_attention_layernorm"),
      .norm(.feedForwardPostNorm, "model.layers.{layer}.post_feedforward_layernorm")))
}
