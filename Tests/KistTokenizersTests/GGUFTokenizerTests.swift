import Foundation
import KistCheckpoints
import KistCore
import KistTokenizers
import TestSupport
import Testing

/// Ids that llama.cpp gives: of small tokenizers (Fixtures/make/gguf_tokenizers.py), and of the vocabularies that come with its source.
@Suite struct GGUFTokenizerTests {
  private static let folder = repository + "/Fixtures/tokenizers/gguf"

  struct Golden: Decodable {
    var file: String
    var pre: String?
    var text: String
    var ids: [UInt32]
    var parsed: [UInt32]?
  }

  private static let goldens: [Golden] = {
    let lines = ((try? readFile(folder + "/golden.jsonl")) ?? []).split(separator: UInt8(ascii: "\n"))
    return lines.compactMap { try? JSONDecoder().decode(Golden.self, from: Data($0)) }
  }()

  private static let files = Set(goldens.map(\.file)).sorted()
  private static let pres = Set(goldens.compactMap(\.pre)).sorted()

  @Test func `there are goldens of every model and every way of cutting text`() {
    #expect(Self.files.count == 10)
    #expect(Self.pres.count == 28)
  }

  @Test(arguments: files)
  func `a small tokenizer gives llama.cpp's ids`(file: String) throws {
    let tokenizer = try Tokenizer(try TokenizerSource.read(path: Self.folder + "/" + file))
    for golden in Self.goldens where golden.file == file && golden.pre == nil {
      try check(golden, tokenizer)
    }
  }

  @Test(arguments: pres)
  func `a pre-tokenizer cuts as llama.cpp cuts`(pre: String) throws {
    let bytes = try withPre(pre)
    let tokenizer = try Tokenizer(try TokenizerSource.read(files: { _ in bytes }, names: ["model.gguf"]))
    for golden in Self.goldens where golden.pre == pre { try check(golden, tokenizer) }
  }

  /// Parts of texts that tokenizers can't cut as llama.cpp does, whatever tokenizer.json says.
  private static let different: [String: [String]] = [
    // Lower case of İ and ẞ.
    "bert-accents.gguf": ["ẞ"],
    // A longer token that overlaps one that begins earlier.
    "bpe.gguf": ["<<|"], "bpe-bos.gguf": ["<<|"],
    // Tokens take all white space behind them along, not ASCII's alone.
    "spm-phi3.gguf": ["\u{3000}", " <s>", "</s>", "\t"],
    // A character map that tokenizers applies to whole graphemes; ▁ in the text.
    "unigram.gguf": ["\u{200D}", "\u{85}", "▁▁"],
  ]

  @Test(arguments: files)
  func `its tokenizer.json gives llama.cpp's ids`(file: String) throws {
    let json = try GGUFTokenizer.tokenizerJSON(try readFile(Self.folder + "/" + file))
    let tokenizer = try Tokenizer(try TokenizerSource.read(files: { _ in json }, names: ["tokenizer.json"]))
    let skipped = Self.different[file] ?? []
    for golden in Self.goldens where golden.file == file && golden.pre == nil {
      guard let parsed = golden.parsed, !skipped.contains(where: { golden.text.utf8.firstRange(of: $0.utf8) != nil })
      else { continue }
      let ids = try tokenizer.encode(Array(golden.text.utf8), tokenizer.referenceSettings)
      #expect(ids == parsed, "\(golden.text.debugDescription)")
    }
  }

  @Test(arguments: pres)
  func `a tokenizer.json cuts as llama.cpp cuts`(pre: String) throws {
    let json = try GGUFTokenizer.tokenizerJSON(try withPre(pre))
    let tokenizer = try Tokenizer(try TokenizerSource.read(files: { _ in json }, names: ["tokenizer.json"]))
    for golden in Self.goldens where golden.pre == pre { try check(golden, tokenizer) }
  }

  private func check(_ golden: Golden, _ tokenizer: Tokenizer) throws {
    let text = Array(golden.text.utf8)
    let ids = try tokenizer.encode(text, Tokenizer.EncodingSettings(specialTokens: .text, additions: .none))
    #expect(ids == golden.ids, "\(golden.text.debugDescription)")
    guard let parsed = golden.parsed else { return }
    let all = try tokenizer.encode(text, Tokenizer.EncodingSettings(specialTokens: .parsed, additions: .added))
    #expect(all == parsed, "\(golden.text.debugDescription), parsed")
  }

