extension Architecture {
  /// Source: transformers 5.23, modeling_smollm3.py.
  static let smolLM3 = Architecture(
    name: "smollm3", classNames: ["SmolLM3ForCausalLM", "SmolLM3Model"], modelTypes: ["smollm3"],
    gguf: GGUFForm(
      "smollm3", vocabulary: .pieces(orMerges: "smaug-bpe", space: .asConfigured), keys: .llama(.statedHeadSizes),
      parameters: .ggufBias,
      tensors: .ggufNeighbouringPairs(bias: .when(.attentionBias))),
    parameters: .joined(
      .modern, .rotary(base: 2_000_000), .layerTypes,
      [
        .key(.keyValueHeadCount, "num_key_value_heads", or: .value(4), null: .same(.headCount)),
        .key(.tiesEmbeddings, "tie_word_embeddings", or: .value(true)),
        .key(.attentionBias, "attention_bias", or: .value(false)),
        .key(.feedForwardBias, "mlp_bias", or: .value(false)),
        .key(.rotaryLayers, "no_rope_layers", or: .absent),
        .key(.rotaryLayerInterval, "no_rope_layer_interval", or: .value(4)),
        .key(.usesWindow, "use_sliding_window", or: .value(false)),
        .key(.window, "sliding_window", or: .absent),
      ]),
    ignoredKeys: ["pretraining_tp", "max_window_layers"],
    attention: Attention(
      rotaryLayers: .smolLM3,
      windowLayers: .when(.usesWindow, .typed("sliding_attention", otherwise: .others(.smolLM3)))),
    optionalPrefixes: ["model."],
    tensors: .llama)
}

extension LayerSelection {
  /// `no_rope_layers` has a 1 for each layer that is rotated.
  fileprivate static let smolLM3 = LayerSelection.flagged(
    .rotaryLayers, otherwise: .notEveryNth(.rotaryLayerInterval))
}
