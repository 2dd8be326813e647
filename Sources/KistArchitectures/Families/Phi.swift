extension Architecture {
  /// Phi 1, 1.5 and 2. Source: transformers 5.23, modeling_phi.py.
  static let phi = Architecture(
    name: "phi", classNames: ["PhiForCausalLM", "PhiModel"], modelTypes: ["phi"],
    gguf: GGUFForm(
      "phi2", vocabulary: .merges("phi-2"),
      keys: .joined(
        .sizesOfPhi, .keyValueHeads, .layerNorm, .rotarySize, .fileType, .unusualRotaryBase),
      // The converter writes four times the width, whatever the size.
      parameters: [.key(.feedForwardSize, GGUFSource.rows("blk.0.ffn_up.weight"))]),
    parameters: .modern + .rotary(fraction: 0.5) + [
      .fixed(.headSize, .quotient(.width, .headCount)),
      .key(.activation, "hidden_act", or: .value("gelu_new")),
      .key(.normEpsilon, "layer_norm_eps", or: .value(1e-5)),
      .key(.normalizesQueryKey, "qk_layernorm", or: .value(false)),
    ],
    norm: .always(.layer), residual: .always(.parallel),
    attention: Attention(queryKeyNorm: .when(.normalizesQueryKey, .always(.head), otherwise: .always(.none))),
    feedForward: FeedForward(isGated: .always(false)),
    optionalPrefixes: ["model."],
    tensors: .joined(
      [TensorRule(.tokenEmbedding, "model.embed_tokens.weight")],
      .norm(.attentionNorm, "model.layers.{layer}.input_layernorm"),
      .linear(.query, "model.layers.{layer}.self_attn.q_proj", bias: .always),
      .linear(.key, "model.layers.{layer}.self_attn.k_proj", bias: .always),
      .linear(.value, "model.layers.{layer}.self_attn.v_proj", bias: .always),
      .linear(.attentionOutput, "model.layers.{layer}.self_attn.dense", bias: .always),
      .norm(.queryNorm, "model.layers.{layer}.self_attn.q_layernorm"),
      .norm(.keyNorm, "model.layers.{layer}.self_attn.k_layernorm"),
      .linear(.up, "model.layers.{layer}.mlp.fc1", bias: .always),
      .linear(.down, "model.layers.{layer}.mlp.fc2", bias: .always),
      .norm(.finalNorm, "model.final_layernorm"),
      .linear(.head, "lm_head", bias: .always)),
    ignoredTensors: ["*.rotary_emb.inv_freq"])

  /// Phi 3, 3.5 and 4. Source: transformers 5.23, modeling_phi3.py.
  static let phi3 = Architecture(
    name: "phi3", classNames: ["Phi3ForCausalLM", "Phi3Model"], modelTypes: ["phi3"],
    gguf: GGUFForm(
      "phi3", vocabulary: .pieces(orMerges: "dbrx"),
      keys: .joined(.phi3, .keyValueHeads, .rmsNorm, .rotarySize, .rotaryBase, .fileType, .window),
      tensors: .ggufQueryKeyValue() + .linear(.gate, "blk.{layer}.ffn_up", form: .rows([.gate, .up]))
        + .linear(.up, "blk.{layer}.ffn_up", form: .rows([.gate, .up])), factors: .longrope),
    parameters: .modern + .rotary(fraction: 1) + [
      .key(.normEpsilon, "rms_norm_eps", or: .value(1e-5)),
      .key(.contextLength, "max_position_embeddings", or: .value(4096)),
      .key(.window, "sliding_window", or: .absent),
    ],
    ignoredKeys: ["attention_bias"],
    attention: Attention(windowLayers: .all),
    optionalPrefixes: ["model."],
    tensors: .joined(
      .llamaEnds, .llamaNorms,
      .linear(.query, "model.layers.{layer}.self_attn.qkv_proj", form: .rows([.query, .key, .value])),
      .linear(.key, "model.layers.{layer}.self_attn.qkv_proj", form: .rows([.query, .key, .value])),
      .linear(.value, "model.layers.{layer}.self_attn.qkv_proj", form: .rows([.query, .key, .value])),
      .linear(.attentionOutput, "model.layers.{layer}.self_attn.o_proj"),
      .linear(.gate, "model.layers.{layer}.mlp.gate_up_proj", form: .rows([.gate, .up])),
      .linear(.up, "model.layers.{layer}.mlp.gate_up_proj", form: .rows([.gate, .up])),
      .linear(.down, "model.layers.{layer}.mlp.down_proj")),
    ignoredTensors: ["*.rotary_emb.inv_freq"])
}

extension [GGUFKey] {
  /// The converter takes four times the width for the feed-forward's size.
  fileprivate static let sizesOfPhi = sizes(
    inOrder: ["context_length", "embedding_length", "feed_forward_length", "block_count", "attention.head_count"],
    replaced: [.size("feed_forward_length") { 4 * $0.width }])
}

extension [GGUFKey] {
  fileprivate static let phi3 = sizes(
    inOrder: [
      "rope.scaling.attn_factor", "general", "context_length", "rope.scaling.original_context_length",
      "embedding_length",
      "feed_forward_length", "block_count", "attention.head_count",
    ],
    replaced: [
      .general, .size("rope.scaling.original_context_length", .ropeOriginalContext),
      .number("rope.scaling.attn_factor") { model in
        guard let rotary = model.layers[0].attention.rotary, rotary.scaling != .none else { return nil }
        return rotary.attentionFactor
      },
    ])
}
