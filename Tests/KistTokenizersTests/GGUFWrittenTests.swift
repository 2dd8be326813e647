import Foundation
import KistCheckpoints
import KistCore
import KistTokenizers
import TestSupport
import Testing

/// Tokenizers that become those of a GGUF, and read back give llama.cpp's ids: those of the library that they are from.
@Suite struct GGUFWrittenTests {
  private static let folder = repository + "/Fixtures/tokenizers/files"

  private struct Golden: Decodable {
    var text: String
    var ids: [UInt32]
  }

  private static let names = [
    "bert-cased", "bert-uncased", "falcon", "gpt2", "llama2", "llama3", "o200k", "qwen", "sentencepiece-bpe",
    "sentencepiece-unigram", "starcoder", "tekken", "tekken-pattern", "tiktoken-llama3", "tiktoken-o200k_base",
    "tiktoken-r50k_base", "vocab-json-qwen2", "vocab-txt", "xlm-roberta",
  ]

  /// What llama.cpp does in its own way, whatever a file says; Tests/Peers/gguf_tokenizers.py asks it itself.
  private static func isDifferent(_ name: String, _ text: String) -> Bool {
    // It normalizes nothing before byte-level models.
    if name.contains("qwen"), !text.utf8.elementsEqual(text.precomposedStringWithCanonicalMapping.utf8) { return true }
    // Pieces that the user defined are pieces like others.
    if name == "sentencepiece-bpe" { return text.utf8.firstRange(of: "<sep>".utf8) != nil }
    // tokenizers applies the character map to whole graphemes, and removes control characters; and ▁ is a space.
    if name == "xlm-roberta" {
      return text.unicodeScalars.contains { "\0\u{200B}\u{200D}▁".unicodeScalars.contains($0) }
    }
    // In lower case; and ▁ marks the beginning of a word.
    return name == "vocab-txt" && text.unicodeScalars.contains { $0 == "İ" || $0 == "ẞ" || $0 == "▁" }
  }

  @Test func `a unigram model that llama.cpp would cut otherwise is refused`() throws {
    let error = #expect(throws: KistError.self) { try written("t5") }
    #expect(error?.kind == .unsupported && error?.problem.contains("puts a space") == true)
  }

  /// The tokenizer of a GGUF that has the keys that are written.
  private func written(_ name: String) throws -> Tokenizer {
    let path = "\(Self.folder)/\(name)"
    let files = try TokenizerFiles(folder: path)
    let definition = try TokenizerSource.read(path: path)
    let ids = definition.addedTokens.map(\.id) + definition.model.vocabulary.tokens.map(\.id)
    let choice = GGUFTokenizerWriter.Choice(
      size: Int(ids.max() ?? 0) + 1, prefersPieces: true, preTokenizer: "", spacePrefix: nil, statesSpacePrefix: false,
      fixedTokens: [])
    let keys = try #require(try GGUFTokenizerWriter.keys(files, choice))
    var writer = GGUFWriter()
    for key in keys { try key.add(to: &writer) }
    let bytes = try writer.layOut().header
    return try Tokenizer(try TokenizerSource.read(files: { _ in bytes }, names: ["model.gguf"]))
  }

  @Test(arguments: names)
  func `a tokenizer gives the same ids in a GGUF`(_ name: String) throws {
    let tokenizer = try written(name)
    var settings = try Tokenizer(try TokenizerSource.read(path: "\(Self.folder)/\(name)")).referenceSettings
    settings.additions = .none
    let lines = try readFile("\(Self.folder)/\(name)/golden.jsonl").split(separator: UInt8(ascii: "\n"))
    try #require(lines.count > 10)
    for line in lines {
      let golden = try JSONDecoder().decode(Golden.self, from: Data(line))
      guard !Self.isDifferent(name, golden.text) else { continue }
      let ids = try tokenizer.encode(Array(golden.text.utf8), settings)
      #expect(ids == golden.ids, "\(golden.text.debugDescription)")
    }
  }
}

extension ModelDefinition {
  fileprivate var vocabulary: Vocabulary {
    switch self {
    case .bpe(let bpe): bpe.vocabulary
    case .unigram(let unigram): unigram.vocabulary
    case .wordPiece(let wordPiece): wordPiece.vocabulary
    case .wordLevel(let vocabulary, _): vocabulary
    }
  }
}
