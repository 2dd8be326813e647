extension Architecture {
  /// Command R. Source: transformers 5.23, modeling_cohere.py.
  static let cohere = Architecture(
    name: "cohere", classNames: ["CohereForCausalLM", "CohereModel"], modelTypes: ["cohere"],
    gguf: GGUFForm(
      "command-r", vocabulary: .merges("command-r"),
      keys: .joined(
        .sizes, .keyValueHeads, .rotaryBase, .layerNorm, .fileType, [.number("logit_scale", .logitScale)], .noScaling),
      parameters: .ggufBias),
    parameters: .joined(
      .modern, .rotary(base: 500_000), .cohere,
      [
        .key(.normalizesQueryKey, "use_qk_norm", or: .value(false))
      ]),
    ignoredKeys: ["pretraining_tp", "model_max_length"],
    norm: .always(.layerWithoutBias), residual: .always(.parallel),
    attention: Attention(
      positions: .always(.rotary(.neighbours)),
      queryKeyNorm: .when(.normalizesQueryKey, .always(.eachHead), otherwise: .always(.none))),
    optionalPrefixes: ["model."],
    tensors: .llama + .queryKeyNorms)

  /// Command R7B and A. Source: transformers 5.23, modeling_cohere2.py.
  static let cohere2 = Architecture(
    name: "cohere2", classNames: ["Cohere2ForCausalLM", "Cohere2Model"], modelTypes: ["cohere2"],
    gguf: GGUFForm(
      "cohere2", vocabulary: .merges("command-r"),
      keys: .joined(
        .sizes, .keyValueHeads, .rotaryBase, .layerNorm, .headSizes, .fileType, [.number("logit_scale", .logitScale)],
        .window, .vocabulary, .rotarySize, .noScaling), parameters: .ggufBias),
    parameters: .joined(
      .modern, .rotary(), .layerTypes, .cohere,
      [
        .key(.window, "sliding_window", or: .value(4096)),
        .key(.windowPattern, "sliding_window_pattern", or: .value(4)),
      ]),
    requirements: [
      Requirement("use_qk_norm", false), Requirement("use_gated_activation", true),
      Requirement("use_parallel_block", true), Requirement("position_embedding_type", "rope_gptj"),
      Requirement("order_of_interleaved_layers", "local_attn_first"), Requirement("layer_norm_type", "layer_norm"),
      Requirement("rotary_pct", 1.0, 1),
    ],
    ignoredKeys: ["head_dim", "use_embedding_sharing", "use_parallel_embedding", "layer_switch", "model_max_length"],
    norm: .always(.layerWithoutBias), residual: .always(.parallel),
    attention: Attention(
      positions: .always(.rotary(.neighbours)), rotaryLayers: .cohere2, windowLayers: .cohere2),
    optionalPrefixes: ["model."],
    tensors: .llama)
}

extension [ParameterRule] {
  fileprivate static let cohere: [ParameterRule] = [
    .fixed(.headSize, .quotient(.width, .headCount)),
    .key(.normEpsilon, "layer_norm_eps", or: .value(1e-5)),
    .key(.logitScale, "logit_scale", or: .value(0.0625)),
    .key(.tiesEmbeddings, "tie_word_embeddings", or: .value(true)),
    .key(.attentionBias, "attention_bias", or: .value(false)),
  ]
}

extension LayerSelection {
  fileprivate static let cohere2 = LayerSelection.typed("sliding_attention", otherwise: .notEveryNth(.windowPattern))
}
