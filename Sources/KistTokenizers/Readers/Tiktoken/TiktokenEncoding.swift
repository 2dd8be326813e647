/// What belongs to a file of ranks beyond the ranks.
package struct TiktokenEncoding: Sendable {
  package let name: String
  /// How many ranks its file has; files are recognized by it.
  let rankCount: Int
  package let pattern: String
  var normalizer: Normalizer?
  /// Special tokens by the number of ranks.
  let specials: @Sendable (Int) -> [(content: [UInt8], id: UInt32)]

  /// The encoding of a name, without a file's extension: `cl100k_base`.
  package static func named(_ name: String) -> TiktokenEncoding? {
    known.first { $0.name.utf8.elementsEqual(name.utf8) }
  }

  /// The encoding of a file, by its name, else by the number of its ranks.
  static func find(name: String, rankCount: Int) -> TiktokenEncoding? {
    let stem = String(decoding: name.utf8.prefix { $0 != UInt8(ascii: ".") }, as: UTF8.self)
    return named(stem) ?? known.first { $0.rankCount == rankCount }
  }

  /// Of those with the same number of ranks the first is chosen unless another is named.
  package static let known = [
    r50k, gpt2, p50k, p50kEdit, cl100k, o200k, o200kHarmony, llama3, llama31, whisper, whisper3, qwen,
  ]
}

// Source: tiktoken_ext, `openai_public.py`.
extension TiktokenEncoding {
  static let r50kPattern = #"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s"#
  static let cl100kPattern =
    #"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|"#
    + #"\s+(?!\S)|\s"#
  static let o200kPattern =
    #"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"#
    + #"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"#
    + #"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"#

  static let gpt2 = TiktokenEncoding(
    name: "gpt2", rankCount: 50256, pattern: r50kPattern, specials: fixed([("<|endoftext|>", 50256)]))
  static let r50k = TiktokenEncoding(
    name: "r50k_base", rankCount: 50256, pattern: r50kPattern, specials: fixed([("<|endoftext|>", 50256)]))
  static let p50k = TiktokenEncoding(
    name: "p50k_base", rankCount: 50280, pattern: r50kPattern, specials: fixed([("<|endoftext|>", 50256)]))
  static let p50kEdit = TiktokenEncoding(
    name: "p50k_edit", rankCount: 50280, pattern: r50kPattern,
    specials: fixed([
      ("<|endoftext|>", 50256), ("<|fim_prefix|>", 50281), ("<|fim_middle|>", 50282), ("<|fim_suffix|>", 50283),
    ]))
  static let cl100k = TiktokenEncoding(
    name: "cl100k_base", rankCount: 100256, pattern: cl100kPattern,
    specials: fixed([
      ("<|endoftext|>", 100257), ("<|fim_prefix|>", 100258), ("<|fim_middle|>", 100259), ("<|fim_suffix|>", 100260),
      ("<|endofprompt|>", 100276),
    ]))
  static let o200k = TiktokenEncoding(
    name: "o200k_base", rankCount: 199998, pattern: o200kPattern,
    specials: fixed([("<|endoftext|>", 199999), ("<|endofprompt|>", 200018)]))
  static let o200kHarmony = TiktokenEncoding(
    name: "o200k_harmony", rankCount: 199998, pattern: o200kPattern, specials: fixed(harmonySpecials))

  /// `<|endofprompt|>` and `<|reserved_200018|>` share an id there.
  private static let harmonySpecials: [(String, UInt32)] = {
    let named: [UInt32: String] = [
      199998: "startoftext", 199999: "endoftext", 200002: "return", 200003: "constrain", 200005: "channel",
      200006: "start", 200007: "end", 200008: "message", 200012: "call",
    ]
    return (199998..<201088).map { ("<|\(named[$0] ?? "reserved_\($0)")|>", $0) } + [("<|endofprompt|>", 200018)]
  }()

