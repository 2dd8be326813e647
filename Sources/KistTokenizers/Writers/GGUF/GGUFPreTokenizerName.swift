import KistCore

/// What `tokenizer.ggml.pre` calls a way of cutting text.
///
/// It goes by the patterns themselves and whether merges are ignored for whole tokens. llama.cpp's converter goes by a digest of the ids that
/// a sample text gets, so that it knows vocabularies, not patterns; several of its names cut in the same way.
package struct GGUFPreTokenizerName {
  package var text: String
  /// Whether llama.cpp adds the beginning token where the file says nothing.
  package var addsBeginning: Bool

  /// - Parameter preferred: the family's own name, which is taken when it cuts in this way.
  /// - Throws: `unsupported` when llama.cpp has no name for it.
  package static func name(
    of definition: TokenizerDefinition, ignoresMerges: Bool, _ preferred: String
  ) throws(KistError) -> GGUFPreTokenizerName {
    guard definition.normalizer == nil || definition.normalizer == .nfc || definition.normalizer == .sequence([]) else {
      throw GGUFTokenizerWriter.unsupported(
        "llama.cpp's byte-level tokenizers change no text before they cut it, and this one has a normalizer")
    }
    let steps = try self.steps(definition.preTokenizer)
    let row =
      table.first { $0.steps == steps && $0.ignoresMerges == ignoresMerges }
      // It matters only for tokens that merges don't make; the verdict compares ids.
      ?? table.first { $0.steps == steps }
    guard let row else {
      throw GGUFTokenizerWriter.unsupported(
        "llama.cpp has no name for how it cuts text: \(steps.joined(separator: ", "))",
        advice: "`kist tokenizer inspect` shows the patterns")
    }
    let rules = try GGUFPreTokenizer.named(row.name)
    let name = rules.names.contains(preferred) ? preferred : row.name
    return GGUFPreTokenizerName(text: name, addsBeginning: rules.addsBeginning)
  }

  private struct Row {
    var steps: [String]
    var ignoresMerges = false
    var name: String
  }

  private static let table: [Row] = [
    Row(steps: ["gpt2"], name: "gpt-2"),
    // tiktoken's way to write the same.
    Row(steps: ["r50k"], name: "gpt-2"),
    Row(steps: ["numbers", "gpt2"], name: "smollm"),
    Row(steps: ["cl100k"], ignoresMerges: true, name: "llama-bpe"),
    Row(steps: ["cl100k"], name: "dbrx"),
    Row(steps: ["qwen2"], name: "qwen2"),
    Row(steps: ["qwen3.5"], name: "qwen35"),
    Row(steps: ["o200k"], name: "gpt-4o"),
    Row(steps: ["tekken"], ignoresMerges: true, name: "tekken"),
    Row(steps: ["deepseek v3, numbers", "deepseek v3, cjk", "deepseek v3, words"], name: "deepseek-v3"),
    Row(steps: ["punctuation", "gpt2", "runs of digits", "three digits"], name: "falcon"),
    Row(steps: ["bloom"], name: "bloom"),
    Row(
      steps: ["line ends", "deepseek letters", "deepseek signs", "final spaces", "ideographs", "numbers"],
      name: "deepseek-llm"),
    Row(steps: ["line ends", "spaced letters", "spaced signs", "ideographs", "numbers"], name: "deepseek-coder"),
    Row(steps: ["bloom", "numbers"], name: "viking"),
    Row(steps: ["jais 2"], name: "jais-2"),
    Row(steps: ["seed coder"], name: "seed-coder"),
    Row(steps: ["ling"], name: "bailingmoe"),
    Row(steps: ["exaone moe"], name: "exaone-moe"),
    Row(steps: ["deepseek v3, numbers", "minicpm 5"], ignoresMerges: true, name: "minicpm5"),
  ]

  /// The cuts, one after the other, by names.
  private static func steps(_ preTokenizer: PreTokenizer?) throws(KistError) -> [String] {
    var steps: [String] = []
    var spellsBytes = false
    for part in flattened(preTokenizer) {
      switch part {
      case .byteLevel(let addsPrefixSpace, let usesRegex):
        guard !addsPrefixSpace else {
          throw GGUFTokenizerWriter.unsupported(
            "a space before every text is nothing that llama.cpp's byte-level tokenizers add")
        }
        spellsBytes = true
        if usesRegex { steps.append("gpt2") }
      case .digits(let individual): steps.append(individual ? "numbers" : "runs of digits")
      case .punctuation(.contiguous): steps.append("punctuation")
      case .split(.regex(let pattern, _), .isolated, inverted: false),
        .split(.regex(let pattern, _), .removed, inverted: true):
        steps.append(name(of: pattern))
      default: steps.append("another component")
      }
    }
    guard spellsBytes else {
      throw GGUFTokenizerWriter.unsupported("its tokens are not spelled in GPT-2's alphabet of bytes")
    }
    return steps
  }

  private static func flattened(_ preTokenizer: PreTokenizer?) -> [PreTokenizer] {
    switch preTokenizer {
    case nil: []
    case .sequence(let parts): parts.flatMap { flattened($0) }
    case let part?: [part]
    }
  }

  private static func name(of pattern: String) -> String {
    if let known = Scanner.known.first(where: { $0.pattern.unicodeScalars.elementsEqual(pattern.unicodeScalars) }) {
      return known.name
    }
    let other = patterns.first { $0.pattern.unicodeScalars.elementsEqual(pattern.unicodeScalars) }
    return other?.name ?? "'\(pattern)'"
  }

  /// Sources: tokenizer.json of tiiuae/falcon-7b, bigscience/bloom, deepseek-ai/deepseek-llm-7b-base and deepseek-coder-6.7b-base; of the
  /// others as llama.cpp's `src/llama-vocab.cpp` quotes them.
  private static let patterns: [(name: String, pattern: String)] = [
    ("three digits", "[0-9][0-9][0-9]"), ("bloom", #" ?[^(\s|[.,!?…。，、।۔،])]+"#), ("line ends", "[\r\n]"),
    ("line ends", #"[\r\n]"#), ("deepseek letters", GGUFPreTokenizer.spacedLetters), ("spaced letters", #"\s?\p{L}+"#),
    ("spaced signs", #"\s?\p{P}+"#),
    ("deepseek signs", #"\s?[!-/:-~！-／：-～‘-‟　-。]+"#), ("final spaces", #"\s+$"#),
    ("ideographs", "[一-龥\u{800}-一가-\u{D7FF}]+"),
    ("jais 2", words + #"\p{N}{1,3}"# + signs + #"[\r\n]*|\s*[\r\n]+"# + jais2Spaces),
    ("seed coder", words + #"\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+|\s*[\r\n]+|\s+(?!\S)|\s+"#),
    (
      "seed coder",
      words.replacing(#"\r\n"#, with: "\r\n") + "\\p{N}{1}| ?[^\\s\\p{L}\\p{N}\r\n]+|\\s*[\r\n]+|\\s+(?!\\S)|\\s+"
    ),
    (
      "ling",
      #"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+"#
    ),
    (
      "exaone moe",
      #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|\p{N}"# + signs
        + #"[\r\n/]?|\s*[\r\n]|\s+(?!\S)|\s+"#
    ),
    ("minicpm 5", words + #"\p{N}+"# + signs + #"[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#),
  ]

  private static let words = #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|"#
  private static let signs = #"| ?[^\s\p{L}\p{N}]+"#
  private static let jais2Spaces =
    [512, 256, 128, 64, 32, 16, 8, 4].map { #"|\s{\#($0)}(?!\S)"# }.joined() + #"|\s{1,2}(?!\S)|\s{1}"#
}
