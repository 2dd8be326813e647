import Foundation
import KistCore
import KistTokenizers
import TestSupport
import Testing

/// Against tokenizers and sentencepiece: Fixtures/make/unicode_normalizers.py, which says how texts are made and outputs digested.
@Suite struct NormalizerTests {
  private struct Golden: Decodable {
    struct Case: Decodable {
      var sample: [Output]
      var digests: [String]
    }

    struct Output: Decodable, Equatable, CustomStringConvertible {
      var text: [UInt8]
      var begins: Int

      init(text: [UInt8], begins: Int) { (self.text, self.begins) = (text, begins) }

      init(from decoder: any Swift.Decoder) throws {
        var values = try decoder.unkeyedContainer()
        text = Array(try values.decode(String.self).utf8)
        begins = try values.decode(Int.self)
      }

      var description: String { "\(String(decoding: text, as: UTF8.self).debugDescription), begins: \(begins)" }
    }

    var alphabet: [UInt32]
    var symbols: [String]
    var charsmap: String
    var sample: [String]
    var cases: [String: Case]
  }

  /// `KIST_NORMALIZER_GOLDEN` names a larger file of the same kind.
  private static let golden = Result {
    let path =
      ProcessInfo.processInfo.environment["KIST_NORMALIZER_GOLDEN"]
      ?? repository + "/Fixtures/tokenizers/normalizers/normalizers.json"
    return try JSONDecoder().decode(Golden.self, from: Data(try readFile(path)))
  }

