extension Architecture {
  /// Source: transformers 5.23, modeling_opt.py.
  static let opt = Architecture(
    name: "opt", classNames: ["OPTForCausalLM", "OPTModel"], modelTypes: ["opt"],
    parameters: [
      .key(.vocabularySize, "vocab_size"),
      .key(.width, "hidden_size"),
      .key(.embeddingWidth, "word_embed_proj_dim", or: .same(.width)),
      .key(.layerCount, "num_hidden_layers"),
      .key(.headCount, "num_attention_heads"),
      .fixed(.keyValueHeadCount, .same(.headCount)),
      .fixed(.headSize, .quotient(.width, .headCount)),
      .key(.feedForwardSize, "ffn_dim"),
      .key(.contextLength, "max_position_embeddings", or: .value(2048)),
      .fixed(.positionOffset, .value(2)),
      .key(.activation, "activation_function", or: .value("relu")),
      .fixed(.normEpsilon, .value(1e-5)),
      .key(.tiesEmbeddings, "tie_word_embeddings", or: .value(true)),
      .key(.normalizesBefore, "do_layer_norm_before", or: .value(true)),
      .key(.removesFinalNorm, "_remove_final_layer_norm", or: .value(false)),
      .key(.hasNormWeights, "layer_norm_elementwise_affine", or: .value(true)),
      .key(.attentionBias, "enable_bias", or: .value(true)),
    ],
    embedding: Embedding(hasLearnedPositions: true),
    norm: .when(.hasNormWeights, .always(.layer), otherwise: .always(.layerWithoutWeight)),
    residual: .when(.normalizesBefore, .always(.preNorm), otherwise: .always(.postNorm)),
    attention: Attention(positions: .always(.none)),
    feedForward: FeedForward(isGated: .always(false)),
    head: Head(
      hasNorm: .when(
        .normalizesBefore, .when(.removesFinalNorm, .always(false), otherwise: .always(true)), otherwise: .always(false)
      )),
    optionalPrefixes: ["model."],
    tensors: .joined(
      [
        TensorRule(.tokenEmbedding, "model.decoder.embed_tokens.weight"),
        TensorRule(.positionEmbedding, "model.decoder.embed_positions.weight"),
        TensorRule(.embeddingProjection, "model.decoder.project_in.weight"),
        TensorRule(.outputProjection, "model.decoder.project_out.weight"),
        TensorRule(.head, "lm_head.weight"),
      ],
      .norm(.attentionNorm, "model.decoder.layers.{layer}.self_attn_layer_norm"),
      .norm(.attentionPostNorm, "model.decoder.layers.{layer}.self_attn_layer_norm"),
      .linear(.query, "model.decoder.layers.{layer}.self_attn.q_proj", bias: .when(.attentionBias)),
      .linear(.key, "model.decoder.layers.{layer}.self_attn.k_proj", bias: .when(.attentionBias)),
      .linear(.value, "model.decoder.layers.{layer}.self_attn.v_proj", bias: .when(.attentionBias)),
      .linear(.attentionOutput, "model.decoder.layers.{layer}.self_attn.out_proj", bias: .when(.attentionBias)),
      .norm(.feedForwardNorm, "model.decoder.layers.{layer}.final_layer_norm"),
      .norm(.feedForwardPostNorm, "model.decoder.layers.{layer}.final_layer_norm"),
      .linear(.up, "model.decoder.layers.{layer}.fc1", bias: .when(.attentionBias)),
      .linear(.down, "model.decoder.layers.{layer}.fc2", bias: .when(.attentionBias)),
      .norm(.finalNorm, "model.decoder.final_layer_norm")))
}
