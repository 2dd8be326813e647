extension Architecture {
  /// 7B, 40B, 11B and RW. Source: transformers 5.23, modeling_falcon.py.
  static let falcon = Architecture(
    name: "falcon", classNames: ["FalconForCausalLM", "FalconModel", "RWForCausalLM"],
    modelTypes: ["falcon", "RefinedWeb", "RefinedWebModel"],
    gguf: GGUFForm(
      "falcon", vocabulary: .merges("falcon"),
      keys: .joined(.sizesOfFalcon, .keyValueHeads, .layerNorm, .fileType, .unusualRotaryBase),
      parameters: [
        .key(.keyValueHeadCount, "attention.head_count_kv", or: .same(.headCount)),
        .key(.hasTwoNorms, GGUFSource.has("blk.0.attn_norm_2.weight")),
        // The converter writes four times the width, whatever the size.
        .key(.feedForwardSize, GGUFSource.rows("blk.0.ffn_up.weight")),
      ],
      tensors: .joined(
        .ggufQueryKeyValue(bias: .when(.attentionBias)),
        .norm(.attentionNorm, "blk.{layer}.attn_norm_2", presence: .when(.hasTwoNorms)),
        .norm(.attentionNorm, "blk.{layer}.attn_norm", presence: .unless(.hasTwoNorms)),
        .norm(.feedForwardNorm, "blk.{layer}.attn_norm", presence: .when(.hasTwoNorms))),
      // The new architecture's words say the old one too.
      configuration: [
        .fixed(.isNewDecoder, .value(true)), .fixed(.sharedHeadCount, .same(.keyValueHeadCount)),
        .fixed(.parallelNormCount, .when(.hasTwoNorms, .value(2), otherwise: .value(1))),
      ]),
    parameters: .rotary() + [
      .key(.vocabularySize, "vocab_size"),
      .key(.width, "n_embed", "hidden_size"),
      .key(.layerCount, "num_hidden_layers", "n_layer"),
      .key(.headCount, "num_attention_heads", "n_head"),
      .key(.isNewDecoder, "new_decoder_architecture", or: .value(false)),
      .key(.isMultiQuery, "multi_query", or: .value(true)),
      .key(.sharedHeadCount, "num_kv_heads", "n_head_kv", or: .same(.headCount)),
      // The number that the configuration says counts in the new architecture only; the old one has one head or all.
      .fixed(
        .keyValueHeadCount,
        .when(
          .isNewDecoder, .same(.sharedHeadCount),
          otherwise: .when(.isMultiQuery, .value(1), otherwise: .same(.headCount))
        )),
      .fixed(.headSize, .quotient(.width, .headCount)),
      .key(.feedForwardSize, "ffn_hidden_size", or: .multiple(4, .width)),
      .key(.contextLength, "max_position_embeddings", or: .value(2048)),
      .key(.activation, "activation", or: .value("gelu")),
      .key(.normEpsilon, "layer_norm_epsilon", or: .value(1e-5)),
      .key(.tiesEmbeddings, "tie_word_embeddings", or: .value(true)),
      .key(.usesALiBi, "alibi", or: .value(false)),
      .key(.isParallel, "parallel_attn", or: .value(true)),
      .key(.parallelNormCount, "num_ln_in_parallel_attn", or: .when(.isNewDecoder, .value(2), otherwise: .absent)),
      .fixed(.hasTwoNorms, .equals(.parallelNormCount, 2)),
      .key(.attentionBias, "bias", or: .value(false)),
    ],
    requirements: [Requirement("apply_residual_connection_post_layernorm", false)],
    norm: .always(.layer),
    residual: .when(
      .isParallel, .when(.hasTwoNorms, .always(.parallelTwoNorms), otherwise: .always(.parallel)),
      otherwise: .always(.preNorm)),
    attention: Attention(
      positions: .when(.usesALiBi, .always(.roundedALiBi), otherwise: .always(.rotary(.halves)))),
    feedForward: FeedForward(isGated: .always(false)),
    optionalPrefixes: ["transformer."],
    tensors: .joined(
      [TensorRule(.tokenEmbedding, "transformer.word_embeddings.weight"), TensorRule(.head, "lm_head.weight")],
      .norm(.attentionNorm, "transformer.h.{layer}.ln_attn", presence: .when(.hasTwoNorms)),
      .norm(.attentionNorm, "transformer.h.{layer}.input_layernorm", presence: .unless(.hasTwoNorms)),
      .queryKeyValueGroups("transformer.h.{layer}.self_attention.query_key_value", bias: .when(.attentionBias)),
      .linear(.attentionOutput, "transformer.h.{layer}.self_attention.dense", bias: .when(.attentionBias)),
      .norm(.feedForwardNorm, "transformer.h.{layer}.ln_mlp", presence: .when(.hasTwoNorms)),
      .norm(.feedForwardNorm, "transformer.h.{layer}.post_attention_layernorm", presence: .unless(.hasTwoNorms)),
      .linear(.up, "transformer.h.{layer}.mlp.dense_h_to_4h", bias: .when(.attentionBias)),
      .linear(.down, "transformer.h.{layer}.mlp.dense_4h_to_h", bias: .when(.attentionBias)),
      .norm(.finalNorm, "transformer.ln_f")))
}

extension [GGUFKey] {
  /// The converter takes four times the width for the feed-forward's size.
  fileprivate static let sizesOfFalcon = sizes(
    inOrder: [
      "context_length", "tensor_data_layout", "embedding_length", "feed_forward_length", "block_count",
      "attention.head_count",
    ],
    replaced: [
      .fixed("tensor_data_layout", .string("jploski")), .size("feed_forward_length") { 4 * $0.width },
    ])
}
