extension Architecture {
  /// Source: transformers 5.23, modeling_llama.py.
  static let llama = Architecture(
    name: "llama", classNames: ["LlamaForCausalLM", "LlamaModel"], modelTypes: ["llama"],
    gguf: GGUFForm(
      "llama", vocabulary: .pieces(orMerges: "llama-bpe", space: .asConfigured), keys: .llama(.headSizes),
      parameters: .ggufBias,
      tensors: .ggufNeighbouringPairs(bias: .when(.attentionBias)), factors: .llama3 + .longrope),
    parameters: .modern + .rotary() + [
      .key(.attentionBias, "attention_bias", or: .value(false)),
      .key(.feedForwardBias, "mlp_bias", or: .value(false)),
    ],
    ignoredKeys: ["pretraining_tp"],
    optionalPrefixes: ["model."],
    tensors: .llama,
    ignoredTensors: ["*.rotary_emb.inv_freq"])
}

extension [TensorRule] {
  /// The names that most families since Llama share.
  static let llama = llamaEnds + llamaNorms + llamaAttention(bias: .when(.attentionBias)) + llamaFeedForward

  static let llamaEnds: [TensorRule] =
    [
      .init(.tokenEmbedding, "model.embed_tokens.weight"), .init(.head, "lm_head.weight"),
    ] + .norm(.finalNorm, "model.norm")

  static let llamaNorms: [TensorRule] =
    .norm(.attentionNorm, "model.layers.{layer}.input_layernorm")
    + .norm(.feedForwardNorm, "model.layers.{layer}.post_attention_layernorm")

  /// - Parameter outputBias: of the output projection; that of the others when nil.
  static func llamaAttention(
    bias: TensorRule.Presence?, outputBias: TensorRule.Presence?? = .none
  ) -> [TensorRule] {
    .linear(.query, "model.layers.{layer}.self_attn.q_proj", bias: bias)
      + .linear(.key, "model.layers.{layer}.self_attn.k_proj", bias: bias)
      + .linear(.value, "model.layers.{layer}.self_attn.v_proj", bias: bias)
      + .linear(.attentionOutput, "model.layers.{layer}.self_attn.o_proj", bias: outputBias ?? bias)
  }

  static let llamaFeedForward: [TensorRule] =
    .linear(.gate, "model.layers.{layer}.mlp.gate_proj", bias: .when(.feedForwardBias))
    + .linear(.up, "model.layers.{layer}.mlp.up_proj", bias: .when(.feedForwardBias))
    + .linear(.down, "model.layers.{layer}.mlp.down_proj", bias: .when(.feedForwardBias))
}

extension [GGUFKey] {
  /// What the converter writes for Llama and the families that it derives from it.
  ///
  /// - Parameter others: What stands between.
  static func llama(_ others: [GGUFKey]) -> [GGUFKey] { modern + others + fileType + vocabulary + rotarySize }
}
