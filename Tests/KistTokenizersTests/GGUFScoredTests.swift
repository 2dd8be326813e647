import KistCheckpoints
import KistCore
import KistTokenizers
import TestSupport
import Testing

/// A tokenizer.json of Llama's kind as a GGUF: merges become scores, by which llama.cpp merges.
@Suite struct GGUFScoredTests {
  private static let words = [
    "▁t", "he", "▁the", "in", "▁in", "er", "▁a", "an", "th", "▁th", "at", "▁that", "ing", "on", "▁on", "re", "es",
    "▁hein",
  ]
  /// The pairs that make them, in an order that is not that of ids.
  private static let merges = [
    ("i", "n"), ("▁", "t"), ("h", "e"), ("e", "r"), ("▁t", "he"), ("a", "n"), ("▁", "a"), ("in", "g"), ("▁", "in"),
    ("t", "h"), ("▁t", "h"), ("a", "t"), ("▁th", "at"), ("o", "n"), ("▁", "on"), ("r", "e"), ("e", "s"),
  ]

  private static func json(prependsSpace: Bool) -> String {
    var vocabulary = ["<unk>", "<s>", "</s>"] + (0..<256).map { ByteToken.text($0) }
    vocabulary += Array("▁abcdefghijklmnopqrstuvwxyz.,").map(String.init) + words
    let entries = vocabulary.enumerated().map { "\"\($1)\": \($0)" }.joined(separator: ", ")
    let pairs = merges.map { "\"\($0) \($1)\"" }.joined(separator: ", ")
    let escape = #"{"type": "Replace", "pattern": {"String": " "}, "content": "▁"}"#
    let normalizer =
      prependsSpace
      ? #"{"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"}, \#(escape)]}"# : escape
    let added = ["<unk>", "<s>", "</s>"].enumerated().map { id, text in
      #"{"id": \#(id), "content": "\#(text)", "single_word": false, "lstrip": false, "rstrip": false, "#
        + #""normalized": false, "special": true}"#
    }.joined(separator: ", ")
    return """
      {"version": "1.0", "truncation": null, "padding": null, "added_tokens": [\(added)], "normalizer": \(normalizer),
       "pre_tokenizer": null, "post_processor": null, "decoder": {"type": "Sequence", "decoders": [
         {"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"}]},
       "model": {"type": "BPE", "dropout": null, "unk_token": "<unk>", "continuing_subword_prefix": null,
         "end_of_word_suffix": null, "fuse_unk": true, "byte_fallback": true, "ignore_merges": false,
         "vocab": {\(entries)}, "merges": [\(pairs)]}}
      """
  }

  @Test(arguments: [true, false])
  func `a GGUF gives the ids of the tokenizer that it was made of`(_ prependsSpace: Bool) throws {
    let json = Self.json(prependsSpace: prependsSpace)
    let files = TokenizerFiles(names: ["tokenizer.json"]) { _ in Array(json.utf8) }
    let original = try Tokenizer(TokenizerSource.read(files: files))
    let choice = GGUFTokenizerWriter.Choice(
      size: 320, prefersPieces: true, preTokenizer: "llama-bpe", spacePrefix: nil, statesSpacePrefix: true,
      fixedTokens: [])
    var writer = GGUFWriter()
    for key in try #require(try GGUFTokenizerWriter.keys(files, choice)) { try key.add(to: &writer) }
    let inGGUF = try Tokenizer(GGUFTokenizer.read(writer.layOut().header))
    var settings = original.referenceSettings
    settings.additions = .none
    let texts = [
      "the thing in the rain", "that is on the other hand, then.", "  two  spaces ", "hein", "the", "é and 東京",
      "thethethe",
      "singing in an inn", "reres rereres",
    ]
    for text in texts {
      #expect(
        try inGGUF.encode(Array(text.utf8), settings) == original.encode(Array(text.utf8), settings), "\(text)")
    }
  }
}

extension ByteToken {
  fileprivate static func text(_ byte: Int) -> String { String(decoding: name(of: UInt8(byte)), as: UTF8.self) }
}
