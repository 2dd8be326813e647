extension Architecture {
  /// Source: transformers 5.23, modeling_bloom.py.
  static let bloom = Architecture(
    name: "bloom", classNames: ["BloomForCausalLM", "BloomModel"], modelTypes: ["bloom"],
    gguf: GGUFForm(
      "bloom", vocabulary: .merges("bloom"), keys: .sizesOfBLOOM + .keyValueHeads + .layerNorm + .fileType,
      tensors: .ggufQueryKeyValue(bias: .always)
    ),
    parameters: [
      .key(.vocabularySize, "vocab_size"),
      .key(.width, "n_embed", "hidden_size"),
      .key(.layerCount, "n_layer", "num_hidden_layers"),
      .key(.headCount, "n_head", "num_attention_heads"),
      .fixed(.keyValueHeadCount, .same(.headCount)),
      .fixed(.headSize, .quotient(.width, .headCount)),
      .fixed(.feedForwardSize, .multiple(4, .width)),
      .fixed(.activation, .value("gelu_pytorch_tanh")),
      .key(.normEpsilon, "layer_norm_epsilon", or: .value(1e-5)),
      .key(.tiesEmbeddings, "tie_word_embeddings", or: .value(true)),
      .key(.addsAfterNorm, "apply_residual_connection_post_layernorm", or: .value(false)),
    ],
    ignoredKeys: [
      "pretraining_tp", "slow_but_exact", "seq_length", "n_inner", "offset_alibi", "attention_softmax_in_fp32",
      "bias_dropout_fusion", "masked_softmax_fusion", "skip_bias_add", "skip_bias_add_qkv", "unk_token_id",
    ],
    embedding: Embedding(hasNorm: true),
    norm: .always(.layer),
    residual: .when(.addsAfterNorm, .always(.residualAfterNorm), otherwise: .always(.preNorm)),
    attention: Attention(positions: .always(.alibi)),
    feedForward: FeedForward(isGated: .always(false)),
    optionalPrefixes: ["transformer."],
    tensors: .joined(
      [TensorRule(.tokenEmbedding, "transformer.word_embeddings.weight"), TensorRule(.head, "lm_head.weight")],
      .norm(.embeddingNorm, "transformer.word_embeddings_layernorm"),
      .norm(.attentionNorm, "transformer.h.{layer}.input_layernorm"),
      .queryKeyValueGroups("transformer.h.{layer}.self_attention.query_key_value", bias: .always),
      .linear(.attentionOutput, "transformer.h.{layer}.self_attention.dense", bias: .always),
      .norm(.feedForwardNorm, "transformer.h.{layer}.post_attention_layernorm"),
      .linear(.up, "transformer.h.{layer}.mlp.dense_h_to_4h", bias: .always),
      .linear(.down, "transformer.h.{layer}.mlp.dense_4h_to_h", bias: .always),
      .norm(.finalNorm, "transformer.ln_f")))
}

extension [GGUFKey] {
  /// The converter takes the width for the context's length.
  fileprivate static let sizesOfBLOOM = sizes(
    inOrder: ["context_length", "embedding_length", "feed_forward_length", "block_count", "attention.head_count"],
    replaced: [.size("context_length", .width)])
}
