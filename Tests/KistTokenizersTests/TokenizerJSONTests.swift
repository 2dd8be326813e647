import Foundation
import KistCore
import KistTokenizers
import TestSupport
import Testing

/// Folders of Fixtures/tokenizers/files, made by Fixtures/make/tokenizers.py.
let tokenizerFixtures: [String] = {
  let root = repository + "/Fixtures/tokenizers/files"
  return ((try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []).sorted()
}()

func fixture(_ name: String) throws -> TokenizerDefinition {
  try TokenizerSource.read(path: "\(repository)/Fixtures/tokenizers/files/\(name)")
}

func read(_ text: String) throws(KistError) -> TokenizerDefinition {
  let bytes = Array(text.utf8)
  return try unsafe TokenizerJSON.read(bytes.span.bytes)
}

struct TokenizerJSONTests {
  /// A form of tokenizer.json, and what the library says to it.
  struct Case: Codable, CustomTestStringConvertible {
    var name: String
    var text: String
    var understood: String?
    var stricter: String?

    var testDescription: String { name }
  }

  static let cases: [Case] = {
    let lines = (try? readFile(repository + "/Fixtures/tokenizers/reader/cases.jsonl")) ?? []
    return lines.split(separator: 0x0A).compactMap { try? JSONDecoder().decode(Case.self, from: Data($0)) }
  }()

  @Test func `there are cases and fixtures`() {
    #expect(Self.cases.count > 100)
    #expect(tokenizerFixtures.count > 100)
  }

  @Test(arguments: cases)
  func `what the library accepts is accepted and understood alike, what it refuses is refused`(_ item: Case) throws {
    guard let understood = item.understood, item.stricter == nil else {
      #expect(throws: KistError.self) { try read(item.text) }
      return
    }
    #expect(try read(item.text) == read(understood))
  }

  @Test(arguments: cases.filter { $0.understood != nil && $0.stricter == nil })
  func `a definition is written as the library writes it`(_ item: Case) throws {
    // What a definition does not keep: an unknown token that is not there, tokens of a template that it does not use, flags for offsets.
    let lossy = ["an unknown token that is not there", "dropout", "without type", "byte level"]
    let definition = try read(item.text)
    let written = try TokenizerJSON.encode(definition)
    if !lossy.contains(where: { item.name.contains($0) }) {
      #expect(String(decoding: written, as: UTF8.self) == item.understood)
    }
    if !item.name.contains("an unknown token that is not there") && !item.name.contains("word") {
      #expect(try read(String(decoding: written, as: UTF8.self)) == definition)
    }
  }

  @Test func `numbers are those that serde_json makes of the text`() throws {
    let folder = repository + "/Fixtures/tokenizers/reader/"
    let definition = try read(String(decoding: readFile(folder + "numbers.json"), as: UTF8.self))
    guard case .unigram(let unigram) = definition.model else { return #expect(Bool(false)) }
    let bits = try readFile(folder + "numbers.hex").split(separator: 0x0A).map {
      UInt64(String(decoding: $0, as: UTF8.self), radix: 16)
    }
    #expect(unigram.scores.count == 411)
    for (score, expected) in zip(unigram.scores, bits) { #expect(score.bitPattern == expected, "\(score)") }
  }

  @Test(arguments: [
    (#"{"model":{"type":"BPE","vocab":{"a":0,"b":1},"merges":["a b"]}}"#, "model.merges[0]", "'ab'"),
    (#"{"model":{"type":"BPE","vocab":{"a":0},"merges":["a c"]}}"#, "model.merges[0]", "'c'"),
    (#"{"model":{"type":"BPE","vocab":{"a":7,"b":7},"merges":[]}}"#, "model.vocab", "id 7"),
    (#"{"model":{"type":"Foo"}}"#, "model.type", "'Foo'"),
    (
      #"{"model":{"vocab":{},"merges":[]},"normalizer":{"type":"Sequence","normalizers":[{"type":"X"}]}}"#,
      "normalizer.normalizers[0].type", "'X'"
    ),
    (
      #"{"model":{"vocab":{},"merges":[]},"decoder":{"type":"Strip","content":" ","start":1}}"#, "decoder.stop",
      "missing"
    ),
    (
      #"{"model":{"vocab":{},"merges":[]},"added_tokens":[{"id":0,"content":"x"}]}"#, "added_tokens[0].single_word",
      "missing"
    ),
    (#"{"model":{"vocab":{"a":-1},"merges":[]}}"#, "model.vocab", "'a'"),
  ])
  func `errors name the field and the token`(_ text: String, field: String, words: String) {
    let error = #expect(throws: KistError.self) { try read(text) }
    #expect(error?.field == field)
    #expect(error?.problem.contains(words) == true, "\(error?.problem ?? "")")
  }

  @Test func `a nest that is too deep is refused`() {
    let deep = String(repeating: #"{"type":"Sequence","normalizers":["#, count: 5000)
    #expect(throws: KistError.self) { try read(#"{"model":{"vocab":{},"merges":[]},"normalizer":"# + deep) }
  }

  @Test(arguments: ["llama2", "t5", "bert-uncased", "added-plain"])
  func `every cut and every change is read or refused`(_ name: String) throws {
    let bytes = try readFile("\(repository)/Fixtures/tokenizers/files/\(name)/tokenizer.json")
    for count in stride(from: 0, to: bytes.count, by: 101) {
      #expect(throws: KistError.self) { try read(String(decoding: bytes[..<count], as: UTF8.self)) }
    }
    var random = SeededGenerator(seed: 17)
    for _ in 0..<1000 {
      var changed = bytes
      changed[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0x20..<0x7F, using: &random)
      _ = try? unsafe TokenizerJSON.read(changed.span.bytes)
    }
  }

  @Test func `added tokens get the vocabulary's ids, or those that follow its size`() throws {
    let definition = try fixture("bpe-repeated-merges")
    #expect(definition.addedTokens.map(\.id) == [6, 7, 9])
    guard case .bpe(let bpe) = definition.model, case .pairs(let merges) = bpe.merges else {
      return #expect(Bool(false))
    }
    // Of the two merges of a and b the later counts.
    #expect(merges.map(\.merged) == [3, 4, 2])
  }

  @Test func `GPT-2 is read`() throws {
    guard let path = shared("tokenizers/gpt2/tokenizer.json") else { return }
    let definition = try TokenizerSource.read(path: path)
    guard case .bpe(let bpe) = definition.model, case .pairs(let merges) = bpe.merges else {
      return #expect(Bool(false))
    }
    #expect(bpe.vocabulary.tokens.count == 50257)
    #expect(merges.count == 50000)
    #expect(definition.preTokenizer == .byteLevel(addsPrefixSpace: false, usesRegex: true))
    #expect(definition.decoder == .byteLevel)
    #expect(definition.addedTokens.map(\.id) == [50256])
  }

  @Test func `MiniLM is read`() throws {
    guard let minilm else { return }
    let definition = try TokenizerSource.read(path: minilm)
    guard case .wordPiece(let model) = definition.model else { return #expect(Bool(false)) }
    #expect(model.vocabulary.tokens.count == 30522)
    #expect(model.unknown == 100)
    #expect(definition.preTokenizer == .bert)
  }
}
