import Foundation
import KistCore
import KistTokenizers
import TestSupport
import Testing

/// A compiled tokenizer that was damaged is refused, or gives some ids: it never crashes, hangs or reads elsewhere.
struct TokenizerRecordFuzzTests {
  private static let caseCount =
    (ProcessInfo.processInfo.environment["KIST_FUZZ_CASES"].flatMap(Int.init) ?? 12_000) / 6

  private static let text = Array("The naïve café, 42 <|endoftext|> [CLS]\r\n 日本語 🙂 ▁x <0x41> ".utf8)

  @Test(arguments: [
    "gpt2", "llama2", "bert-uncased", "unigram-byte-fallback", "sentencepiece-bpe", "sentencepiece-unigram",
  ])
  func `a mutated record is refused or gives ids`(name: String) throws {
    let definition = try TokenizerSource.read(path: "\(repository)/Fixtures/tokenizers/files/\(name)")
    let record = try Tokenizer.compile(definition)
    var random = SeededGenerator(seed: UInt64(name.utf8.count))
    for _ in 0..<Self.caseCount {
      var bytes = record
      for _ in 0..<Int.random(in: 1...8, using: &random) {
        // Half of the changes hit the head and the first sections, where every byte matters.
        let end = Bool.random(using: &random) ? bytes.count : min(bytes.count, 1024)
        bytes[Int.random(in: 0..<end, using: &random)] =
          [0, 1, 0x7F, 0x80, 0xFF, UInt8.random(in: 0...255, using: &random)]
          .randomElement(using: &random) ?? 0
      }
      if Int.random(in: 0..<8, using: &random) == 0 {
        bytes.removeLast(Int.random(in: 1...bytes.count, using: &random))
      }
      try use(bytes)
    }
  }

  private func use(_ bytes: [UInt8]) throws {
    let tokenizer: Tokenizer
    do { tokenizer = try Tokenizer(record: RecordStorage(bytes)) } catch is KistError { return }
    let settings = Tokenizer.EncodingSettings(specialTokens: .parsed, additions: .added)
    do {
      let ids = try tokenizer.encode(Self.text, settings)
      _ = try tokenizer.decode(ids, skippingSpecialTokens: false)
      for id in ids.prefix(8) { _ = (tokenizer.token(id), tokenizer.surface(of: id)) }
      #expect(tokenizer.idCount <= 1 << 25)
      _ = try? tokenizer.mergeSteps(of: Array("the cat".utf8))
    } catch is KistError {}
  }
}
