import KistCore

/// A model of several parts (vision, audio), of which the text model is computed here.
///
/// Its config.json describes the text model below a key, and its files have that model's tensors among those of the others.
public struct Composite: Sendable {
  /// Values of config.json's `architectures` that mean it.
  var classNames: [String]
  /// Globs of the other parts' tensors.
  var otherTensors: [String]

  /// Keys of the whole that say nothing about its text model.
  var otherKeys: Set<String>

  static let textKey = "text_config"

  /// Source: transformers 5.23, modeling_gemma3.py, modeling_mistral3.py, modeling_llava.py.
  static let all: [Composite] = [
    Composite(
      classNames: [
        "Gemma3ForConditionalGeneration", "Mistral3ForConditionalGeneration", "LlavaForConditionalGeneration",
      ],
      otherTensors: ["vision_tower.*", "multi_modal_projector.*"],
      otherKeys: [
        textKey, "vision_config", "mm_tokens_per_image", "boi_token_index", "eoi_token_index", "image_token_index",
        "image_seq_length", "multimodal_projector_bias", "projector_hidden_act", "spatial_merge_size",
        "vision_feature_layer", "vision_feature_select_strategy", "ignore_index", "image_grid_pinpoints",
        "tie_word_embeddings",
      ])
  ]
}

extension Composite {
  /// Refuses a configuration that says something about the whole that nobody here reads.
  func checkKeys(of config: ModelConfig) throws(KistError) {
    for key in config.keys where !otherKeys.contains(key) && !Architecture.isHarmless(key) {
      throw KistError(
        .unsupported, file: config.file, field: key, "this version does not know what it means for \(classNames[0])")
    }
  }
}

extension Architecture {
  /// The family with its tensors among those of other parts.
  func asPart(of whole: Composite) -> Architecture {
    var family = self
    // As files of the Hub write them, then as transformers 5 does.
    family.longerPrefixes = [
      ("model.", "language_model.model."), ("lm_head.", "language_model.lm_head."), ("model.", "model.language_model."),
    ]
    family.ignoredTensors += whole.otherTensors + whole.otherTensors.map { "model." + $0 }
    return family
  }
}
