extension Architecture {
  /// Source: transformers 5.23, modeling_gpt2.py.
  static let gpt2 = Architecture(
    name: "gpt2", classNames: ["GPT2LMHeadModel", "GPT2Model"], modelTypes: ["gpt2"],
    gguf: GGUFForm(
      "gpt2", vocabulary: .merges("gpt-2"), keys: .sizes + .layerNorm + .fileType,
      tensors: .ggufQueryKeyValue(bias: .always)),
    parameters: .gpt + [
      .key(.contextLength, "n_positions", "max_position_embeddings", or: .value(1024)),
      .key(.tiesEmbeddings, "tie_word_embeddings", or: .value(true)),
      .key(.scalesAttention, "scale_attn_weights", or: .value(true)),
      .key(.dividesAttentionByLayer, "scale_attn_by_inverse_layer_idx", or: .value(false)),
      .fixed(.attentionScale, .value(1.0)),
    ],
    requirements: [Requirement("add_cross_attention", false)],
    ignoredKeys: ["n_ctx", "reorder_and_upcast_attn"],
    embedding: Embedding(hasLearnedPositions: true),
    norm: .always(.layer),
    attention: Attention(
      positions: .always(.none),
      scale: .when(.scalesAttention, .always(.headSize), otherwise: .always(.parameter(.attentionScale))),
      dividesByLayer: .when(.dividesAttentionByLayer, .always(true), otherwise: .always(false))),
    feedForward: FeedForward(isGated: .always(false)),
    scalesInitialBranches: true,
    optionalPrefixes: ["transformer."],
    tensors: .joined(
      [
        TensorRule(.tokenEmbedding, "transformer.wte.weight"), TensorRule(.positionEmbedding, "transformer.wpe.weight"),
      ],
      .norm(.attentionNorm, "transformer.h.{layer}.ln_1"),
      .linear(.query, "transformer.h.{layer}.attn.c_attn", bias: .always, form: .columns(fused)),
      .linear(.key, "transformer.h.{layer}.attn.c_attn", bias: .always, form: .columns(fused)),
      .linear(.value, "transformer.h.{layer}.attn.c_attn", bias: .always, form: .columns(fused)),
      .linear(.attentionOutput, "transformer.h.{layer}.attn.c_proj", bias: .always, form: .transposed),
      .norm(.feedForwardNorm, "transformer.h.{layer}.ln_2"),
      .linear(.up, "transformer.h.{layer}.mlp.c_fc", bias: .always, form: .transposed),
      .linear(.down, "transformer.h.{layer}.mlp.c_proj", bias: .always, form: .transposed),
      .norm(.finalNorm, "transformer.ln_f"),
      .linear(.head, "lm_head")),
    ignoredTensors: ["*.attn.bias", "*.attn.masked_bias"])

  private static let fused: [TensorRole] = [.query, .key, .value]
}

extension [ParameterRule] {
  /// The keys that GPT-2 and GPT-J share.
  static let gpt: [ParameterRule] = [
    .key(.vocabularySize, "vocab_size"),
    .key(.width, "n_embd", "hidden_size"),
    .key(.layerCount, "n_layer", "num_hidden_layers"),
    .key(.headCount, "n_head", "num_attention_heads"),
    .fixed(.keyValueHeadCount, .same(.headCount)),
    .fixed(.headSize, .quotient(.width, .headCount)),
    .key(.feedForwardSize, "n_inner", or: .multiple(4, .width)),
    .key(.activation, "activation_function", or: .value("gelu_new")),
    .key(.normEpsilon, "layer_norm_epsilon", or: .value(1e-5)),
  ]
}