  /// The fixture with another pre-tokenizer.
  private func withPre(_ pre: String) throws -> [UInt8] {
    let file = try GGUFFile(path: Self.folder + "/bpe.gguf")
    var writer = GGUFWriter()
    for item in file.header.items {
      if item.key == "tokenizer.ggml.pre" {
        try writer.add(item.key, .string(pre))
      } else {
        try writer.add(item.key, file.value(of: item))
      }
    }
    return try writer.layOut().header
  }

  // MARK: - Bad input

  @Test(arguments: [
    ("tokenizer.ggml.model", GGUFValue.string("rwkv"), "rwkv"), ("tokenizer.ggml.pre", .string("nobody"), "nobody"),
    ("tokenizer.ggml.model", .uint32(1), "tokenizer.ggml.model"),
    // llama.cpp #26690: elements narrower than what is read.
    ("tokenizer.ggml.token_type", .array(of: .uint8, [GGUFValue](repeating: .uint8(1), count: 430)), "token_type"),
    ("tokenizer.ggml.token_type", .array(of: .int32, [.int32(1)]), "token_type"),
    ("tokenizer.ggml.tokens", .array(of: .uint8, [.uint8(1)]), "tokens"),
    ("tokenizer.ggml.tokens", .array(of: .string, [.string("a"), .string("a")]), "both"),
    ("tokenizer.ggml.merges", .array(of: .string, [.string("ab")]), "merges"),
    ("tokenizer.ggml.merges", .array(of: .string, [.string("no such")]), "merges"),
    ("tokenizer.ggml.add_bos_token", .uint32(1), "add_bos_token"),
    ("tokenizer.ggml.bos_token_id", .string("1"), "bos_token_id"),
  ])
  func `a wrong key is named`(key: String, value: GGUFValue, words: String) throws {
    let file = try GGUFFile(path: Self.folder + "/bpe.gguf")
    var writer = GGUFWriter()
    for item in file.header.items where item.key != key { try writer.add(item.key, file.value(of: item)) }
    try writer.add(key, value)
    let bytes = try writer.layOut().header
    #expect {
      try Tokenizer(try TokenizerSource.read(files: { _ in bytes }, names: ["model.gguf"]))
    } throws: { "\($0)".contains(words) }
  }

  @Test func `a file without a tokenizer is said to have none`() {
    #expect { try TokenizerSource.read(path: repository + "/Fixtures/gguf/shapes.gguf") } throws: { error in
      (error as? KistError)?.kind == .missing
    }
  }

  // MARK: - llama.cpp's own vocabularies

  /// The folder `models` of llama.cpp's source: beside the repository, or where KIST_LLAMA_CPP says.
  private static let models: String? = {
    let source = ProcessInfo.processInfo.environment["KIST_LLAMA_CPP"] ?? repository + "/../llama/src/vendor/llama.cpp"
    return FileManager.default.fileExists(atPath: source + "/models") ? source + "/models" : nil
  }()

  private static let vocabularies: [String] = {
    let names = models.flatMap { try? FileManager.default.contentsOfDirectory(atPath: $0) } ?? []
    return names.filter { $0.hasSuffix(".gguf.inp") }.map { String($0.dropLast(4)) }.sorted()
  }()

  @Test(.enabled(if: models != nil, "needs llama.cpp's source"), arguments: vocabularies)
  func `a vocabulary of llama.cpp gives the ids of its own tests`(name: String) throws {
    let path = try #require(Self.models) + "/" + name
    let tokenizer = try Tokenizer(try TokenizerSource.read(path: path))
    let texts = parts(of: try readFile(path + ".inp"), between: Array("\n__ggml_vocab_test__\n".utf8))
    let lines = String(decoding: try readFile(path + ".out"), as: UTF8.self)
      .split(separator: "\n", omittingEmptySubsequences: false)
    try #require(texts.count > 30 && lines.count >= texts.count - 1)
    for (text, line) in zip(texts, lines) {
      let expected = line.split(separator: " ").compactMap { UInt32($0) }
      let ids = try tokenizer.encode(text, .init(specialTokens: .text, additions: .none))
      #expect(ids == expected, "\(String(decoding: text, as: UTF8.self).debugDescription)")
    }
  }

  private func parts(of bytes: [UInt8], between separator: [UInt8]) -> [[UInt8]] {
    var parts: [[UInt8]] = [[]]
    var position = 0
    while position < bytes.count {
      if bytes[position...].starts(with: separator) {
        parts.append([])
        position += separator.count
      } else {
        parts[parts.count - 1].append(bytes[position])
        position += 1
      }
    }
    return parts
  }
}