  @Test(arguments: [
    "nfc", "nfd", "nfkc", "nfkd", "lowercase", "nmt", "byte-level", "strip-accents", "strip", "strip-left",
    "strip-right",
    "bert", "bert-cased", "bert-accents", "bert-strips", "prepend", "prepend-nothing", "replace-space", "replace-byte",
    "replace-empty", "replace-removes", "replace-long", "precompiled", "llama", "albert", "stripped", "composed",
    "spelled", "composed-stripped", "decomposed-cut",
    "sentencepiece-0", "sentencepiece-1", "sentencepiece-2", "sentencepiece-3", "sentencepiece-4", "sentencepiece-5",
    "sentencepiece-6", "sentencepiece-7", "sentencepiece-symbols-0", "sentencepiece-symbols-1",
  ])
  func normalizersDoWhatTheReferenceLibrariesDo(name: String) throws {
    let golden = try Self.golden.get()
    guard let expected = golden.cases[name] else {
      #expect(ProcessInfo.processInfo.environment["KIST_NORMALIZER_GOLDEN"] != nil, "the golden file has no \(name)")
      return
    }
    let stage = try NormalizerStage(try definition(name, golden))
    for (text, output) in zip(golden.sample, expected.sample) {
      #expect(try run(stage, Array(text.utf8), name) == output, "of \(text.debugDescription)")
    }
    for (block, digest) in expected.digests.enumerated() {
      var state: UInt64 = 0xCBF2_9CE4_8422_2325
      var generator = SeededGenerator(seed: UInt64(block))
      for _ in 0..<100 {
        let output = try run(stage, text(&generator, golden.alphabet), name)
        for byte in output.text + [0xFF, UInt8(output.begins)] { state = (state ^ UInt64(byte)) &* 0x100_0000_01B3 }
      }
      #expect(
        String(repeating: "0", count: state.leadingZeroBitCount / 4) + String(state, radix: 16) == digest,
        "block \(block)")
    }
  }

  private func run(_ stage: NormalizerStage, _ text: [UInt8], _ name: String) throws -> Golden.Output {
    var normalized = NormalizedText(bytes: text)
    try stage.apply(to: &normalized)
    let isHidden =
      name.hasPrefix("sentencepiece") || normalized.bytes.isEmpty || normalized.bytes[0] == 0x20
      || normalized.bytes.starts(with: Array("\u{F8FF}".utf8))
    return Golden.Output(text: normalized.bytes, begins: isHidden ? 2 : normalized.beginsAtOrigin ? 1 : 0)
  }

  private func text(_ generator: inout SeededGenerator, _ alphabet: [UInt32]) -> [UInt8] {
    var text = String.UnicodeScalarView()
    for _ in 0..<generator.next() % 25 {
      let number = generator.next()
      let (kind, value) = (number % 8, number >> 8)
      let scalar =
        switch kind {
        case 0...2: alphabet[Int(value % UInt64(alphabet.count))]
        case 3: UInt32(0x20 + value % 0x5F)
        default: UInt32(value % [0x800, 0x3400, 0x10000, 0x110000][Int(kind - 4)])
        }
      text.append(Unicode.Scalar(scalar) ?? "\u{FFFD}")
    }
    return Array(String(text).utf8)
  }

  @Test func `text without keys of a character map ends as for the plain twin`() throws {
    let map = try CharacterMap([UInt8](try #require(Data(base64Encoded: try Self.golden.get().charsmap))))
    let fragments = [
      "a", "word", String(repeating: "long ", count: 20), " ", "\t", "\n", "\u{7F}", "é", "e\u{301}", "か", "が",
      "か\u{3099}",
      "漢", "字", "ﾊ", "①", "㌔", "\u{A0}", "\u{200B}", "Ω", "😀", "ﬁ", "\u{0}",
    ].map { Array($0.utf8) }
    var generator = SeededGenerator(seed: 61)
    for round in 0..<3000 {
      let text = (0..<round % 60).flatMap { _ in fragments.randomElement(using: &generator) ?? [] }
      unsafe text.withUnsafeBufferPointer { buffer in
        for start in text.indices where text[start] & 0xC0 != 0x80 {
          let (fast, plain) = unsafe (
            map.endOfKept(in: buffer, from: start), map.plainEndOfKept(in: buffer, from: start)
          )
          if fast != plain { Issue.record("\(text) from \(start): \(fast), not \(plain)") }
        }
      }
    }
  }

  private func definition(_ name: String, _ golden: Golden) throws -> Normalizer {
    let charsmap = [UInt8](try #require(Data(base64Encoded: golden.charsmap)))
    let table: [String: Normalizer] = [
      "nfc": .nfc, "nfd": .nfd, "nfkc": .nfkc, "nfkd": .nfkd, "lowercase": .lowercase, "nmt": .nmt,
      "byte-level": .byteLevel, "strip-accents": .stripAccents, "strip": .strip(left: true, right: true),
      "strip-left": .strip(left: true, right: false), "strip-right": .strip(left: false, right: true),
      "bert": bert(lowercases: true), "bert-cased": bert(lowercases: false),
      "bert-accents": .bert(cleanText: true, handlesChineseCharacters: true, stripsAccents: false, lowercases: true),
      "bert-strips": .bert(cleanText: false, handlesChineseCharacters: false, stripsAccents: true, lowercases: false),
      "prepend": prepend("▁"), "prepend-nothing": .sequence([.strip(left: true, right: true), prepend("")]),
      "replace-space": replace(" ", "▁"), "replace-byte": replace("a", "A"), "replace-empty": replace("", "-"),
      "replace-removes": replace("  ", ""), "replace-long": replace("▁", "___"),
      "precompiled": .precompiled(charsmap: charsmap),
      "llama": .sequence([prepend("▁"), replace(" ", "▁")]),
      "albert": .sequence([replace("``", "\""), replace("''", "\""), .nfkd, .stripAccents, .lowercase]),
      "stripped": .sequence([.nfkd, .strip(left: true, right: true), .nfc, prepend("▁")]),
      "composed": .sequence([.precompiled(charsmap: charsmap), .strip(left: true, right: true), replace("b", "")]),
      "composed-stripped": .sequence([.nfkc, .strip(left: true, right: true), .stripAccents]),
      "decomposed-cut": .sequence([.nfd, .stripAccents, replace("a", ""), .nfc, bert(lowercases: true)]),
      "spelled": .sequence([.strip(left: true, right: false), .lowercase, .byteLevel]),
    ]
    if let normalizer = table[name] { return normalizer }
    var settings = SentencePieceNormalizer()
    if name.contains("symbols") {
      settings.userDefinedSymbols = golden.symbols.map { Array($0.utf8) }
      settings.treatsWhitespaceAsSuffix = name.hasSuffix("1")
    } else {
      let flags = try #require(Int(name.suffix(1)))
      settings.charsmap = charsmap
      settings.addsDummyPrefix = flags & 1 != 0
      settings.escapesWhitespaces = flags & 2 != 0
      settings.removesExtraWhitespaces = flags & 4 != 0
    }
    return .sentencePiece(settings)
  }

  private func bert(lowercases: Bool) -> Normalizer {
    .bert(cleanText: true, handlesChineseCharacters: true, stripsAccents: nil, lowercases: lowercases)
  }

  private func prepend(_ content: String) -> Normalizer { .prepend(Array(content.utf8)) }

  private func replace(_ literal: String, _ content: String) -> Normalizer {
    .replace(.literal(Array(literal.utf8)), with: Array(content.utf8))
  }
}
