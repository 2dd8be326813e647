extension Architecture {
  /// Source: transformers 5.23, modeling_bert.py.
  static let bert = encoder(
    name: "bert", prefix: "bert.", classNames: ["BertModel", "BertForMaskedLM", "BertForPreTraining"],
    vocabulary: .encoder("jina-v2-en", types: .first),
    parameters: [
      .key(.contextLength, "max_position_embeddings", or: .value(512))
    ],
    ignoredTensors: ["cls.*"])

  /// Its positions begin behind the padding token's number, and the table counts those rows too.
  /// Source: transformers 5.23, modeling_roberta.py.
  static let roberta = roberta(
    name: "roberta", classNames: ["RobertaModel", "RobertaForMaskedLM"],
    vocabulary: .encoder("roberta-bpe", types: .last))

  /// RoBERTa with a unigram model of many languages. Source: transformers 5.23, modeling_xlm_roberta.py.
  static let xlmRoberta = roberta(
    name: "xlm-roberta", classNames: ["XLMRobertaModel", "XLMRobertaForMaskedLM"],
    vocabulary: .encoder("default", types: .afterSpacePrefix))

  private static func roberta(name: String, classNames: [String], vocabulary: GGUFVocabulary) -> Architecture {
    encoder(
      name: name, prefix: "roberta.", classNames: classNames, vocabulary: vocabulary,
      parameters: [
        .key(.positionCount, "max_position_embeddings", or: .value(512)),
        .key(.paddingToken, "pad_token_id", or: .value(1)),
        .fixed(.positionOffset, .next(.paddingToken)),
        .fixed(.contextLength, .difference(.positionCount, .positionOffset)),
      ],
      ignoredTensors: ["lm_head.*"])
  }

  private static func encoder(
    name: String, prefix: String, classNames: [String], vocabulary: GGUFVocabulary, parameters: [ParameterRule],
    ignoredTensors: [String]
  ) -> Architecture {
    Architecture(
      name: name, classNames: classNames, modelTypes: [name],
      // RoBERTa's rows before the first position are left out there, so that it is BERT.
      gguf: GGUFForm(
        "bert", vocabulary: vocabulary,
        keys: .sizes + .layerNorm + .fileType + [.fixed("attention.causal", .bool(false)), .pooling],
        parameters: [.fixed(.positionOffset, .absent), .key(.contextLength, "context_length")],
        tensors: .norm(.attentionPostNorm, "blk.{layer}.attn_output_norm")
          + .norm(.feedForwardPostNorm, "blk.{layer}.layer_output_norm")),
      kind: .encoder,
      parameters: parameters + [
        .key(.vocabularySize, "vocab_size"),
        .key(.width, "hidden_size"),
        .key(.layerCount, "num_hidden_layers"),
        .key(.headCount, "num_attention_heads"),
        .fixed(.keyValueHeadCount, .same(.headCount)),
        .fixed(.headSize, .quotient(.width, .headCount)),
        .key(.feedForwardSize, "intermediate_size"),
        .key(.tokenTypeCount, "type_vocab_size", or: .value(2)),
        .key(.activation, "hidden_act", or: .value("gelu")),
        .key(.normEpsilon, "layer_norm_eps", or: .value(1e-12)),
      ],
      requirements: [
        Requirement("position_embedding_type", "absolute"), Requirement("is_decoder", false),
        Requirement("add_cross_attention", false),
      ],
      ignoredKeys: ["tie_word_embeddings"],
      embedding: Embedding(hasLearnedPositions: true, hasTokenTypes: true, hasNorm: true),
      norm: .always(.layer), residual: .always(.postNorm),
      attention: Attention(positions: .always(.none)),
      feedForward: FeedForward(isGated: .always(false)),
      head: Head(hasNorm: .always(false), hasLogits: false),
      optionalPrefixes: [prefix],
      olderEndings: ["LayerNorm.weight": "LayerNorm.gamma", "LayerNorm.bias": "LayerNorm.beta"],
      tensors: .bert(prefix: prefix),
      ignoredTensors: ignoredTensors + ["*embeddings.position_ids", "*pooler.*"])
  }
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
