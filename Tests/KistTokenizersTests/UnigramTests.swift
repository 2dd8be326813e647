import Foundation
import KistCore
import KistTokenizers
import TestSupport
import Testing

/// A fixture of Fixtures/make/tokenizer_models.py, or of the folder that KIST_DIFFERENTIAL names: the same with more
/// cases.
func modelFixture<Fixture: Decodable>(_ name: String, as type: Fixture.Type = Fixture.self) throws -> Fixture {
  let folder = ProcessInfo.processInfo.environment["KIST_DIFFERENTIAL"] ?? "\(repository)/Fixtures/tokenizers/models"
  return try JSONDecoder().decode(type, from: Data(try readFile("\(folder)/\(name).json")))
}

/// The record of what `compile` writes, read from memory.
func record(_ compile: (inout RecordWriter) throws -> Void) throws -> RecordReader {
  var writer = RecordWriter()
  try compile(&writer)
  return try RecordReader(RecordStorage(writer.encoded()))
}

struct EncodingCase: Decodable {
  var text: String
  /// Nil where the library fails.
  var ids: [UInt32]?
}

struct UnigramFixture: Decodable {
  var unknown: UInt32?
  var byteFallback: Bool
  var kinds: [UInt8]
  var tokens: [String]
  var scores: [Double]
  var cases: [EncodingCase]

  var definition: UnigramDefinition {
    var definition = UnigramDefinition(vocabulary: vocabulary(tokens), scores: scores, unknown: unknown)
    definition.byteFallback = byteFallback
    definition.kinds = kinds.compactMap { PieceKind(rawValue: $0) }
    return definition
  }
}

func vocabulary(_ tokens: [String]) -> Vocabulary {
  Vocabulary(tokens: tokens.enumerated().map { Vocabulary.Token(bytes: Array($1.utf8), id: UInt32($0)) })
}

extension UnigramModel {
  /// The ids of a text, or nil when there are none to give.
  func ids(_ text: String, _ scratch: inout Scratch) -> [UInt32]? {
    var ids: [UInt32] = []
    let bytes = Array(text.utf8)
    let isEncoded = unsafe bytes.withUnsafeBytes { bytes in
      unsafe (try? encode(bytes, into: &ids, &scratch)) != nil
    }
    return isEncoded ? ids : nil
  }
}

struct UnigramTests {
  static let names =
    ["plain", "bytes", "spaces-inside", "suffix", "ties", "long"].map { "unigram-sentencepiece-\($0)" }
    + ["plain", "bytes", "some-bytes", "ties", "positive", "no-unknown"].map { "unigram-tokenizers-\($0)" }

  @Test(arguments: names)
  func `segments as the library does, whatever was seen before`(name: String) throws {
    let fixture = try modelFixture(name, as: UnigramFixture.self)
    let model = try UnigramModel(record { try UnigramModel.compile(fixture.definition, into: &$0) })
    var scratch = UnigramModel.Scratch()
    for sample in fixture.cases + fixture.cases.reversed() {
      #expect(model.ids(sample.text, &scratch) == sample.ids, "\(name): \(sample.text.prefix(200).debugDescription)")
    }
  }

  // Quadratic time would be hours.
  @Test(.timeLimit(.minutes(1))) func `a megabyte of one letter takes no more than linear time`() throws {
    let fixture = try modelFixture("unigram-sentencepiece-plain", as: UnigramFixture.self)
    let model = try UnigramModel(record { try UnigramModel.compile(fixture.definition, into: &$0) })
    var scratch = UnigramModel.Scratch()
    #expect((model.ids(String(repeating: "e", count: 1 << 20), &scratch)?.count ?? 0) > 0)
  }

  @Test func `a damaged record gives an error or some ids`() throws {
    let fixture = try modelFixture("unigram-sentencepiece-bytes", as: UnigramFixture.self)
    var writer = RecordWriter()
    try UnigramModel.compile(fixture.definition, into: &writer)
    let whole = writer.encoded()
    var random = SeededGenerator(seed: 11)
    for _ in 0..<300 {
      var bytes = whole
      for _ in 0..<Int.random(in: 1...40, using: &random) {
        bytes[Int.random(in: 16..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      guard let reader = try? RecordReader(RecordStorage(bytes)), let model = try? UnigramModel(reader) else {
        continue
      }
      var scratch = UnigramModel.Scratch()
      for sample in fixture.cases.prefix(5) { _ = model.ids(sample.text, &scratch) }
    }
  }

  @Test func `scores and kinds that are not one for each piece are refused`() {
    var definition = UnigramDefinition(vocabulary: vocabulary(["a", "b"]), scores: [0], unknown: 0)
    #expect(throws: KistError.self) { try record { try UnigramModel.compile(definition, into: &$0) } }
    definition.scores = [0, 1]
    definition.kinds = [.normal]
    #expect(throws: KistError.self) { try record { try UnigramModel.compile(definition, into: &$0) } }
  }
}
