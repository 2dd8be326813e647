import KistCore

extension Architecture {
  /// Every family that this version knows.
  public static let all: [Architecture] = [
    gpt2, gptNeoX, gptJ, opt, bloom, falcon, llama, mistral, mixtral, qwen2, qwen2MoE, qwen3, qwen3MoE, gemma, gemma2,
    gemma3, phi, phi3, stableLM, starCoder2, olmo, olmo2, cohere, cohere2, granite, smolLM3, miniCPM, internLM2,
    nemotron,
    deepSeekV2, deepSeekV3, gptOSS, bert, roberta, xlmRoberta,
  ]

  /// The family that a config.json names: by `architectures`, and where that is absent by `model_type`.
  ///
  /// - Throws: `unsupported` when it names one that this version does not know.
  public static func named(by config: ModelConfig) throws(KistError) -> Architecture {
    let names = config.classNames
    if let known = all.first(where: { !Set($0.classNames).isDisjoint(with: names) }) { return known }
    if names.isEmpty, let type = config.modelType, let known = all.first(where: { $0.modelTypes.contains(type) }) {
      return known
    }
    let name = names.first ?? config.modelType
    throw KistError(
      .unsupported, file: config.file, field: names.isEmpty ? "model_type" : "architectures",
      name.map { "'\($0)' is no architecture that this version computes" } ?? "is missing",
      advice: "packing, inspecting and exporting work all the same")
  }
}

extension Architecture {
  /// The family of a model, or of its text part, with the part of the configuration that describes it.
  ///
  /// - Throws: as ``named(by:)``; `unsupported` for a key of the whole that this version does not know.
  public static func ofTextModel(
    _ config: ModelConfig
  ) throws(KistError) -> (family: Architecture, config: ModelConfig) {
    let whole = Composite.all.first { !Set($0.classNames).isDisjoint(with: config.classNames) }
    guard let whole, let text = config.inside(Composite.textKey) else { return (try named(by: config), config) }
    try whole.checkKeys(of: config)
    return (try named(by: text).asPart(of: whole), text)
  }
}

extension ModelDescription {
  /// What a config.json describes.
  ///
  /// - Throws: `unsupported` when it names an unknown architecture or a key that this version does not know.
  public init(_ config: ModelConfig) throws(KistError) {
    let (architecture, config) = try Architecture.ofTextModel(config)
    try architecture.checkKeys(of: config)
    try self.init(architecture, Parameters(architecture, config))
  }
}

extension Architecture {
  /// Refuses a configuration that says something that nobody here reads: its meaning could change the result.
  func checkKeys(of config: ModelConfig) throws(KistError) {
    let paths = parameters.flatMap(\.keys) + requirements.map(\.key) + ignoredKeys
    try check(config.keys.filter { !Architecture.isHarmless($0) }, in: "", paths, config)
  }

  /// - Parameters:
  ///   - keys: Those of the object at `place`, which is empty or ends with a `.`.
  ///   - paths: Every path that somebody reads.
  private func check(
    _ keys: [String], in place: String, _ paths: [String], _ config: ModelConfig
  ) throws(KistError) {
    for key in keys {
      let path = place + key
      if paths.contains(path) { continue }
      guard paths.contains(where: { $0.hasPrefix(path + ".") }) else {
        throw KistError(
          .unsupported, file: config.file, field: path, "this version does not know what it means for \(name) models")
      }
      guard let below = config.keys(below: path) else {
        throw KistError(.damaged, file: config.file, field: path, "is no object")
      }
      try check(below, in: path + ".", paths, config)
    }
  }

  /// Keys that change nothing in a forward pass: training, generation, bookkeeping.
  static func isHarmless(_ key: String) -> Bool {
    harmlessKeys.contains(key) || harmlessEndings.contains { key.hasSuffix($0) }
      || harmlessBeginnings.contains { key.hasPrefix($0) }
  }

  private static let harmlessKeys: Set<String> = [
    "architectures", "model_type", "dtype", "torch_dtype", "transformers_version", "auto_map", "use_cache",
    "initializer_range", "init_std", "is_encoder_decoder", "id2label", "label2id", "name_or_path",
    "gradient_checkpointing",
    "tokenizer_class", "problem_type", "num_labels", "return_dict", "output_attentions", "output_hidden_states",
    "torchscript", "use_bfloat16", "chunk_size_feed_forward", "pruned_heads", "prefix", "finetuning_task",
    "task_specific_params", "attn_implementation", "cache_implementation", "initializer_factor", "classifier_bias",
    "license", "use_flash_attn", "language", "output_router_logits", "router_jitter_noise", "unsloth_fixed",
    "unsloth_version",
  ]
  private static let harmlessEndings = [
    "_token_id", "dropout", "_pdrop", "_loss_coef", "dropout_prob", "_drop", "layerdrop",
  ]
  private static let harmlessBeginnings = ["_", "summary_", "eos_", "bos_", "pad_"]
}
