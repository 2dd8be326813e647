extension Architecture {
  /// Source: transformers 5.23, modeling_stablelm.py.
  static let stableLM = Architecture(
    name: "stablelm", classNames: ["StableLmForCausalLM", "StableLmModel"], modelTypes: ["stablelm"],
    gguf: GGUFForm(
      "stablelm", vocabulary: .merges("stablelm2"),
      keys: .joined(
        .sizes(inOrder: ["context_length", "embedding_length", "block_count", "feed_forward_length"]), .rotarySize,
        .sizes(inOrder: ["attention.head_count"]), .keyValueHeads, [.flag("use_parallel_residual", .isParallel)],
        .layerNorm, .fileType, .unusualRotaryBase)),
    parameters: .modern + .rotary(fraction: 0.25) + [
      .key(.keyValueHeadCount, "num_key_value_heads", or: .value(32), null: .same(.headCount)),
      .fixed(.headSize, .quotient(.width, .headCount)),
      .key(.normEpsilon, "layer_norm_eps", or: .value(1e-5)),
      .key(.queryKeyValueBias, "use_qkv_bias", or: .value(false)),
      .key(.isParallel, "use_parallel_residual", or: .value(false)),
      .key(.normalizesQueryKey, "qk_layernorm", or: .value(false)),
    ],
    norm: .always(.layer),
    residual: .when(.isParallel, .always(.parallel), otherwise: .always(.preNorm)),
    attention: Attention(
      queryKeyNorm: .when(.normalizesQueryKey, .always(.eachHead), otherwise: .always(.none)),
      queryKeyNormKind: .layerWithoutBias),
    optionalPrefixes: ["model."],
    tensors: .joined(
      .llamaEnds, .llamaNorms, .llamaAttention(bias: .when(.queryKeyValueBias), outputBias: .some(nil)),
      .llamaFeedForward, .norm(.queryNorm, "model.layers.{layer}.self_attn.q_layernorm.norms.{head}", form: .eachHead),
      .norm(.keyNorm, "model.layers.{layer}.self_attn.k_layernorm.norms.{head}", form: .eachHead)),
    ignoredTensors: ["*.rotary_emb.inv_freq"])
}
