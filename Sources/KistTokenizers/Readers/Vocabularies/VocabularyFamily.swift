/// Which pipeline belongs to a bare vocabulary: what transformers builds for its `tokenizer_class`.
///
/// Source: transformers 5.23, `models/*/tokenization_*.py`.
enum VocabularyFamily {
  case gpt2, roberta, qwen2, clip, bert

  private static let families: [(family: VocabularyFamily, classes: [String])] = [
    (.gpt2, ["GPT2Tokenizer", "CodeGenTokenizer"]),
    (.roberta, ["RobertaTokenizer", "BartTokenizer", "LongformerTokenizer", "LEDTokenizer", "MvpTokenizer"]),
    (.qwen2, ["Qwen2Tokenizer"]), (.clip, ["CLIPTokenizer"]),
    (
      .bert,
      [
        "BertTokenizer", "DistilBertTokenizer", "ElectraTokenizer", "MobileBertTokenizer", "SqueezeBertTokenizer",
        "ConvBertTokenizer", "LayoutLMTokenizer", "LxmertTokenizer", "DPRContextEncoderTokenizer",
        "DPRQuestionEncoderTokenizer", "DPRReaderTokenizer",
      ]
    ),
  ]

  static func of(className: String) -> VocabularyFamily? {
    families.first { $0.classes.contains { $0.utf8.elementsEqual(className.utf8) } }?.family
  }

  /// Special tokens that a class has without being told.
  var specials: [TokenizerConfig.Role: String] {
    let end = "<|endoftext|>"
    return switch self {
    case .gpt2: [.beginning: end, .end: end, .unknown: end]
    case .qwen2: [.end: end, .unknown: end, .padding: end]
    case .clip: [.beginning: "<|startoftext|>", .end: end, .unknown: end, .padding: end]
    case .roberta:
      [
        .beginning: "<s>", .end: "</s>", .unknown: "<unk>", .separator: "</s>", .padding: "<pad>", .classifier: "<s>",
        .mask: "<mask>",
      ]
    case .bert:
      [
        .unknown: "[UNK]", .separator: "[SEP]", .padding: "[PAD]", .classifier: "[CLS]", .mask: "[MASK]",
      ]
    }
  }
}