  private static func fixed(
    _ specials: [(String, UInt32)]
  ) -> @Sendable (Int) -> [(content: [UInt8], id: UInt32)] {
    { _ in specials.map { (Array($0.0.utf8), $0.1) } }
  }

  /// Special tokens that follow the ranks.
  private static func following(_ names: [String]) -> @Sendable (Int) -> [(content: [UInt8], id: UInt32)] {
    { count in names.enumerated().map { (Array($0.element.utf8), UInt32(count + $0.offset)) } }
  }
}

// Encodings whose files other libraries read with tiktoken.
extension TiktokenEncoding {
  /// Source: meta-llama/llama3, `tokenizer.py`.
  static let llama3Pattern =
    #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
  static let llama3 = TiktokenEncoding(
    name: "llama3", rankCount: 128_000, pattern: llama3Pattern,
    specials: following(
      ["<|begin_of_text|>", "<|end_of_text|>"] + llamaReserved(0..<4)
        + ["<|start_header_id|>", "<|end_header_id|>", "<|reserved_special_token_4|>", "<|eot_id|>"]
        + llamaReserved(5..<251)))
  /// Source: meta-llama/llama-models, `models/llama3/tokenizer.py`.
  static let llama31 = TiktokenEncoding(
    name: "llama3.1", rankCount: 128_000, pattern: llama3Pattern,
    specials: following(
      ["<|begin_of_text|>", "<|end_of_text|>"] + llamaReserved(0..<2)
        + [
          "<|finetune_right_pad_id|>", "<|step_id|>", "<|start_header_id|>", "<|end_header_id|>", "<|eom_id|>",
          "<|eot_id|>", "<|python_tag|>", "<|image|>",
        ] + llamaReserved(2..<246)))

  private static func llamaReserved(_ numbers: Range<Int>) -> [String] {
    numbers.map { "<|reserved_special_token_\($0)|>" }
  }

  /// Source: openai/whisper, `tokenizer.py`: models up to large-v2 know 99 languages, large-v3 one more.
  static let whisper = TiktokenEncoding(
    name: "multilingual", rankCount: 50257, pattern: whisperPattern,
    specials: following(whisperSpecials(languages: whisperLanguages.dropLast())))
  static let whisper3 = TiktokenEncoding(
    name: "multilingual-v3", rankCount: 50257, pattern: whisperPattern,
    specials: following(whisperSpecials(languages: whisperLanguages[...])))

  static let whisperPattern =
    #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#

  private static let whisperLanguages = """
    en zh de es ru ko fr ja pt tr pl ca nl ar sv it id hi fi vi he uk el ms cs ro da hu ta no th ur hr bg lt la mi ml cy sk te fa lv bn \
    sr az sl kn et mk br eu is hy ne mn bs kk sq sw gl mr pa si km sn yo so af oc ka be tg sd gu am yi lo uz fo ht ps tk nn mt sa lb my \
    bo tl mg as tt haw ln ha ba jw su yue
    """.split(separator: " ").map(String.init)

  private static func whisperSpecials(languages: ArraySlice<String>) -> [String] {
    let tasks = ["translate", "transcribe", "startoflm", "startofprev", "nospeech", "notimestamps"]
    // Time stamps, every 20 ms up to 30 s.
    let times = (0...1500).map { hundredths -> String in
      let fraction = String(2 * hundredths % 100)
      return "\(2 * hundredths / 100).\(fraction.utf8.count == 1 ? "0" : "")\(fraction)"
    }
    return (["endoftext", "startoftranscript"] + languages + tasks + times).map { "<|\($0)|>" }
  }

  /// Source: Qwen/Qwen-7B, `tokenization_qwen.py`, which also composes text.
  static let qwen = TiktokenEncoding(
    name: "qwen", rankCount: 151_643,
    pattern:
      #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#,
    normalizer: .nfc,
    specials: following(
      ["<|endoftext|>", "<|im_start|>", "<|im_end|>"] + (0..<205).map { "<|extra_\($0)|>" }))
}
