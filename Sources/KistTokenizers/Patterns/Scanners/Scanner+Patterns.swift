/// The patterns that have a scanner.
extension Scanner {
  struct KnownPattern: Sendable {
    var name: String
    var pattern: String
    var dialects: [RegexDialect]
    var kind: Kind
  }

  private static let everywhere: [RegexDialect] = [.oniguruma, .rust, .python]
  /// `{1,3}+` is a count upon a count in Ruby's syntax, and no pattern of it has one.
  private static let possessive: [RegexDialect] = [.rust, .python]

  /// Contractions as llama.cpp writes them, which has no `(?i)`.
  private static let llamaCPPContractions = "(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])"
  private static let contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
  private static let upper = #"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]"#
  private static let lower = #"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"#

  /// Sources: the models' tokenizer.json; tiktoken, `openai_public.py`; mistral-common, tekken.json; llama.cpp, `llama-vocab.cpp`.
  package static let knownPatterns: [Pattern] = known.flatMap { known in
    known.dialects.sorted { $0.rawValue < $1.rawValue }.map { .regex(known.pattern, $0) }
  }

  static let known: [KnownPattern] = [
    KnownPattern(
      name: "gpt2", pattern: #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#,
      dialects: everywhere, kind: .gpt2(GPT2Scanner())),
    KnownPattern(
      name: "r50k",
      pattern: #"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s"#,
      dialects: possessive, kind: .gpt2(GPT2Scanner())),
    KnownPattern(
      name: "cl100k", pattern: contractions + words + #"\p{N}{1,3}"# + symbols, dialects: everywhere,
      kind: .word(WordScanner())),
    KnownPattern(
      name: "llama.cpp llama3", pattern: llamaCPPContractions + words + #"\p{N}{1,3}"# + symbols,
      dialects: everywhere, kind: .word(WordScanner(contractions: .anyASCIICase))),
    KnownPattern(
      name: "cl100k of tiktoken",
      pattern: #"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+"#
        + #"|\s++$|\s*[\r\n]|\s+(?!\S)|\s"#,
      dialects: possessive, kind: .word(WordScanner(takesFinalSpaces: true))),
    KnownPattern(
      name: "qwen2", pattern: contractions + words + #"\p{N}"# + symbols, dialects: everywhere,
      kind: .word(WordScanner(maximumDigits: 1))),
    KnownPattern(
      name: "llama.cpp qwen2", pattern: llamaCPPContractions + words + #"\p{N}"# + symbols, dialects: everywhere,
      kind: .word(WordScanner(contractions: .anyASCIICase, maximumDigits: 1))),
    KnownPattern(
      name: "qwen3.5",
      pattern: contractions + #"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*"#
        + #"|\s*[\r\n]+|\s+(?!\S)|\s+"#,
      dialects: everywhere, kind: .word(WordScanner(maximumDigits: 1, marksAreLetters: true))),
    KnownPattern(
      name: "o200k",
      pattern: casedWords(contractions + "?") + #"|\p{N}{1,3}"# + symbolsWithSlash, dialects: everywhere,
      kind: .cased(CasedScanner())),
    KnownPattern(
      name: "tekken", pattern: casedWords("") + #"|\p{N}"# + symbolsWithSlash, dialects: everywhere,
      kind: .cased(CasedScanner(contractions: .none, maximumDigits: 1))),
    KnownPattern(
      name: "deepseek v3, numbers", pattern: #"\p{N}{1,3}"#, dialects: everywhere,
      kind: .number(NumberScanner(maximumDigits: 3))),
    KnownPattern(
      name: "numbers", pattern: #"\p{N}"#, dialects: everywhere, kind: .number(NumberScanner(maximumDigits: 1))),
    KnownPattern(
      name: "deepseek v3, cjk", pattern: "[一-龥\u{3040}-ゟ゠-ヿ]+", dialects: everywhere, kind: .cjk(CJKScanner())),
    KnownPattern(
      name: "deepseek v3, words",
      pattern: ##"[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"##
        + #"| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#,
      dialects: everywhere, kind: .deepSeek(DeepSeekScanner())),
  ]

  private static let words = #"|[^\r\n\p{L}\p{N}]?\p{L}+|"#
  private static let symbols = #"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
  private static let symbolsWithSlash = #"| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"#

  private static func casedWords(_ suffix: String) -> String {
    #"[^\r\n\p{L}\p{N}]?"# + upper + "*" + lower + "+" + suffix + #"|[^\r\n\p{L}\p{N}]?"# + upper + "+" + lower + "*"
      + suffix
  }
}
