extension Architecture {
  /// Source: transformers 5.23, modeling_granite.py.
  static let granite = Architecture(
    name: "granite", classNames: ["GraniteForCausalLM", "GraniteModel"], modelTypes: ["granite"],
    gguf: GGUFForm(
      "granite", vocabulary: .pieces(orMerges: "refact", space: .asConfigured),
      keys: .llama(.statedHeadSizes) + [
        .number("attention.scale", .attentionScale), .number("embedding_scale", .embeddingScale),
        .number("residual_scale", .residualScale), .number("logit_scale", .logitScale),
      ], parameters: .ggufBias, tensors: .ggufNeighbouringPairs(bias: .when(.attentionBias)),
      factors: .llama3 + .longrope),
    parameters: .modern + .rotary() + [
      .key(.attentionBias, "attention_bias", or: .value(false)),
      .key(.feedForwardBias, "mlp_bias", or: .value(false)),
      .key(.embeddingScale, "embedding_multiplier", or: .value(1.0)),
      .key(.attentionScale, "attention_multiplier", or: .value(1.0)),
      .key(.residualScale, "residual_multiplier", or: .value(1.0)),
      .key(.logitScale, "logits_scaling", or: .value(1.0)),
    ],
    attention: Attention(scale: .always(.parameter(.attentionScale))),
    head: Head(dividesByLogitScale: true),
    optionalPrefixes: ["model."],
    tensors: .llama)
}
