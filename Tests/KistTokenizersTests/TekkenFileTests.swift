import KistCore
import KistTokenizers
import TestSupport
import Testing

struct TekkenFileTests {
  @Test func `ids follow the special tokens`() throws {
    let definition = try fixture("tekken")
    guard case .bpe(let bpe) = definition.model else { return #expect(Bool(false)) }
    #expect(bpe.merges == .byRank)
    #expect(bpe.vocabulary.tokens.first == Vocabulary.Token(bytes: [0], id: 24))
    #expect(definition.addedTokens.count == 24)
    #expect(definition.addedTokens[4].content == Array("[/INST]".utf8))
    #expect(definition.addedTokens[23].content == Array("<SPECIAL_23>".utf8))
  }

  @Test(arguments: [
    (#"{"config":{"pattern":"x"},"vocab":[]}"#, "config.default_vocab_size"),
    (
      #"{"config":{"pattern":"x","default_vocab_size":1,"default_num_special_tokens":2},"vocab":[]}"#,
      "config.default_vocab_size"
    ),
    (#"{"config":{"pattern":"x","default_vocab_size":3,"default_num_special_tokens":2},"vocab":[]}"#, "vocab"),
    (
      #"{"config":{"pattern":"x","default_vocab_size":1,"default_num_special_tokens":0},"vocab":[{"rank":0,"token_bytes":"AQ=="}]}"#,
      "vocab[0].token_bytes"
    ),
    (
      #"{"config":{"pattern":"x","default_vocab_size":1,"default_num_special_tokens":0},"vocab":[{"rank":1,"token_bytes":"AA=="}]}"#,
      "vocab[0].rank"
    ),
  ])
  func `a bad field is named`(_ text: String, field: String) {
    let bytes = Array(text.utf8)
    let error = #expect(throws: KistError.self) { try unsafe TekkenFile.read(bytes.span.bytes) }
    #expect(error?.field == field)
  }
}
