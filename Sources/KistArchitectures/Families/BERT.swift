extension Architecture {
  /// Source: transformers 5.23, modeling_bert.py.
  static let bert = Architecture(
    name: "bert", classNames: ["BertModel", "BertForMaskedLM", "BertForPreTraining"], modelTypes: ["bert"],
    gguf: "bert", kind: .encoder,
    parameters: [
      .key(.vocabularySize, "vocab_size"),
      .key(.width, "hidden_size"),
      .key(.layerCount, "num_hidden_layers"),
      .key(.headCount, "num_attention_heads"),
      .fixed(.keyValueHeadCount, .same(.headCount)),
      .fixed(.headSize, .quotient(.width, .headCount)),
      .key(.feedForwardSize, "intermediate_size"),
      .key(.contextLength, "max_position_embeddings", or: .value(512)),
      .key(.tokenTypeCount, "type_vocab_size", or: .value(2)),
      .key(.activation, "hidden_act", or: .value("gelu")),
      .key(.normEpsilon, "layer_norm_eps", or: .value(1e-12)),
    ],
    requirements: [
      Requirement("position_embedding_type", "absolute"), Requirement("is_decoder", false),
      Requirement("add_cross_attention", false),
    ],
    embedding: Embedding(learnedPositions: 0, hasTokenTypes: true, hasNorm: true),
    norm: .always(.layer), residual: .always(.postNorm),
    attention: Attention(positions: .always(.none)),
    feedForward: FeedForward(isGated: .always(false)),
    head: Head(hasNorm: .always(false), hasLogits: false),
    optionalPrefixes: ["bert."],
    tensors: .bert(prefix: "bert."),
    ignoredTensors: ["*embeddings.position_ids", "cls.*", "*pooler.*"])
}

extension [TensorRule] {
  /// - Parameter prefix: What all names begin with.
  static func bert(prefix: String) -> [TensorRule] {
    let layer = prefix + "encoder.layer.{layer}."
    return [
      TensorRule(.tokenEmbedding, prefix + "embeddings.word_embeddings.weight"),
      TensorRule(.positionEmbedding, prefix + "embeddings.position_embeddings.weight"),
      TensorRule(.tokenTypeEmbedding, prefix + "embeddings.token_type_embeddings.weight"),
    ] + .norm(.embeddingNorm, prefix + "embeddings.LayerNorm")
      + .linear(.query, layer + "attention.self.query", bias: .always)
      + .linear(.key, layer + "attention.self.key", bias: .always)
      + .linear(.value, layer + "attention.self.value", bias: .always)
      + .linear(.attentionOutput, layer + "attention.output.dense", bias: .always)
      + .norm(.attentionPostNorm, layer + "attention.output.LayerNorm")
      + .linear(.up, layer + "intermediate.dense", bias: .always)
      + .linear(.down, layer + "output.dense", bias: .always)
      + .norm(.feedForwardPostNorm, layer + "output.LayerNorm")
  }
}
