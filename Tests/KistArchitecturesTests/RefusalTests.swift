import KistArchitectures
import KistCore
import Testing

@Suite struct RefusalTests {
  private func error(_ name: String, _ changes: [String: Any?]) throws -> KistError? {
    let text = try changed(name, changes)
    do throws(KistError) {
      let model = try describe(text)
      _ = model.tensorKeys.map { model.locations(of: $0) }
      return nil
    } catch {
      return error
    }
  }

  @Test func `an unknown architecture is named`() throws {
    let error = try #require(try error("llama", ["architectures": ["MambaForCausalLM"]]))
    #expect(error.kind == .unsupported && error.field == "architectures")
    #expect(error.description.contains("MambaForCausalLM"))
    #expect(try self.error("llama", ["architectures": nil, "model_type": "mamba"])?.field == "model_type")
  }

  @Test(arguments: FamilyFixtures.names)
  func `a key that nobody reads is refused by name`(_ name: String) throws {
    #expect(try error(name, ["attention_twist": 2])?.field == "attention_twist")
  }

  @Test func `keys below other keys are read as strictly`() throws {
    let twisted: [String: Any] = ["rope_type": "linear", "factor": 2.0, "twist": 3]
    #expect(try error("llama-linear", ["rope_scaling": twisted])?.field == "rope_scaling.twist")
    #expect(try error("llama-linear", ["rope_scaling": "linear"])?.field == "rope_scaling")
    let local: [String: Any] = [
      "full_attention": ["rope_type": "default"], "sliding_attention": ["rope_type": "linear", "factor": 2.0],
    ]
    #expect(
      try error("gemma3-v5", ["rope_parameters": local])?.field?.hasPrefix("rope_parameters.sliding_attention") == true)
  }

  /// Sizes that a family needs, by the fixture that says them.
  static let sizes = [
    ("llama", ["vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads"]),
    ("llama", ["intermediate_size", "max_position_embeddings"]),
    ("gpt2", ["vocab_size", "n_embd", "n_layer", "n_head", "n_positions"]), ("gptj", ["rotary_dim"]),
    ("opt", ["ffn_dim", "word_embed_proj_dim", "max_position_embeddings"]), ("falcon-40b", ["num_kv_heads"]),
    ("mistral", ["sliding_window", "head_dim"]), ("bert", ["type_vocab_size"]),
    ("mixtral", ["num_local_experts", "num_experts_per_tok"]),
    ("qwen2-moe", ["moe_intermediate_size", "shared_expert_intermediate_size", "decoder_sparse_step"]),
    ("deepseek-v3", ["q_lora_rank", "kv_lora_rank", "qk_rope_head_dim", "qk_nope_head_dim", "v_head_dim", "n_group"]),
    ("deepseek-v3", ["n_routed_experts", "n_shared_experts", "topk_group"]), ("roberta", ["max_position_embeddings"]),
  ].flatMap { (name, keys) in keys.map { (name, $0) } }

  @Test(arguments: sizes)
  func `no size is 0, negative, a word or beyond belief`(_ name: String, _ key: String) throws {
    for value: Any in [0, -1, 1 << 62, "many", 1.5] {
      let error = try #require(try error(name, [key: value]), "\(key) = \(value)")
      #expect(error.field == key, "\(key) = \(value): \(error)")
    }
  }

  @Test func `counts that would fill the memory are refused before anything is made`() throws {
    #expect(try error("llama", ["num_hidden_layers": 1 << 29])?.field == "num_hidden_layers")
    #expect(try error("bloom", ["n_head": 1 << 29, "hidden_size": 1 << 29]) != nil)
    #expect(try error("mixtral", ["num_local_experts": 1 << 29])?.field == "num_local_experts")
  }

  /// A fixture, keys changed so that they contradict others, and the key that is named.
  static let contradictions: [(String, [String: any Sendable], String)] = [
    ("llama", ["num_key_value_heads": 4], "num_key_value_heads"),
    ("gpt2", ["n_head": 5], "n_embd"),
    ("mixtral", ["num_experts_per_tok": 5], "num_experts_per_tok"),
    ("deepseek-v3", ["n_group": 4], "n_group"),
    ("deepseek-v3", ["topk_group": 4], "n_group"),
    ("gptj", ["rotary_dim": 16], "rotary_dim"),
    ("gemma3-v5", ["layer_types": ["full_attention"]], "layer_types"),
    ("gemma3-v5", ["layer_types": ["full_attention", "linear_attention"]], "layer_types"),
    ("smollm3", ["no_rope_layers": [1]], "no_rope_layers"),
    ("llama", ["hidden_act": "swiglu"], "hidden_act"),
    ("llama", ["tie_word_embeddings": "yes"], "tie_word_embeddings"),
    ("llama", ["rms_norm_eps": "small"], "rms_norm_eps"),
    ("bert", ["position_embedding_type": "relative_key"], "position_embedding_type"),
    ("deepseek-v2", ["topk_method": "random"], "topk_method"),
    ("gpt-oss-mxfp4", ["quantization_config": ["quant_method": "fp8"]], "quantization_config.quant_method"),
    ("llama", ["quantization_config": ["quant_method": "awq"]], "quantization_config"),
    ("roberta", ["max_position_embeddings": 2], "max_position_embeddings"),
  ]

  @Test(arguments: contradictions)
  func `a configuration that contradicts itself is refused by key`(
    _ name: String, _ changes: [String: any Sendable], _ key: String
  ) throws {
    let error = try #require(try error(name, changes.mapValues { Optional<Any>($0) }))
    #expect(error.field == key, "\(error)")
  }

  @Test func `a default that another key replaces does not hold`() throws {
    // Qwen 3's head size is 128 without a key, not width over heads, which need not divide.
    let model = try describe(try changed("qwen3", ["head_dim": nil, "num_attention_heads": 3, "hidden_size": 40]))
    #expect(model.layers[0].attention.headSize == 128)
  }

  @Test func `null is another thing than a missing key where the family says so`() throws {
    #expect(try describe(try changed("mistral", ["sliding_window": nil])).layers[0].attention.window == 4096)
    let null = try FamilyFixtures.config("mistral").replacing("\"sliding_window\": 6", with: "\"sliding_window\": null")
    #expect(try describe(null).layers[0].attention.window == nil)
  }
}
