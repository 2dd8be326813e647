import KistCore
import KistTokenizers
import TestSupport
import Testing

struct SentencePieceFileTests {
  @Test func `a BPE model is read`() throws {
    let definition = try fixture("sentencepiece-bpe")
    #expect(definition.reference == .sentencePiece)
    guard case .bpe(let bpe) = definition.model, case .byScore(let scores) = bpe.merges else {
      return #expect(Bool(false))
    }
    #expect(bpe.byteFallback)
    #expect(bpe.unknown == 0)
    #expect(scores.count == 480 && bpe.kinds.count == 480 && bpe.vocabulary.tokens.count == 480)
    #expect(bpe.kinds.filter { $0 == .byte }.count == 256)
    guard case .sentencePiece(let normalizer) = definition.normalizer else { return #expect(Bool(false)) }
    #expect(normalizer.userDefinedSymbols == ["<sep>", "thé", "  "].map { Array($0.utf8) })
    #expect(!normalizer.removesExtraWhitespaces && normalizer.addsDummyPrefix && normalizer.escapesWhitespaces)
    #expect(definition.addedTokens.map(\.content) == ["<s>", "</s>"].map { Array($0.utf8) })
  }

  @Test func `a Unigram model is read`() throws {
    let definition = try fixture("sentencepiece-unigram")
    guard case .unigram(let unigram) = definition.model else { return #expect(Bool(false)) }
    #expect(unigram.scores.count == unigram.vocabulary.tokens.count)
    #expect(unigram.kinds.filter { $0 == .userDefined }.count == 2)
    guard case .sentencePiece(let normalizer) = definition.normalizer else { return #expect(Bool(false)) }
    #expect(normalizer.charsmap.count > 1024)
    #expect(definition.addedTokens.map(\.content).contains(Array("<ctl>".utf8)))
  }

  @Test func `flags of the specs are read`() throws {
    guard case .sentencePiece(let suffix) = try fixture("sentencepiece-bpe-suffix").normalizer else {
      return #expect(Bool(false))
    }
    #expect(suffix.treatsWhitespaceAsSuffix)
    let definition = try fixture("sentencepiece-bpe-no-prefix")
    #expect(
      definition.decoder
        == .sentencePiece(addsDummyPrefix: false, removesExtraWhitespaces: true, unknownSurface: Array("[?]".utf8)))
  }

  @Test(arguments: [("mistral", 32000), ("sentencepiece-unigram", 1000)])
  func `shared models are read`(_ name: String, count: Int) throws {
    guard let path = shared("tokenizers/\(name)") else { return }
    let definition = try TokenizerSource.read(path: path)
    #expect(definition.reference == .sentencePiece)
    #expect(definition.model.vocabulary.tokens.count == count)
  }

  private static let unknown: [UInt8] = [0x0A, 9, 0x0A, 5] + Array("<unk>".utf8) + [0x18, 2]

  @Test(
    arguments: [
      (unknown + unknown, "already defined"), ([0x0A, 3, 0x0A, 1, 0x61], "no unknown"), (unknown + [0x0A, 0], "empty"),
      (unknown + [0x0A, 5, 0x0A, 1, 0x61, 0x18, 6], "byte_fallback"), (unknown + [0x0A, 100], "past its end"),
      (unknown + [0x12, 2, 0x18, 3], "WORD"), (unknown + [0x0B], "wire type"),
      (unknown + [0x12, 3, 0x98, 0x02, 1], "256 bytes"),
      (unknown + [0x0A, 7, 0x0A, 5, 0x61, 0, 0x61, 0x61, 0x61], "null character"),
    ] as [([UInt8], String)])
  func `what sentencepiece refuses is refused`(_ bytes: [UInt8], words: String) {
    let error = #expect(throws: KistError.self) { try SentencePieceFile.read(bytes) }
    #expect(error.map { "\($0)".contains(words) } == true, "\(error.map { "\($0)" } ?? "")")
  }

  @Test func `every cut and every change is read or refused`() throws {
    let bytes = try readFile(repository + "/Fixtures/tokenizers/files/sentencepiece-unigram/tokenizer.model")
    for count in stride(from: 0, to: bytes.count, by: 13) { _ = try? SentencePieceFile.read(Array(bytes[..<count])) }
    var random = SeededGenerator(seed: 11)
    for _ in 0..<1000 {
      var changed = bytes
      for _ in 0..<3 {
        changed[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      _ = try? SentencePieceFile.read(changed)
    }
  }
}
