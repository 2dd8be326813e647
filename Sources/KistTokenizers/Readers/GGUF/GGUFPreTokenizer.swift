import KistCore

/// How a name in `tokenizer.ggml.pre` cuts text, as data.
///
/// Each pattern cuts the pieces of the one before into its matches and what lies between them. llama.cpp runs them on text in which all
/// characters beyond ASCII of one category look the same, so its classes of letters know no case there, and what it writes as a range never
/// holds white space: the patterns here say what that comes to.
///
/// - Source: llama.cpp, `src/llama-vocab.cpp`, `llm_tokenizer_bpe` and `llama_vocab::impl::load`; `src/unicode.cpp`, `unicode_regex_split`.
package struct GGUFPreTokenizer: Sendable {
  package var names: [String]
  package var patterns: [String]
  package var ignoresMerges = false
  /// Whether the beginning token is added where the file says nothing.
  var addsBeginning = false
  /// Whether there is a beginning token where the file says nothing.
  var hasBeginning = true
  /// Whether tokens are spelled in GPT-2's alphabet of bytes; else in UTF-8, with ▁ for a space.
  var spellsBytes = true

  /// - Throws: `unsupported` for a name that llama.cpp does not know, or whose rules are not here.
  package static func named(_ name: String) throws(KistError) -> GGUFPreTokenizer {
    if let found = table.first(where: { $0.names.contains(name) }) { return found }
    throw KistError(
      .unsupported, field: "key 'tokenizer.ggml.pre'", "'\(name)' is no pre-tokenizer that this Kist knows")
  }

  static let table: [GGUFPreTokenizer] = [
    // A file that names none, from before there were names.
    GGUFPreTokenizer(names: ["default"], patterns: [signs, gpt2, digits, threeDigits]),
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
    GGUFPreTokenizer(names: ["qwen35"], patterns: [qwen35]),
    GGUFPreTokenizer(names: ["falcon"], patterns: [signsAndBacktick, gpt2, threeDigits]),
    GGUFPreTokenizer(
      names: ["deepseek-llm"],
      patterns: [lineEnd, spacedLetters, spacedSigns, finalSpaces, ideographs, digits]),
    GGUFPreTokenizer(
      names: ["deepseek-coder"], patterns: [lineEnd, #"\s?\p{L}+"#, #"\s?\p{P}+"#, ideographs, digit]),
    GGUFPreTokenizer(
      names: ["deepseek-v3", "hunyuan-dense", "joyai-llm", "hy_v4"], patterns: [upToThreeDigits, kana, deepSeek3]),
    GGUFPreTokenizer(names: ["spark2_5"], patterns: [upToThreeDigits, kana, spark, digit]),
    GGUFPreTokenizer(names: ["youtu"], patterns: [asian, youtu], ignoresMerges: true),
    GGUFPreTokenizer(names: ["tekken"], patterns: [tekken], ignoresMerges: true, addsBeginning: true),
    GGUFPreTokenizer(names: ["gpt-4o", "llama4", "kanana2", "talkie", "minimax-m2"], patterns: [gpt4o]),
    GGUFPreTokenizer(names: ["granite-embed-multi-97m"], patterns: [granite], ignoresMerges: true),
    GGUFPreTokenizer(names: ["poro-chat", "bloom", "gpt3-finnish"], patterns: [bloom]),
    GGUFPreTokenizer(names: ["viking"], patterns: [bloom, digit]),
    GGUFPreTokenizer(
      names: ["chameleon"],
      patterns: [
        "<sentinel:[0-9]+>", "IMGIMG[A-I]{1,4}Z", #"[\t\n]|    |  "#, digit, #"[\p{P}!-/:-@\[-`{-~]"#, gpt2,
      ], addsBeginning: true),
    GGUFPreTokenizer(names: ["jais-2"], patterns: [jais2]),
    GGUFPreTokenizer(names: ["bailingmoe", "bailingmoe2", "llada-moe"], patterns: [bailing]),
    GGUFPreTokenizer(names: ["seed-coder"], patterns: [seedCoder]),
    GGUFPreTokenizer(names: ["ufakzeka"], patterns: [ufakzeka]),
    GGUFPreTokenizer(names: ["exaone-moe"], patterns: [exaoneMoE]),
    GGUFPreTokenizer(names: ["minicpm5"], patterns: [upToThreeDigits, miniCPM5], ignoresMerges: true),
    GGUFPreTokenizer(
      names: ["gemma4", "granite-embed-multi-311m", "sarvam-moe"], patterns: [lines], spellsBytes: false),
  ]
}

/// The patterns.
extension GGUFPreTokenizer {
  /// llama.cpp leaves the last branch to its own scanner.
  static let gpt2 = #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#
  static let contractions = "(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])"
  private static let words = #"|[^\r\n\p{L}\p{N}]?\p{L}+|"#
  private static let signRun = #"| ?[^\s\p{L}\p{N}]+[\r\n]*"#
  private static let lineEnds = #"|\s*[\r\n]+|\s+(?!\S)|\s+"#
  private static let llama3 = contractions + words + #"\p{N}{1,3}"# + signRun + lineEnds
  private static let qwen2 = contractions + words + #"\p{N}"# + signRun + lineEnds
  private static let qwen35 =
    contractions + #"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*"# + lineEnds
  private static let miniCPM5 = contractions + words + #"\p{N}+"# + signRun + lineEnds
  private static let ufakzeka = #"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"# + signRun + lineEnds
  private static let seedCoder = contractions + words + #"\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+"# + lineEnds
  private static let bailing =
    "'(?:[sSdDmMtT]|[lL][lL]|[vV][eE]|[rR][eE])" + words + #"\p{N}"# + signRun + #"|\s*[\r\n]|\s+(?!\S)|\s+"#
  private static let exaoneMoE =
    contractions + #"|[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]?"#
    + #"|\s*[\r\n]|\s+(?!\S)|\s+"#
  private static let jais2: String = {
    let runs = [512, 256, 128, 64, 32, 16, 8, 4].map { #"|\s{\#($0)}(?!\S)"# }
    return contractions + words + #"\p{N}{1,3}"# + signRun + #"|\s*[\r\n]+"# + runs.joined()
      + #"|\s{1,2}(?!\S)|\s{1}"#
  }()

  static let digit = #"\p{N}"#
  private static let digits = #"\p{N}+"#
  private static let threeDigits = "[0-9][0-9][0-9]"
  private static let upToThreeDigits = #"\p{N}{1,3}"#
  private static let signs = #"[\p{P}\$\+<=>\^~\|]+"#
  private static let signsAndBacktick = #"[\p{P}\$\+<=>\^~\|`]+"#
  private static let lines = #"[^\n]+|[\n]+"#
  private static let bloom = #" ?[^(\s|.,!?…。，、।۔،)]+"#

  private static let lineEnd = "[\r\n]"
  static let finalSpaces = #"\s+$"#
  static let spacedLetters = #"\s?["# + deepSeekLetters + "]+"
  /// llama.cpp's range begins with U+3000, which is white space.
  private static let spacedSigns = #"\s?[!-/:-~！-／：-～‘-‟、-。]+"#
  private static let ideographs = #"(?:(?!\s)[一-龥\u{800}-一가-\u{D7FF}])+"#
  private static let kana = "[一-龥\u{3040}-ゟ゠-ヿ]+"
  private static let asian = "[가-힣ㄱ-ㆎ]+|[！…“”‘’—：；，、-〿︰-﹏]+|[ㄅ-ㄯ]+|" + kana
  private static let deepSeekWords =
    ##"[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"##
  private static let deepSeek3 = deepSeekWords + #"| ?[\p{P}\p{S}]+[\r\n]*"# + lineEnds
  private static let spark = deepSeekWords + #"| ?[\p{P}\p{S}]+|[\r\n]|\s+(?!\S)|\s+"#

  private static let signsWithSlash = #"| ?[^\s\p{L}\p{N}]+[\r\n/]*"# + lineEnds
  private static let tekken = cased() + #"|\p{N}"# + signsWithSlash
  private static let gpt4o = cased(suffix: contractions + "?") + #"|\p{N}{1,3}"# + signsWithSlash
  private static let granite = cased(hasMarks: true, suffix: contractions + "?") + #"|\p{N}{1,3}"# + signsWithSlash
  private static let youtu: String = {
    let (start, letter) = (#"[^\r\n\p{L}\p{N}]?"#, #"[\p{L}\p{M}]"#)
    let (first, second) = (start + letter + "*" + letter + "+", start + letter + "+" + letter + "*")
    let suffix = contractions + "?"
    return first + suffix + "|" + second + suffix + #"|\p{N}"# + signsWithSlash
  }()

  /// Letters that are not lower-case ASCII and then such that are not upper-case ASCII, at least one of either.
  private static func cased(hasMarks: Bool = false, suffix: String = "") -> String {
    let letter = hasMarks ? #"[\p{L}\p{M}]"# : #"[\p{L}]"#
    let (upper, lower) = ("(?:(?=" + letter + ")[^a-z])", "(?:(?=" + letter + ")[^A-Z])")
    let start = #"[^\r\n\p{L}\p{N}]?"#
    return start + upper + "*" + lower + "+" + suffix + "|" + start + upper + "+" + lower + "*" + suffix
  }

  private static let deepSeekLetters =
    "A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛὝὟ-ώᾀ-ᾴᾶ-ᾼιῂ-ῄῆ-ῌῐ-ΐῖ-Ίῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤΩℨK-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃"
}
