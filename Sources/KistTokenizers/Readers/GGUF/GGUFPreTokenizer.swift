import KistCore

/// How a name in `tokenizer.ggml.pre` cuts text, as data.
///
/// Each pattern cuts the pieces of the one before into its matches and what lies between them. llama.cpp runs them on text in which all
/// characters beyond ASCII of one category look the same, so its classes of letters know no case there, and what it writes as a range never
/// holds white space: the patterns here say what that comes to.
///
/// - Source: llama.cpp, `src/llama-vocab.cpp`, `llm_tokenizer_bpe` and `llama_vocab::impl::load`; `src/unicode.cpp`, `unicode_regex_split`.
struct GGUFPreTokenizer: Sendable {
  var names: [String]
  var patterns: [String]
  var ignoresMerges = false
  /// Whether the beginning token is added where the file says nothing.
  var addsBeginning = false
  /// Whether there is a beginning token where the file says nothing.
  var hasBeginning = true
  /// Whether tokens are spelled in GPT-2's alphabet of bytes; else in UTF-8, with ▁ for a space.
  var spellsBytes = true

  /// - Throws: `unsupported` for a name that llama.cpp does not know, or whose rules are not here.
  static func named(_ name: String) throws(KistError) -> GGUFPreTokenizer {
    if let found = table.first(where: { $0.names.contains(name) }) { return found }
    throw KistError(
      .unsupported, field: "key 'tokenizer.ggml.pre'", "'\(name)' is no pre-tokenizer that this Kist knows")
  }

