extension Architecture {
  /// Source: transformers 5.23, modeling_gemma.py.
  static let gemma = Architecture(
    name: "gemma", classNames: ["GemmaForCausalLM", "GemmaModel"], modelTypes: ["gemma"],
    gguf: GGUFForm("gemma", vocabulary: .pieces(space: .never, tokens: .codeGemma), keys: .gemma),
    parameters: .joined(
      .modern, .rotary(), .gemma,
      [
        // The first releases wrote gelu and meant its approximation.
        .key(
          .activation, "hidden_act", or: .value("gelu_pytorch_tanh"), words: ["gelu": "gelu_pytorch_tanh"])
      ]),
    requirements: .gemma + [Requirement("hidden_activation", "gelu_pytorch_tanh")],
    embedding: Embedding(scalesBySquareRootOfWidth: true),
    optionalPrefixes: ["model."],
    tensors: .joined(
      .gemmaEnds, .gemmaNorm(.attentionNorm, "input_layernorm"),
      .gemmaNorm(.feedForwardNorm, "post_attention_layernorm"), .llamaAttention(bias: .when(.attentionBias)),
      .llamaFeedForward))

  /// Source: transformers 5.23, modeling_gemma2.py.
  static let gemma2 = Architecture(
    name: "gemma2", classNames: ["Gemma2ForCausalLM", "Gemma2Model"], modelTypes: ["gemma2"],
    gguf: GGUFForm(
      "gemma2", vocabulary: .pieces(space: .never), keys: .gemma + .gemma2, parameters: .ggufGemma),
    parameters: .joined(
      .modern, .rotary(), .layerTypes, .gemma, .gemma2,
      [
        .key(.attentionSoftCap, "attn_logit_softcapping", or: .value(50.0), null: .absent),
        .key(.logitSoftCap, "final_logit_softcapping", or: .value(30.0), null: .absent),
      ]),
    requirements: .gemma, ignoredKeys: ["hidden_act", "sliding_window_size"],
    embedding: Embedding(scalesBySquareRootOfWidth: true),
    residual: .always(.sandwich),
    attention: Attention(
      windowLayers: .typed("sliding_attention", otherwise: .even), scale: .always(.inverseSquareRoot(.queryScalar))),
    optionalPrefixes: ["model."],
    tensors: .gemma2)

  /// Source: transformers 5.23, modeling_gemma3.py.
  static let gemma3 = Architecture(
    name: "gemma3", classNames: ["Gemma3ForCausalLM", "Gemma3TextModel"], modelTypes: ["gemma3_text"],
    gguf: GGUFForm(
      "gemma3", vocabulary: .pieces(space: .never),
      keys: .joined(
        .sizes, .keyValueHeads, .rotaryScaling, .rotaryBase, [.number("rope.freq_base_swa", .localRopeBase)], .rmsNorm,
        .headSizes, .fileType, .gemma2),
      parameters: .ggufGemma),
    parameters: .joined(
      .modern, .rotary(base: 1_000_000, at: ["rope_scaling", "rope_parameters.full_attention"]), .layerTypes, .gemma,
      .gemma2,
      [
        // What the files of its larger sizes leave out.
        .key(.vocabularySize, "vocab_size", or: .value(262208)), .key(.width, "hidden_size", or: .value(2304)),
        .key(.headCount, "num_attention_heads", or: .value(8)),
        .key(.feedForwardSize, "intermediate_size", or: .value(9216)),
        .key(.layerCount, "num_hidden_layers", or: .value(26)),
        .key(.contextLength, "max_position_embeddings", or: .value(131_072)),
        .key(.attentionSoftCap, "attn_logit_softcapping", or: .absent),
        .key(.logitSoftCap, "final_logit_softcapping", or: .absent),
        .key(.windowPattern, "sliding_window_pattern", "_sliding_window_pattern", or: .value(6)),
        .key(
          .localRopeBase, "rope_parameters.sliding_attention.rope_theta", "rope_local_base_freq", or: .value(10000.0)),
      ]),
    requirements: .gemma + [Requirement("rope_parameters.sliding_attention.rope_type", "default")],
    ignoredKeys: ["hidden_act"],
    embedding: Embedding(scalesBySquareRootOfWidth: true),
    residual: .always(.sandwich),
    attention: Attention(
      windowLayers: .gemma3, localRotaryLayers: .gemma3, queryKeyNorm: .always(.head),
      scale: .always(.inverseSquareRoot(.queryScalar))),
    optionalPrefixes: ["model."],
    tensors: .gemma2 + .gemmaNorm(.queryNorm, "self_attn.q_norm") + .gemmaNorm(.keyNorm, "self_attn.k_norm"))
}

