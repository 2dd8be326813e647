import KistCheckpoints
import KistCore

/// The tokens that llama.cpp finds in the text itself, before the model sees it.
///
/// They are those of the types control, unknown and user-defined. What a file calls an ordinary token becomes one of them when it looks like
/// one: texts that end a turn, or mark what to fill in. - Source: llama.cpp, `llama_vocab::impl::load`, "auto-detect special tokens by text".
enum GGUFAddedTokens {
  static func tokens(
    _ keys: GGUFTokenizerKeys, _ tokens: GGUFTokens, _ special: GGUFSpecialIDs
  ) throws(KistError) -> [AddedToken] {
    var kinds = tokens.kinds
    try overrideKinds(&kinds, keys, tokens)
    let strips = try Stripping(keys)
    var added: [AddedToken] = []
    for (id, kind) in kinds.enumerated() where [.control, .unknown, .userDefined].contains(kind) {
      var token = AddedToken(content: tokens.texts[id], id: UInt32(id))
      token.isNormalized = false
      token.isSpecial = kind != .userDefined
      token.stripsASCIISpaceOnly = true
      token.stripsLeft = strips.left.contains(token.content)
      token.stripsRight = strips.strips(rightOf: token.content)
      added.append(token)
    }
    if canOverlap(added) {
      for index in added.indices { added[index].yieldsToLonger = true }
    }
    return added
  }

  // MARK: - Types by text

  private static func overrideKinds(
    _ kinds: inout [GGUFTokens.Kind], _ keys: GGUFTokenizerKeys, _ tokens: GGUFTokens
  ) throws(KistError) {
    func id(_ text: String) -> Int? { tokens.ids[Array(text.utf8)].map { Int($0) } }
    for (names, texts) in GGUFSpecialTexts.byKey {
      // Where the file names the token, its text says nothing.
      var isNamed = false
      for name in names where try keys.id(name) != nil { isNamed = true }
      if !isNamed, let found = texts.compactMap(id).first { kinds[found] = .control }
    }
    for found in GGUFSpecialTexts.ending.compactMap(id) { kinds[found] = .control }
    for found in GGUFSpecialTexts.alwaysShown.compactMap(id) { kinds[found] = .userDefined }
    func has(_ text: String) -> Bool { id(text) != nil }
    let calls = has("<|call|>") || has("<|calls|>")
    if let end = id("<|end|>"), calls, has("<|return|>") || has("<|flush|>") { kinds[end] = .userDefined }
    if has("<|tool_response>") || has("<|plamo:eos|>"), let closing = id("</s>") { kinds[closing] = .normal }
  }

  // MARK: - White space

  /// Which tokens take white space along: the files don't say, so llama.cpp goes by names.
  private struct Stripping {
    var left: Set<[UInt8]> = []
    private let isPhi3: Bool

    init(_ keys: GGUFTokenizerKeys) throws(KistError) {
      let pre = try keys.text("pre") ?? ""
      let architecture = try keys.text(key: "general.architecture") ?? ""
      let name = (try keys.text(key: "general.name") ?? "").lowercased()
      let masks = ["jina-v2-de", "jina-v2-es", "jina-v2-code"].contains { pre.contains($0) }
      if masks || ["nomic-bert-moe", "jina-bert-v3"].contains(where: { architecture.contains($0) }) {
        left = [Array("<mask>".utf8)]
        isPhi3 = false
      } else {
        isPhi3 = name.contains("phi-3") || name.contains("phi3")
        if !isPhi3, name.contains("modern-bert") { left = [Array("[MASK]".utf8)] }
      }
    }

    func strips(rightOf token: [UInt8]) -> Bool {
      isPhi3 && !["<unk>", "<s>", "<|endoftext|>"].contains { token.elementsEqual($0.utf8) }
    }
  }

  // MARK: - Overlaps

