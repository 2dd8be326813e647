import KistCore
import KistTokenizers
import TestSupport
import Testing

struct DecoderFixture: Decodable {
  struct Case: Decodable {
    var decoder: String
    var tokens: [String]
    /// Nil where the library fails.
    var output: String?
  }

  var cases: [Case]
}

struct SentencePieceDecoderFixture: Decodable {
  struct Case: Decodable {
    var tokens: [String]
    var kinds: [UInt8]
    var output: String
  }

  var addsDummyPrefix: Bool
  var removesExtraWhitespaces: Bool
  var unknownSurface: String
  var cases: [Case]
}

struct DecodeTests {
  private static func utf8(_ text: String) -> [UInt8] { Array(text.utf8) }

  private static func metaspace(_ replacement: Unicode.Scalar, _ scheme: Metaspace.PrependScheme) -> Decoder {
    var metaspace = Metaspace()
    metaspace.replacement = replacement
    metaspace.prependScheme = scheme
    return .metaspace(metaspace)
  }

  private static let wordPiece = Decoder.wordPiece(prefix: utf8("##"), cleansUp: true)
  private static let ctc = Decoder.ctc(padToken: utf8("<pad>"), wordDelimiter: utf8("|"), cleansUp: true)
  private static let spaces = Decoder.replace(.literal(utf8("\u{2581}")), with: utf8(" "))

  private static let decoders: [String: Decoder] = [
    "bpe": .bpe(suffix: utf8("</w>")), "bpe empty": .bpe(suffix: []), "byteLevel": .byteLevel, "wordPiece": wordPiece,
    "wordPiece plain": .wordPiece(prefix: utf8("a"), cleansUp: false),
    "wordPiece no prefix": .wordPiece(prefix: [], cleansUp: true), "metaspace": metaspace("\u{2581}", .always),
    "metaspace never": metaspace("\u{2581}", .never), "metaspace first": metaspace("a", .first), "ctc": ctc,
    "ctc plain": .ctc(padToken: utf8("a"), wordDelimiter: utf8("x"), cleansUp: false),
    "ctc empty": .ctc(padToken: [], wordDelimiter: [], cleansUp: true), "fuse": .fuse,
    "strip": .strip(content: " ", start: 1, stop: 0), "strip more": .strip(content: "\u{2581}", start: 2, stop: 0),
    "strip right": .sequence([.replace(.literal([]), with: utf8("a")), .strip(content: "a", start: 0, stop: 2)]),
    "byteFallback": .byteFallback, "replace": spaces,
    "replace letters": .replace(.literal(utf8("a")), with: utf8("bab")),
    "replace nothing": .replace(.literal([]), with: utf8("-")),
    "llama": .sequence([spaces, .byteFallback, .fuse, .strip(content: " ", start: 1, stop: 0)]),
    "fuse, byteLevel": .sequence([.fuse, .byteLevel, metaspace("\u{2581}", .always)]),
    "wordPiece, ctc": .sequence([wordPiece, ctc]),
  ]

  @Test func `make of tokens what the library makes of them`() throws {
    let fixture = try modelFixture("decoders", as: DecoderFixture.self)
    for (name, decoder) in Self.decoders {
      let stage = try DecoderStage(decoder)
      for sample in fixture.cases where sample.decoder == name {
        let output = try stage.decode(sample.tokens.map(Self.utf8))
        guard let expected = sample.output else { continue }
        #expect(output == Self.utf8(expected), "\(name): \(sample.tokens)")
      }
    }
    #expect(Set(fixture.cases.map(\.decoder)) == Set(Self.decoders.keys))
  }

  @Test(arguments: ["11", "10", "01", "00"])
  func `join pieces as sentencepiece`(name: String) throws {
    let fixture = try modelFixture("decoder-sentencepiece-\(name)", as: SentencePieceDecoderFixture.self)
    let stage = try DecoderStage(
      .sentencePiece(
        addsDummyPrefix: fixture.addsDummyPrefix, removesExtraWhitespaces: fixture.removesExtraWhitespaces,
        unknownSurface: Self.utf8(fixture.unknownSurface)))
    for sample in fixture.cases {
      let kinds = sample.kinds.compactMap { PieceKind(rawValue: $0) }
      let output = try stage.decode(sample.tokens.map(Self.utf8), kinds: kinds)
      #expect(output == Self.utf8(sample.output), "\(sample.tokens)")
    }
  }

  /// Source: Unicode 16, table 3-8 and following.
  @Test(arguments: [
    ([0xC0, 0xAF, 0xE0, 0x80, 0xBF, 0xF0, 0x81, 0x82, 0x41], "########A"),
    ([0xED, 0xA0, 0x80, 0xED, 0xBF, 0xBF, 0xED, 0xAF, 0x41], "########A"),
    ([0xF4, 0x91, 0x92, 0x93, 0xFF, 0x41, 0x80, 0xBF, 0x42], "#####A##B"),
    ([0xE1, 0x80, 0xE2, 0xF0, 0x91, 0x92, 0xF1, 0xBF, 0x41], "####A"), ([0xE4, 0xB8, 0xAD, 0xE4, 0xB8], "中#"), ([], ""),
  ])
  func `bytes that are not UTF-8 become replacement characters`(bytes: [UInt8], expected: String) throws {
    let text = String(decoding: try DecoderStage(.bytes).decode([bytes]), as: UTF8.self)
    #expect(text.unicodeScalars.map { $0 == "\u{FFFD}" ? "#" : String($0) }.joined() == expected)
  }

  @Test func `tokens without a decoder are joined with spaces`() throws {
    #expect(try DecoderStage(nil).decode([[97], [], [98]]) == Self.utf8("a  b"))
  }
}
