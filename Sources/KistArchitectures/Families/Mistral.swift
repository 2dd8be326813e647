extension Architecture {
  /// Source: transformers 5.23, modeling_mistral.py.
  static let mistral = Architecture(
    name: "mistral", classNames: ["MistralForCausalLM", "MistralModel"], modelTypes: ["mistral"],
    gguf: GGUFForm(
      "llama", vocabulary: .pieces(orMerges: "tekken", space: .asConfigured), keys: .llama(.headSizes),
      tensors: .ggufNeighbouringPairs(), factors: .llama3 + .longrope),
    parameters: .joined(
      .modern, .rotary(), .mistral,
      [
        .key(.window, "sliding_window", or: .value(4096), null: .absent)
      ]),
    attention: Attention(windowLayers: .all),
    optionalPrefixes: ["model."],
    tensors: .joined(.llamaEnds, .llamaNorms, .llamaAttention(bias: nil), .llamaFeedForward),
    ignoredTensors: ["*.rotary_emb.inv_freq"])

  /// Source: transformers 5.23, modeling_mixtral.py.
  static let mixtral = Architecture(
    name: "mixtral", classNames: ["MixtralForCausalLM", "MixtralModel"], modelTypes: ["mixtral"],
    gguf: GGUFForm(
      "llama", vocabulary: .pieces(orMerges: "tekken", space: .asConfigured), mark: .has("expert_count"),
      keys: .llama(.experts + .statedHeadSizes), tensors: .ggufNeighbouringPairs(),
      factors: .llama3 + .longrope),
    parameters: .joined(
      .modern, .rotary(base: 1_000_000), .mistral,
      [
        .key(.window, "sliding_window", or: .absent),
        .key(.normEpsilon, "rms_norm_eps", or: .value(1e-5)),
        .key(.expertCount, "num_local_experts", "num_experts", or: .value(8)),
        .key(.expertsPerToken, "num_experts_per_tok", or: .value(2)),
        .fixed(.normalizesExpertWeights, .value(true)),
      ]),
    attention: Attention(windowLayers: .all),
    feedForward: FeedForward(expertLayers: .all),
    optionalPrefixes: ["model."],
    tensors: .joined(
      .llamaEnds, .llamaNorms, .llamaAttention(bias: nil),
      .linear(.router, "model.layers.{layer}.block_sparse_moe.gate"),
      .linear(.expertGate, "model.layers.{layer}.block_sparse_moe.experts.{expert}.w1"),
      .linear(.expertUp, "model.layers.{layer}.block_sparse_moe.experts.{expert}.w3"),
      .linear(.expertDown, "model.layers.{layer}.block_sparse_moe.experts.{expert}.w2")))
}

extension [ParameterRule] {
  fileprivate static let mistral: [ParameterRule] = [
    .key(.keyValueHeadCount, "num_key_value_heads", or: .value(8), null: .same(.headCount))
  ]
}
