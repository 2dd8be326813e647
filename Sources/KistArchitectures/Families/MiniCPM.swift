extension Architecture {
  /// Source: modeling_minicpm.py of openbmb/MiniCPM-2B-sft-bf16.
  static let miniCPM = Architecture(
    name: "minicpm", classNames: ["MiniCPMForCausalLM", "MiniCPMModel"], modelTypes: ["minicpm"],
    gguf: GGUFForm(
      "minicpm", vocabulary: .pieces(),
      keys: .modern + .fileType + [
        .number("embedding_scale") { $0.embedding.scale }, .number("residual_scale") { $0.layers[0].residualScale },
        .number("logit_scale") { 1 / $0.head.scale },
      ],
      parameters: .ggufBias + [
        .key(.residualScale, "residual_scale", or: .absent), .fixed(.residualDepthScale, .absent),
        .key(.logitScale, "logit_scale", or: .absent), .fixed(.headWidthBase, .absent),
      ],
      tensors: .ggufNeighbouringPairs(bias: .when(.attentionBias)),
      configuration: [
        .fixed(.residualDepthScale, .timesSquareRoot(.residualScale, .layerCount)),
        .fixed(.headWidthBase, .ratio(.width, .logitScale)),
      ], factors: .longrope),
    parameters: .modern + .rotary() + [
      .fixed(.headSize, .quotient(.width, .headCount)),
      .key(.attentionBias, "attention_bias", or: .value(false)),
      .key(.tiesEmbeddings, "tie_word_embeddings", or: .value(true)),
      .key(.embeddingScale, "scale_emb", or: .value(1)),
      .key(.residualDepthScale, "scale_depth", or: .value(1)),
      .key(.headWidthBase, "dim_model_base", or: .value(1)),
    ],
    ignoredKeys: ["pretraining_tp"],
    head: Head(dividesByLogitScale: true),
    optionalPrefixes: ["model."],
    tensors: .llama,
    ignoredTensors: ["*.rotary_emb.inv_freq"])
}
