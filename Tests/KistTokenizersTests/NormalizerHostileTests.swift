import KistCore
import KistTokenizers
import TestSupport
import Testing

@Suite struct NormalizerHostileTests {
  @Test(
    arguments: [
      [], [0], [0, 0, 0, 0], [0, 0, 0, 0, 0], [4, 0, 0, 0, 1, 2, 3, 4], [3, 0, 0, 0, 1, 2, 3, 0],
      [4, 0, 0, 0, 1, 2, 3, 4, 65],
      [4, 0, 0, 0, 1, 2, 3, 4, 0xFF, 0], [0xFF, 0xFF, 0xFF, 0xFF, 1, 2, 3, 4, 65, 0],
    ] as [[UInt8]])
  func brokenCharacterMapsAreRefused(charsmap: [UInt8]) {
    #expect(throws: KistError.self) { try CharacterMap(charsmap) }
  }

  @Test func characterMapsOfNoiseDoNoHarm() throws {
    for seed in UInt64(0)..<300 {
      var generator = SeededGenerator(seed: seed)
      let units = 1 + Int(generator.next() % 300)
      var charsmap: [UInt8] = [UInt8((units * 4) & 255), UInt8((units * 4) >> 8), 0, 0]
      for _ in 0..<units {
        // Small offsets and plausible labels, so that walks go far.
        let unit = UInt32(truncatingIfNeeded: generator.next() % 512) << 10 | UInt32(generator.next() & 0x3FF)
        for shift in stride(from: 0, to: 32, by: 8) { charsmap.append(UInt8(truncatingIfNeeded: unit >> shift)) }
      }
      charsmap += Array("a\u{0}é\u{0}  \u{0}".utf8)
      var settings = SentencePieceNormalizer()
      settings.charsmap = charsmap
      for definition in [Normalizer.precompiled(charsmap: charsmap), .sentencePiece(settings)] {
        var text = NormalizedText(bytes: Array("ab\r\n é漢字 \u{0}\u{301}".utf8))
        try NormalizerStage(definition).apply(to: &text)
        #expect(text.bytes.count < 200, "seed \(seed)")
      }
    }
  }

  @Test(.timeLimit(.minutes(2))) func aMegabyteOfMarksIsNotQuadratic() throws {
    let marks = (0..<500_000).flatMap { Array(($0 % 3 == 0 ? "\u{301}" : $0 % 3 == 1 ? "\u{316}" : "\u{345}").utf8) }
    let inputs = [
      [0x61] + marks, [UInt8](repeating: 0x61, count: 1 << 20), Array(String(repeating: "각", count: 200_000).utf8),
    ]
    let definitions: [Normalizer] = [
      .nfc, .nfd, .nfkc, .stripAccents, .strip(left: true, right: true), .lowercase,
      .bert(cleanText: true, handlesChineseCharacters: true, stripsAccents: nil, lowercases: true),
    ]
    for definition in definitions {
      for input in inputs {
        var text = NormalizedText(bytes: input)
        try NormalizerStage(definition).apply(to: &text)
      }
    }
  }

  @Test func `replacements that make a text of terabytes are refused`() throws {
    let ten = Array("aaaaaaaaaa".utf8)
    let normalizer = Normalizer.sequence(Array(repeating: .replace(.literal(Array("a".utf8)), with: ten), count: 12))
    var text = NormalizedText(bytes: Array("aab".utf8))
    #expect(throws: KistError.self) { try NormalizerStage(normalizer).apply(to: &text) }
    let patterns: [Pattern] = [.literal(Array("a".utf8)), .regex("a", .oniguruma)]
    for pattern in patterns {
      let decoder = Decoder.sequence(Array(repeating: .replace(pattern, with: ten), count: 12))
      #expect(throws: KistError.self) { try DecoderStage(decoder).decode([Array("aab".utf8)]) }
    }
    // What stays within reason is not.
    let twice = Normalizer.sequence(Array(repeating: .replace(.literal(Array("a".utf8)), with: ten), count: 2))
    try NormalizerStage(twice).apply(to: &text)
    #expect(text.bytes.count == 201)
  }

  @Test func `a pattern of a megabyte is refused at once`() {
    for pattern in [String(repeating: "a", count: 1_000_000), (0..<100_000).map { "a\($0)" }.joined(separator: "|")] {
      let error = #expect(throws: KistError.self) { try CompiledPattern(.regex(pattern, .oniguruma)) }
      #expect(error?.problem.contains("longer than") == true)
    }
  }
}
