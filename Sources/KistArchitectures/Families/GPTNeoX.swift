extension Architecture {
  /// Pythia too. Source: transformers 5.23, modeling_gpt_neox.py.
  static let gptNeoX = Architecture(
    name: "gpt-neox", classNames: ["GPTNeoXForCausalLM", "GPTNeoXModel"], modelTypes: ["gpt_neox"],
    gguf: GGUFForm(
      "gptneox", vocabulary: .merges("olmo"),
      keys: .joined(
        .sizes(inOrder: ["context_length", "embedding_length", "block_count", "feed_forward_length"]), .rotarySize,
        .sizes(inOrder: ["attention.head_count"]), [.flag("use_parallel_residual", .isParallel)], .layerNorm,
        .unusualRotaryBase),
      parameters: [.key(.attentionBias, GGUFSource.has("blk.0.attn_qkv.bias"))],
      tensors: .ggufQueryKeyValue(bias: .when(.attentionBias)),
      configuration: [
        .key(.rotaryFraction, "rotary_pct", or: .ratio(.rotarySize, .headSize)),
        .key(.ropeBase, "rotary_emb_base", or: .same(.ropeBase)),
      ]),
    parameters: .modern + .rotary(fraction: 0.25) + [
      .fixed(.keyValueHeadCount, .same(.headCount)),
      .fixed(.headSize, .quotient(.width, .headCount)),
      .key(.activation, "hidden_act", or: .value("gelu")),
      .key(.normEpsilon, "layer_norm_eps", or: .value(1e-5)),
      .key(.isParallel, "use_parallel_residual", or: .value(true)),
      .key(.attentionBias, "attention_bias", or: .value(true)),
    ],
    norm: .always(.layer),
    residual: .when(.isParallel, .always(.parallelTwoNorms), otherwise: .always(.preNorm)),
    feedForward: FeedForward(isGated: .always(false)),
    optionalPrefixes: ["gpt_neox."],
    tensors: .joined(
      [TensorRule(.tokenEmbedding, "gpt_neox.embed_in.weight"), TensorRule(.head, "embed_out.weight")],
      .norm(.attentionNorm, "gpt_neox.layers.{layer}.input_layernorm"),
      .queryKeyValueGroups("gpt_neox.layers.{layer}.attention.query_key_value", bias: .when(.attentionBias)),
      .linear(.attentionOutput, "gpt_neox.layers.{layer}.attention.dense", bias: .when(.attentionBias)),
      .norm(.feedForwardNorm, "gpt_neox.layers.{layer}.post_attention_layernorm"),
      .linear(.up, "gpt_neox.layers.{layer}.mlp.dense_h_to_4h", bias: .always),
      .linear(.down, "gpt_neox.layers.{layer}.mlp.dense_4h_to_h", bias: .always),
      .norm(.finalNorm, "gpt_neox.final_layer_norm")),
    ignoredTensors: ["*.attention.bias", "*.attention.masked_bias", "*.rotary_emb.inv_freq"])
}
