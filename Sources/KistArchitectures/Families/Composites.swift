/// A model of several parts (vision, audio), of which the text model is computed here.
///
/// Its config.json describes the text model below a key, and its files have that model's tensors among those of the others.
public struct Composite: Sendable {
  /// Values of config.json's `architectures` that mean it.
  var classNames: [String]
  /// Globs of the other parts' tensors.
  var otherTensors: [String]

  static let textKey = "text_config"

  /// Source: transformers 5.23, modeling_gemma3.py, modeling_mistral3.py, modeling_llava.py.
  static let all: [Composite] = [
    Composite(
      classNames: [
        "Gemma3ForConditionalGeneration", "Mistral3ForConditionalGeneration", "LlavaForConditionalGeneration",
      ],
      otherTensors: ["vision_tower.*", "multi_modal_projector.*"])
  ]
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
