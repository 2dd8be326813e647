import Foundation
import KistCore
import KistTokenizers
import TestSupport
import Testing

/// Ids and texts of the reference libraries: of small tokenizers with every component (Fixtures/make/tokenizers.py), and of real ones.
struct GoldenTests {
  /// One line of a golden.jsonl.
  private struct Golden: Decodable {
    var text: String
    var ids: [UInt32]
    var idsWithSpecial: [UInt32]?
    var decoded: String?

    enum CodingKeys: String, CodingKey {
      case text, ids, decoded
      case idsWithSpecial = "ids_special"
    }
  }

  static let small: [String] = {
    let root = repository + "/Fixtures/tokenizers/files"
    let names = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
    return names.filter { FileManager.default.fileExists(atPath: "\(root)/\($0)/golden.jsonl") }.sorted().map {
      "\(root)/\($0)"
    }
  }()

  static let real = ["gpt2", "llama3", "mistral", "sentencepiece-unigram", "whisper"]

  @Test func `there are goldens of every component`() { #expect(Self.small.count >= 121) }

  @Test(arguments: small)
  func `a small tokenizer gives the reference's ids`(folder: String) throws {
    try check(folder, Tokenizer(try TokenizerSource.read(path: folder)))
  }

  @Test(.enabled(if: shared("tokenizers") != nil, "needs ../shared"), arguments: real)
  func `a real tokenizer gives the reference's ids`(name: String) throws {
    let folder = try #require(shared("tokenizers/" + name))
    let file = try #require(
      try FileManager.default.contentsOfDirectory(atPath: folder).first {
        $0.hasPrefix("tokenizer.") || $0.hasSuffix("tiktoken")
      })
    try check(folder, Tokenizer(try TokenizerSource.read(path: "\(folder)/\(file)")))
  }

  private func check(_ folder: String, _ tokenizer: Tokenizer) throws {
    let lines = try readFile(folder + "/golden.jsonl").split(separator: UInt8(ascii: "\n"))
    try #require(!lines.isEmpty)
    var settings = tokenizer.referenceSettings
    for line in lines {
      let golden = try JSONDecoder().decode(Golden.self, from: Data(line))
      let text = Array(golden.text.utf8)
      settings.additions = .none
      #expect(try tokenizer.encode(text, settings) == golden.ids, "\(golden.text.debugDescription)")
      if let ids = golden.idsWithSpecial {
        settings.additions = .added
        #expect(try tokenizer.encode(text, settings) == ids, "\(golden.text.debugDescription)")
      }
      if let decoded = golden.decoded {
        let bytes = try tokenizer.decode(golden.ids, skippingSpecialTokens: false)
        #expect(bytes == Array(decoded.utf8), "\(golden.text.debugDescription)")
      }
    }
  }
}