  /// Whether two tokens can overlap in a text so that it matters: llama.cpp looks for longer ones first, in the whole text, and passes over
  /// special ones that it is not to parse as if they were not there. Runs of one character come out the same both ways.
  private static func canOverlap(_ added: [AddedToken]) -> Bool {
    // Looking into long ones takes the square of their length; the careful search is right for all.
    guard !added.contains(where: { $0.content.count > 256 }) else { return true }
    // Where tokens take white space along, those of white space are found in what the others leave.
    let strips = added.contains { $0.stripsLeft || $0.stripsRight }
    let isSpace = { (byte: UInt8) in byte == 0x20 || (0x09...0x0D).contains(byte) }
    if strips, added.contains(where: { $0.content.contains(where: isSpace) }) { return true }
    var longest: [ArraySlice<UInt8>: Int] = [:]
    let shown = Set(added.filter { !$0.isSpecial }.map { $0.content[...] })
    for token in added {
      for end in 1..<max(1, token.content.count) {
        longest[token.content[..<end]] = max(longest[token.content[..<end]] ?? 0, token.content.count)
      }
    }
    for token in added where Set(token.content).count > 1 {
      for start in 0..<token.content.count {
        if start > 0, let other = longest[token.content[start...]], other > token.content.count { return true }
        guard token.isSpecial, !shown.isEmpty else { continue }
        for end in start + 1...token.content.count where shown.contains(token.content[start..<end]) { return true }
      }
    }
    return false
  }
}

/// Texts of tokens that llama.cpp takes for special ones. - Source: llama.cpp, `llama_vocab::impl::load`.
enum GGUFSpecialTexts {
  /// By the keys that would name the token.
  static let byKey: [(keys: [String], texts: [String])] = [
    (
      ["eot_token_id"],
      [
        "<|eot_id|>", "<|im_end|>", "<|end|>", "<end_of_turn>", "<|endoftext|>", "<|end_of_text|>", "<EOT>", "_<EOT>",
        "[EOT]", "<｜end▁of▁sentence｜>", "<end_of_utterance>",
      ]
    ),
    (["eom_token_id"], ["<|eom_id|>"]),
    (
      ["fim_pre_token_id", "prefix_token_id"],
      [
        "<|fim_prefix|>", "<fim-prefix>", "<fim_prefix>", "<｜fim▁begin｜>", "<PRE>", "▁<PRE>", "<|code_prefix|>",
        "<|prefix|>",
      ]
    ),
    (
      ["fim_suf_token_id", "suffix_token_id"],
      [
        "<|fim_suffix|>", "<fim-suffix>", "<fim_suffix>", "<｜fim▁hole｜>", "<SUF>", "▁<SUF>", "<|code_suffix|>",
        "<|suffix|>",
      ]
    ),
    (
      ["fim_mid_token_id", "middle_token_id"],
      [
        "<|fim_middle|>", "<fim-middle>", "<fim_middle>", "<｜fim▁end｜>", "<MID>", "▁<MID>", "<|code_middle|>",
        "<|middle|>",
      ]
    ),
    (["fim_pad_token_id"], ["<|fim_pad|>", "<fim-pad>", "<fim_pad>", "<PAD>", "[PAD]"]),
    (["fim_rep_token_id"], ["<|fim_repo|>", "<|repo_name|>", "<fim-repo>", "<REPO>", "<reponame>"]),
    (["fim_sep_token_id"], ["<|file_sep|>"]),
  ]

  /// They end a generation.
  static let ending = [
    "<|eot_id|>", "<|im_end|>", "<|end|>", "<|return|>", "<|call|>", "<|flush|>", "<|calls|>", "<end_of_turn>",
    "<|endoftext|>", "</s>", "<|eom_id|>", "<EOT>", "_<EOT>", "[EOT]", "[EOS]", "<|end_of_text|>",
    "<end_of_utterance>", "<eos>", "<turn|>", "<|tool_response>", "<｜end▁of▁sentence｜>", "[e~[",
  ]

  /// GPT-OSS's, which llama.cpp always shows.
  static let alwaysShown = ["<|channel|>", "<|message|>", "<|start|>", "<|constrain|>"]
}
