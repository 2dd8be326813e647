import KistCore
import KistTokenizers
import TestSupport
import Testing

struct WordPieceFixture: Decodable {
  var unknown: UInt32
  var prefix: String
  var longest: Int
  var tokens: [String]
  var cases: [EncodingCase]
}

struct WordLevelFixture: Decodable {
  var unknown: UInt32?
  var tokens: [String]
  var cases: [EncodingCase]
}

struct WordPieceTests {
  @Test(arguments: ["plain", "short", "no-prefix", "long-prefix"])
  func `takes the longest token first, and a word is unknown as a whole`(name: String) throws {
    let fixture = try modelFixture("wordpiece-\(name)", as: WordPieceFixture.self)
    var definition = WordPieceDefinition(vocabulary: vocabulary(fixture.tokens), unknown: fixture.unknown)
    definition.continuingSubwordPrefix = Array(fixture.prefix.utf8)
    definition.maximumCharactersPerWord = fixture.longest
    let model = try WordPieceModel(record { try WordPieceModel.compile(definition, into: &$0) })
    var scratch = WordPieceModel.Scratch()
    for sample in fixture.cases + fixture.cases.reversed() {
      var ids: [UInt32] = []
      let bytes = Array(sample.text.utf8)
      unsafe bytes.withUnsafeBytes { unsafe model.encode($0, into: &ids, &scratch) }
      #expect(ids == sample.ids, "\(sample.text.debugDescription)")
    }
  }
}

struct WordLevelTests {
  @Test(arguments: ["plain", "no-unknown"])
  func `gives whole words, or the unknown token, or an error`(name: String) throws {
    let fixture = try modelFixture("wordlevel-\(name)", as: WordLevelFixture.self)
    let tokens = vocabulary(fixture.tokens)
    let model = try WordLevelModel(
      record { try WordLevelModel.compile(tokens, unknown: fixture.unknown, into: &$0) })
    var scratch = WordLevelModel.Scratch()
    for sample in fixture.cases {
      var ids: [UInt32] = []
      let bytes = Array(sample.text.utf8)
      let isEncoded = unsafe bytes.withUnsafeBytes { bytes in
        unsafe (try? model.encode(bytes, into: &ids, &scratch)) != nil
      }
      #expect((isEncoded ? ids : nil) == sample.ids, "\(sample.text.debugDescription)")
    }
  }
}
