import KistCore
import KistTokenizers
import TestSupport
import Testing

struct TiktokenFileTests {
  @Test(arguments: [
    ("llama3", 128_000, 256, "<|begin_of_text|>", UInt32(128_000)), ("whisper", 50257, 1608, "<|notimestamps|>", 50363),
  ])
  func `shared ranks are recognized by their number`(
    _ name: String, count: Int, specialCount: Int, special: String, id: UInt32
  ) throws {
    guard let path = shared("tokenizers/\(name)") else { return }
    let definition = try TokenizerSource.read(path: path)
    #expect(definition.reference == .tiktoken)
    #expect(definition.model.vocabulary.tokens.count == count)
    #expect(definition.addedTokens.count == specialCount)
    #expect(definition.addedTokens.first { $0.content == Array(special.utf8) }?.id == id)
    #expect(definition.decoder == .bytes)
  }

  @Test func `a file's name tells the encoding`() throws {
    let definition = try fixture("tiktoken-cl100k_base")
    guard case .split(.regex(let pattern, .rust), .removed, inverted: true) = definition.preTokenizer else {
      return #expect(Bool(false))
    }
    #expect(pattern.hasPrefix("'(?i:"))
    #expect(definition.addedTokens.first { $0.content == Array("<|endofprompt|>".utf8) }?.id == 100276)
    let llama = try fixture("tiktoken-llama3")
    #expect(llama.addedTokens.last?.content == Array("<|reserved_special_token_250|>".utf8))
    #expect(llama.addedTokens.map(\.id).min() == UInt32(llama.model.vocabulary.tokens.count))
  }

  @Test func `an encoding can be chosen`() throws {
    let bytes = try readFile(repository + "/Fixtures/tokenizers/files/tiktoken-r50k_base/r50k_base.tiktoken")
    let encoding = try #require(TiktokenEncoding.named("qwen"))
    #expect(try TiktokenFile.read(bytes, encoding: encoding).normalizer == .nfc)
    let error = #expect(throws: KistError.self) { try TiktokenFile.read(bytes) }
    #expect(error?.advice?.contains("o200k_base") == true)
  }

  @Test(arguments: [
    ("IQ== 0\nIg== x\n", "line 2"), ("IQ== 0\nIQ== 1\n", "line 2"), ("IQ== 0\nIg 1\n", "line 2"), ("IQ==\n", "line 1"),
    ("IQ== 0\nIg== 0\n", "ranks"), ("IQ== 0\nIg== 4294967296\n", "line 2"), ("IQ== 0\n", "ranks"), ("== 0\n", "line 1"),
  ])
  func `a bad line is named`(_ text: String, field: String) {
    let error = #expect(throws: KistError.self) {
      try TiktokenFile.read(Array(text.utf8), encoding: TiktokenEncoding.named("cl100k_base"))
    }
    #expect(error?.field == field)
  }
}