extension [ParameterRule] {
  fileprivate static let gemma: [ParameterRule] = [
    .key(.headSize, "head_dim", or: .value(256)),
    .key(.attentionBias, "attention_bias", or: .value(false)),
    .key(.tiesEmbeddings, "tie_word_embeddings", or: .value(true)),
  ]

  fileprivate static let gemma2: [ParameterRule] = [
    .key(.keyValueHeadCount, "num_key_value_heads", or: .value(4)),
    .key(.activation, "hidden_activation", or: .value("gelu_pytorch_tanh")),
    .key(.queryScalar, "query_pre_attn_scalar", or: .value(256)),
    .key(.window, "sliding_window", or: .value(4096), null: .absent),
  ]
}

extension [ParameterRule] {
  /// llama.cpp scales by the head's size; only for 27B models another number counts, which no key says.
  fileprivate static let ggufGemma: [ParameterRule] = [.fixed(.queryScalar, .same(.headSize))]
}

extension [Requirement] {
  fileprivate static let gemma = [Requirement("use_bidirectional_attention", false)]
}

extension LayerSelection {
  fileprivate static let gemma3 = LayerSelection.typed("sliding_attention", otherwise: .notEveryNth(.windowPattern))
}

extension [TensorRule] {
  fileprivate static let gemmaEnds: [TensorRule] =
    [.init(.tokenEmbedding, "model.embed_tokens.weight"), .init(.head, "lm_head.weight")]
    + .norm(.finalNorm, "model.norm", form: .oneBelow)

  fileprivate static func gemmaNorm(_ role: TensorRole, _ name: String) -> [TensorRule] {
    .norm(role, "model.layers.{layer}." + name, form: .oneBelow)
  }

  fileprivate static let gemma2: [TensorRule] = .joined(
    gemmaEnds, gemmaNorm(.attentionNorm, "input_layernorm"), gemmaNorm(.attentionPostNorm, "post_attention_layernorm"),
    gemmaNorm(.feedForwardNorm, "pre_feedforward_layernorm"),
    gemmaNorm(.feedForwardPostNorm, "post_feedforward_layernorm"), llamaAttention(bias: .when(.attentionBias)),
    llamaFeedForward)
}

extension [GGUFKey] {
  fileprivate static let gemma: [GGUFKey] = .joined(
    sizes(
      inOrder: [
        "context_length", "embedding_length", "block_count", "feed_forward_length", "attention.head_count",
      ]), keyValueHeads, rmsNorm, headSizes, fileType, unusualRotaryBase)

  fileprivate static let gemma2: [GGUFKey] =
    [.number("attn_logit_softcapping", .attentionSoftCap), .number("final_logit_softcapping", .logitSoftCap)] + window
}

extension [(key: String, id: UInt32)] {
  /// CodeGemma's, which the converter gives all.
  fileprivate static let codeGemma: [(key: String, id: UInt32)] = [
    ("prefix_token_id", 67), ("suffix_token_id", 69), ("middle_token_id", 68), ("fsep_token_id", 70),
    ("eot_token_id", 107),
  ]
}