  static let table: [GGUFPreTokenizer] = [
    // A file that names none, from before there were names.
    GGUFPreTokenizer(names: ["default"], patterns: [#"[\p{P}\$\+<=>\^~\|]+"#, gpt2, #"\p{N}+"#, "[0-9][0-9][0-9]"]),
    GGUFPreTokenizer(
      names: [
        "llama3", "llama-v3", "llama-bpe", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2", "jina-v5-nano",
      ],
      patterns: [llama3], ignoresMerges: true, addsBeginning: true),
    GGUFPreTokenizer(names: ["dbrx", "smaug-bpe"], patterns: [llama3]),
    GGUFPreTokenizer(names: ["chatglm-bpe"], patterns: [llama3], hasBeginning: false),
    GGUFPreTokenizer(names: ["glm4", "glm5"], patterns: [llama3], ignoresMerges: true, hasBeginning: false),
    GGUFPreTokenizer(
      names: [
        "gpt-2", "phi-2", "jina-es", "jina-de", "gigachat", "jina-v2-es", "jina-v2-de", "a.x-4.0", "mellum",
        "modern-bert", "jina-v1-en", "jina-v2-code", "roberta-bpe", "mpt", "olmo", "jais", "trillion",
        "granite-docling", "exaone4",
      ],
      patterns: [gpt2]),
    GGUFPreTokenizer(
      names: ["starcoder", "refact", "command-r", "smollm", "codeshell", "exaone", "minerva-7b", "mellum2"],
      patterns: [digit, gpt2]),
    GGUFPreTokenizer(
      names: [
        "qwen2", "deepseek-r1-qwen", "kormo", "f2llmv2", "megrez", "stablelm2", "hunyuan", "solar-open", "grok-2",
      ],
      patterns: [qwen2]),
    GGUFPreTokenizer(names: ["laguna"], patterns: [lines, qwen2]),
    GGUFPreTokenizer(
      names: ["qwen35"],
      patterns: [
        contractions + #"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*"# + lineEnds
      ]),
    GGUFPreTokenizer(
      names: ["falcon"], patterns: [#"[\p{P}\$\+<=>\^~\|`]+"#, gpt2, "[0-9][0-9][0-9]"]),
    GGUFPreTokenizer(
      names: ["deepseek-llm"],
      patterns: [
        "[\r\n]", #"\s?["# + deepSeekLetters + "]+", #"\s?[!-/:-~！-／：-～‘-‟、-。]+"#, #"\s+$"#, ideographs, #"\p{N}+"#,
      ]),
    GGUFPreTokenizer(
      names: ["deepseek-coder"], patterns: ["[\r\n]", #"\s?\p{L}+"#, #"\s?\p{P}+"#, ideographs, digit]),
    GGUFPreTokenizer(
      names: ["deepseek-v3", "hunyuan-dense", "joyai-llm", "hy_v4"],
      patterns: [#"\p{N}{1,3}"#, kana, deepSeekWords + #"| ?[\p{P}\p{S}]+[\r\n]*"# + lineEnds]),
    GGUFPreTokenizer(
      names: ["spark2_5"],
      patterns: [
        #"\p{N}{1,3}"#, kana, deepSeekWords + #"| ?[\p{P}\p{S}]+|[\r\n]|\s+(?!\S)|\s+"#, digit,
      ]),
    GGUFPreTokenizer(
      names: ["youtu"],
      patterns: [
        "[가-힣ㄱ-ㆎ]+|[！…“”‘’—：；，、-〿︰-﹏]+|[ㄅ-ㄯ]+|" + kana,
        cased(any, any, marks: true, suffix: contractions + "?") + #"|\p{N}"# + symbolsWithSlash,
      ], ignoresMerges: true),
    GGUFPreTokenizer(
      names: ["tekken"], patterns: [cased(upper, lower) + #"|\p{N}"# + symbolsWithSlash], ignoresMerges: true,
      addsBeginning: true),
    GGUFPreTokenizer(
      names: ["gpt-4o", "llama4", "kanana2", "talkie", "minimax-m2"],
      patterns: [cased(upper, lower, suffix: contractions + "?") + #"|\p{N}{1,3}"# + symbolsWithSlash]),
    GGUFPreTokenizer(
      names: ["granite-embed-multi-97m"],
      patterns: [
        cased(upper, lower, marks: true, suffix: contractions + "?") + #"|\p{N}{1,3}"# + symbolsWithSlash
      ],
      ignoresMerges: true),
    GGUFPreTokenizer(names: ["poro-chat", "bloom", "gpt3-finnish"], patterns: [bloom]),
    GGUFPreTokenizer(names: ["viking"], patterns: [bloom, digit]),
    GGUFPreTokenizer(
      names: ["chameleon"],
      patterns: [
        "<sentinel:[0-9]+>", "IMGIMG[A-I]{1,4}Z", #"[\t\n]|    |  "#, digit, #"[\p{P}!-/:-@\[-`{-~]"#, gpt2,
      ], addsBeginning: true),
    GGUFPreTokenizer(
      names: ["jais-2"],
      patterns: [
        contractions + words + #"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"#
          + [512, 256, 128, 64, 32, 16, 8, 4].map { #"|\s{\#($0)}(?!\S)"# }.joined() + #"|\s{1,2}(?!\S)|\s{1}"#
      ]),
    GGUFPreTokenizer(
      names: ["bailingmoe", "bailingmoe2", "llada-moe"],
      patterns: [
        "'(?:[sSdDmMtT]|[lL][lL]|[vV][eE]|[rR][eE])" + words
          + #"\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+"#
      ]),
    GGUFPreTokenizer(
      names: ["seed-coder"], patterns: [contractions + words + #"\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+"# + lineEnds]),
    GGUFPreTokenizer(
      names: ["ufakzeka"],
      patterns: [#"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"# + lineEnds]),
    GGUFPreTokenizer(
      names: ["exaone-moe"],
      patterns: [
        contractions + #"|[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]?"#
          + #"|\s*[\r\n]|\s+(?!\S)|\s+"#
      ]),
    GGUFPreTokenizer(
      names: ["minicpm5"],
      patterns: [#"\p{N}{1,3}"#, contractions + words + #"\p{N}+| ?[^\s\p{L}\p{N}]+[\r\n]*"# + lineEnds],
      ignoresMerges: true),
    GGUFPreTokenizer(names: ["gemma4", "granite-embed-multi-311m", "sarvam-moe"], patterns: [lines], spellsBytes: false),
  ]

  // MARK: - Patterns

  /// llama.cpp leaves the last branch to its own scanner.
  private static let gpt2 = #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#
  private static let llama3 = contractions + words + #"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"# + lineEnds
  private static let qwen2 = contractions + words + #"\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"# + lineEnds
  private static let contractions = "(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])"
  private static let words = #"|[^\r\n\p{L}\p{N}]?\p{L}+|"#
  private static let lineEnds = #"|\s*[\r\n]+|\s+(?!\S)|\s+"#
  private static let symbolsWithSlash = #"| ?[^\s\p{L}\p{N}]+[\r\n/]*"# + lineEnds
  private static let digit = #"\p{N}"#
  private static let lines = #"[^\n]+|[\n]+"#
  private static let kana = "[一-龥\u{3040}-ゟ゠-ヿ]+"
  private static let bloom = #" ?[^(\s|.,!?…。，、।۔،)]+"#
  /// White space among them is none of them.
  private static let ideographs = #"(?:(?!\s)[一-龥\u{800}-一가-\u{D7FF}])+"#
  private static let deepSeekWords =
    ##"[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"##

  /// Letters that are not lower-case ASCII, or not upper-case ASCII.
  private static let upper = "[^a-z]"
  private static let lower = "[^A-Z]"
  private static let any = #"[\p{L}\p{M}]"#

  /// Words by case: some upper ones and then lower ones, or the other way about.
  private static func cased(_ upper: String, _ lower: String, marks: Bool = false, suffix: String = "") -> String {
    let letter = marks ? #"[\p{L}\p{M}]"# : #"[\p{L}]"#
    let (first, second) = ("(?:(?=\(letter))\(upper))", "(?:(?=\(letter))\(lower))")
    let start = #"[^\r\n\p{L}\p{N}]?"#
    return start + first + "*" + second + "+" + suffix + "|" + start + first + "+" + second + "*" + suffix
  }

  private static let deepSeekLetters =
    "A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛὝὟ-ώᾀ-ᾴᾶ-ᾼιῂ-ῄῆ-ῌῐ-ΐῖ-Ίῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤΩℨK-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃"
}
