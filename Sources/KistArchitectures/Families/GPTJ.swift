extension Architecture {
  /// Source: transformers 5.23, modeling_gptj.py.
  static let gptJ = Architecture(
    name: "gpt-j", classNames: ["GPTJForCausalLM", "GPTJModel"], modelTypes: ["gptj"],
    parameters: .gpt + [
      .key(.contextLength, "n_positions", "max_position_embeddings", or: .value(2048)),
      .key(.tiesEmbeddings, "tie_word_embeddings", or: .value(false)),
      .key(.rotarySize, "rotary_dim", or: .value(64), null: .same(.headSize)),
      .fixed(.ropeBase, .value(10000.0)),
      .fixed(.ropeType, .value("default")),
    ],
    requirements: [Requirement("rotary", true), Requirement("scale_attn_weights", true)],
    ignoredKeys: ["n_ctx"],
    norm: .always(.layer), residual: .always(.parallel),
    attention: Attention(positions: .always(.rotary(.neighbours))),
    feedForward: FeedForward(isGated: .always(false)),
    optionalPrefixes: ["transformer."],
    tensors: .joined(
      [TensorRule(.tokenEmbedding, "transformer.wte.weight")],
      .norm(.attentionNorm, "transformer.h.{layer}.ln_1"),
      .linear(.query, "transformer.h.{layer}.attn.q_proj"),
      .linear(.key, "transformer.h.{layer}.attn.k_proj"),
      .linear(.value, "transformer.h.{layer}.attn.v_proj"),
      .linear(.attentionOutput, "transformer.h.{layer}.attn.out_proj"),
      .linear(.up, "transformer.h.{layer}.mlp.fc_in", bias: .always),
      .linear(.down, "transformer.h.{layer}.mlp.fc_out", bias: .always),
      .norm(.finalNorm, "transformer.ln_f"),
      .linear(.head, "lm_head", bias: .always)),
    ignoredTensors: ["*.attn.bias", "*.attn.masked_bias", "*.attn.embed_positions"])
}
