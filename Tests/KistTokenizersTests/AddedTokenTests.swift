import KistCore
import KistTokenizers
import TestSupport
import Testing

struct AddedTokenFixture: Decodable {
  struct Token: Decodable {
    var id: UInt32
    var content: String
    var singleWord: Bool
    var lstrip: Bool
    var rstrip: Bool
    var normalized: Bool
    var special: Bool

    private enum CodingKeys: String, CodingKey {
      case id, content, lstrip, rstrip, normalized, special
      case singleWord = "single_word"
    }

    var definition: AddedToken {
      var token = AddedToken(content: Array(content.utf8), id: id)
      token.singleWord = singleWord
      token.stripsLeft = lstrip
      token.stripsRight = rstrip
      token.isNormalized = normalized
      token.isSpecial = special
      return token
    }
  }

  struct Case: Decodable {
    var text: String
    var parsesSpecial: Bool
    /// Id (0 for text between tokens), first byte, and the byte after the last.
    var segments: [[Int]]
  }

  struct Decoded: Decodable {
    var ids: [UInt32]
    var text: String
    /// Without special tokens.
    var without: String
  }

  var tokens: [Token]
  var lowercases: Bool
  var cases: [Case]
  var decoded: [Decoded]
}

struct AddedTokenTests {
  private func normalized(_ bytes: [UInt8], _ fixture: AddedTokenFixture) -> [UInt8] {
    fixture.lowercases ? Array(String(decoding: bytes, as: UTF8.self).lowercased().utf8) : bytes
  }

  private func tokens(_ fixture: AddedTokenFixture) throws -> AddedTokens {
    let tokens = fixture.tokens.map(\.definition)
    return try AddedTokens(
      record { writer in
        try AddedTokens.compile(tokens, into: &writer) { bytes throws(KistError) in normalized(bytes, fixture) }
      })
  }

  private func segments(_ bytes: [UInt8], _ finder: AddedTokenFinder, _ parsesSpecial: Bool) throws -> [Segment] {
    try unsafe bytes.withUnsafeBytes { try unsafe finder.segments(of: $0, parsesSpecial: parsesSpecial) }
  }

  @Test(arguments: 0..<6)
  func `are found as the library finds them, in two passes`(number: Int) throws {
    let fixture = try modelFixture("added-tokens-\(number)", as: AddedTokenFixture.self)
    let added = try tokens(fixture)
    for sample in fixture.cases {
      let text = Array(sample.text.utf8)
      var found: [[Int]] = []
      for segment in try segments(text, added.raw, sample.parsesSpecial) {
        guard segment.id == nil else {
          found.append([Int(segment.id ?? 0), segment.range.lowerBound, segment.range.upperBound])
          continue
        }
        let start = segment.range.lowerBound
        for part in try segments(
          normalized(Array(text[segment.range]), fixture), added.normalized, sample.parsesSpecial)
        {
          found.append([Int(part.id ?? 0), start + part.range.lowerBound, start + part.range.upperBound])
        }
      }
      #expect(found == sample.segments, "\(sample.text.debugDescription), special: \(sample.parsesSpecial)")
    }
  }

  @Test(arguments: 0..<6)
  func `are decoded as the library decodes them`(number: Int) throws {
    let fixture = try modelFixture("added-tokens-\(number)", as: AddedTokenFixture.self)
    let added = try tokens(fixture)
    let decoder = try DecoderStage(nil)
    for sample in fixture.decoded {
      for skips in [false, true] {
        let tokens = sample.ids.compactMap { id -> [UInt8]? in
          guard let token = added.token(of: id) else { return Array("[UNK]".utf8) }
          return skips && token.isSpecial ? nil : token.bytes
        }
        let text = String(decoding: try decoder.decode(tokens), as: UTF8.self)
        #expect(Array(text.utf8) == Array((skips ? sample.without : sample.text).utf8), "\(sample.ids)")
      }
    }
  }

  @Test func `text without tokens is one segment, and no text none`() throws {
    let added = try AddedTokens(
      record { writer in
        try AddedTokens.compile([AddedToken(content: [60], id: 1)], into: &writer) { bytes throws(KistError) in bytes }
      })
    #expect(try segments(Array("abc".utf8), added.normalized, true) == [Segment(range: 0..<3, id: nil)])
    #expect(try segments(Array("abc".utf8), added.raw, true) == [Segment(range: 0..<3, id: nil)])
    #expect(try segments([], added.normalized, true).isEmpty)
    let long = [UInt8](repeating: 97, count: 1000) + [60] + [UInt8](repeating: 97, count: 99)
    #expect(
      try segments(long, added.normalized, true)
        == [
          Segment(range: 0..<1000, id: nil), Segment(range: 1000..<1001, id: 1), Segment(range: 1001..<1100, id: nil),
        ])
  }

  // Quadratic time would be hours.
  @Test(.timeLimit(.minutes(1))) func `a megabyte of spaces takes no more than linear time`() throws {
    var token = AddedToken(content: [32], id: 1)
    token.stripsLeft = true
    token.stripsRight = true
    let added = try AddedTokens(
      record { writer in try AddedTokens.compile([token], into: &writer) { bytes throws(KistError) in bytes } })
    #expect(try segments([UInt8](repeating: 32, count: 1 << 20), added.normalized, true).count > 0)
  }

  // As tokenizers 0.23.3, which panics ("AddedVocabulary bad split").
  @Test func `a token within the white space of the one before fails when it takes white space along too`() throws {
    var end = AddedToken(content: Array("<end>".utf8), id: 1)
    end.stripsRight = true
    var line = AddedToken(content: [10], id: 2)
    line.stripsLeft = true
    let added = try AddedTokens(
      record { writer in try AddedTokens.compile([end, line], into: &writer) { bytes throws(KistError) in bytes } })
    #expect(try segments(Array("<end>\n".utf8), added.normalized, true).map(\.id) == [1])
    #expect(throws: KistError.self) { try segments(Array("<end>\n\u{C}".utf8), added.normalized, true) }
  }

  // tokenizers 0.23.3 finds it between any two bytes, and panics at characters of several.
  @Test func `a token of which the normalizer leaves nothing is refused`() {
    #expect(throws: KistError.self) {
      try record { writer in
        try AddedTokens.compile([AddedToken(content: [32], id: 1)], into: &writer) { _ throws(KistError) in [] }
      }
    }
  }
}
