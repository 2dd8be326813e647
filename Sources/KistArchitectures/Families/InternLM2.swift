extension Architecture {
  /// Source: modeling_internlm2.py of internlm/internlm2-7b.
  static let internLM2 = Architecture(
    name: "internlm2", classNames: ["InternLM2ForCausalLM", "InternLM2Model"], modelTypes: ["internlm2"],
    gguf: GGUFForm(
      "internlm2", vocabulary: .pieces(), keys: .modern + .fileType, parameters: .ggufBias,
      tensors: .ggufNeighbouringPairs(bias: .when(.attentionBias))),
    parameters: .modern + .rotary() + [
      .fixed(.headSize, .quotient(.width, .headCount)),
      .key(.attentionBias, "bias", or: .value(true)),
    ],
    ignoredKeys: ["pretraining_tp"],
    optionalPrefixes: ["model."],
    tensors: .joined(
      [TensorRule(.tokenEmbedding, "model.tok_embeddings.weight"), TensorRule(.head, "output.weight")],
      .norm(.attentionNorm, "model.layers.{layer}.attention_norm"),
      .queryKeyValueGroups("model.layers.{layer}.attention.wqkv", bias: .when(.attentionBias)),
      .linear(.attentionOutput, "model.layers.{layer}.attention.wo", bias: .when(.attentionBias)),
      .norm(.feedForwardNorm, "model.layers.{layer}.ffn_norm"),
      .linear(.gate, "model.layers.{layer}.feed_forward.w1"),
      .linear(.up, "model.layers.{layer}.feed_forward.w3"),
      .linear(.down, "model.layers.{layer}.feed_forward.w2"),
      .norm(.finalNorm, "model.norm")))
}
