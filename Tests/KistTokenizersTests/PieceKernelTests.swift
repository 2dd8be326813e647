import CKernels
import KistCore
import KistTokenizers
import TestSupport
import Testing

/// The kernels that cut text and look pieces up, against their plain twins.
struct PieceKernelTests {
  /// Long stretches of ASCII, with what ends a batch of 64 bytes early.
  private static func text(_ byteCount: Int, _ generator: inout SeededGenerator) -> [UInt8] {
    let fragments = [
      " ", "  ", "\n", "\r\n", " \n", "\n \n  ", "\t", "\u{C}", "word", "Word", "WORD", "wordWord", "aB", "x", "12",
      "1234567", "'s", "'S",
      "'ll", "'LL", "'re", "'Ve", "'x", "'", "''", "/", "//", "\n/", "/\n/", "!\n/", "(", "...", "_", "don't", "it's's",
      "I'm'", "\u{0}",
      "\u{1C}", "\u{7F}", String(repeating: "long", count: 17), String(repeating: " ", count: 70), "é", "京", "\u{A0}",
      "京のカー", "ที่", "Ａｂ", "ｃＤ", "\u{FE00}",
      "'ſ", "😀",
    ]
    var text: [UInt8] = []
    // Mostly of a few kinds, so that runs of one kind and their ends meet.
    let few = (0..<6).map { _ in Array((fragments.randomElement(using: &generator) ?? "").utf8) }
    while text.count < byteCount {
      let isAny = Int.random(in: 0..<8, using: &generator) == 0
      let any = Array((fragments.randomElement(using: &generator) ?? "").utf8)
      text += isAny ? any : few.randomElement(using: &generator) ?? any
    }
    return text
  }

  @Test(arguments: Scanner.knownPatterns.indices)
  func `long texts are cut as by the plain twins`(index: Int) throws {
    let scanner = try #require(Scanner(Scanner.knownPatterns[index]))
    var generator = SeededGenerator(seed: 40 + UInt64(index))
    for round in 0..<1500 {
      let text = Self.text(round < 300 ? 60 + round % 20 : 400, &generator)
      let (fast, plain) = unsafe text.withUnsafeBufferPointer { buffer in
        var (fast, plain): ([Range<Int>], [Range<Int>]) = ([], [])
        unsafe scanner.forEachPiece(in: buffer) { fast.append($0..<$1) }
        unsafe scanner.forEachPlainPiece(in: buffer) { plain.append($0..<$1) }
        return (fast, plain)
      }
      guard fast == plain else {
        let place = zip(fast, plain).first { $0 != $1 }
        Issue.record("\(Scanner.knownPatterns[index]), \(shown([text])): \(place.map { "\($0)" } ?? "fewer")")
        return
      }
    }
  }

  @Test func `words end before each ▁ that follows another character`() throws {
    var generator = SeededGenerator(seed: 51)
    let fragments: [[UInt8]] =
      ["▁", "▁▁", "a", "京", "\u{2582}", "word"].map { Array($0.utf8) } + [[0xE2], [0x96], [0x81]]
    for round in 0..<2000 {
      let text = (0..<round % 90).flatMap { _ in fragments.randomElement(using: &generator) ?? [] }
      let capacity = round % 3 == 0 ? 3 : 400
      var ends = [Int](repeating: 0, count: capacity)
      let (fast, plain) = unsafe text.withUnsafeBufferPointer { buffer in
        let count = unsafe kist_marker_ends(buffer.baseAddress, buffer.count, 0, &ends, capacity)
        var plain: [Int] = []
        while (plain.last ?? 0) < buffer.count {
          plain.append(unsafe BPEModel.endOfSegment(UnsafeRawBufferPointer(buffer), from: plain.last ?? 0))
        }
        return (Array(ends.prefix(count)), Array(plain.prefix(capacity)))
      }
      #expect(fast == plain, "\(shown([text]))")
    }
  }

  private static let scripts = ["a", "b", " ", "é", "ß", "京", "東", "の", "は", "。", "😀", "👩"].map { Array($0.utf8) }

  @Test func `pieces are cut at junctions as by the plain twin, and nowhere within a token`() throws {
    var generator = SeededGenerator(seed: 52)
    for _ in 0..<20 {
      var (builder, writer) = (JunctionsBuilder(), RecordWriter())
      var tokens: [[UInt8]] = []
      for _ in 0..<30 {
        let word = (0..<Int.random(in: 2...4, using: &generator)).flatMap { _ in
          Self.scripts.randomElement(using: &generator) ?? []
        }
        let place = Int.random(in: 1..<word.count, using: &generator)
        builder.insert(word[..<place], word[place...])
        if word[place] & 0xC0 != 0x80 { tokens.append(word) }
      }
      builder.compile(into: &writer)
      let junctions = try #require(try Junctions(RecordReader(RecordStorage(writer.encoded()))))
      for _ in 0..<100 {
        let text = (0..<Int.random(in: 1...30, using: &generator)).flatMap { _ in
          Self.scripts.randomElement(using: &generator) ?? []
        }
        let start = Int.random(in: 0..<text.count, using: &generator)
        let piece = start..<Int.random(in: start + 1...text.count, using: &generator)
        let cut = Self.cut(text, piece, junctions, capacity: 400)
        #expect(cut == junctions.plainCut(text, piece))
        #expect(Self.cut(text, piece, junctions, capacity: 2) == Array(cut.prefix(2)))
      }
      for token in tokens {
        let text = Self.scripts[0] + token + Self.scripts[1]
        #expect(Self.cut(text, 0..<text.count, junctions, capacity: 400).count < text.count)
      }
    }
  }

  private static func cut(_ text: [UInt8], _ piece: Range<Int>, _ junctions: Junctions, capacity: Int) -> [Int] {
    var ends = [Int](repeating: 0, count: capacity)
    return unsafe text.withUnsafeBytes { text in
      let count = unsafe ends.withUnsafeMutableBufferPointer { unsafe junctions.cut(text, piece, into: $0) }
      return Array(ends.prefix(count))
    }
  }

  @Test(arguments: 0..<20)
  func `pieces that are cut merge as in the naive way`(_ seed: UInt64) throws {
    var generator = SeededGenerator(seed: 300 + seed)
    var tokens = Set<[UInt8]>()
    while tokens.count < 60 {
      let word = (0..<Int.random(in: 1...3, using: &generator)).flatMap { _ in
        Self.scripts.randomElement(using: &generator) ?? []
      }
      // A token and how it arises, byte by byte; some of them are missing.
      for end in 2...max(2, word.count) where end <= word.count && Int.random(in: 0..<6, using: &generator) > 0 {
        tokens.insert(Array(word[..<end]))
      }
    }
    var all = tokens.sorted { $0.lexicographicallyPrecedes($1) } + (UInt8.min...UInt8.max).map { [$0] }
    all.shuffle(using: &generator)
    let ranks = Dictionary(uniqueKeysWithValues: all.enumerated().map { ($1, UInt32($0)) })
    let vocabulary = Vocabulary(tokens: all.enumerated().map { Vocabulary.Token(bytes: $1, id: UInt32($0)) })
    let model = try BPEModel(BPEDefinition(vocabulary: vocabulary, merges: .byRank))
    let naive = BPENaive(ranks: ranks)
    var scratch = BPEScratch()
    for length in [1, 2, 3, 5, 8, 13, 21, 34, 100, 400, 3, 8, 21] {
      let piece = (0..<length).flatMap { _ in Self.scripts.randomElement(using: &generator) ?? [] }
      var ids: [UInt32] = []
      model.encode(piece, into: &ids, &scratch)
      #expect(ids == ranks[piece].map { [$0] } ?? naive.ids(piece.map { [$0] }), "seed \(seed), \(shown([piece]))")
    }
  }

  @Test func `many pieces at once have the ids that each has alone`() throws {
    let model = try BPEFixture("tiktoken-1.json").model
    var generator = SeededGenerator(seed: 53)
    let text = (0..<20_000).map { _ in UInt8(97 + Int.random(in: 0..<3, using: &generator)) }
    var ranges: [Range<Int>] = []
    while (ranges.last?.upperBound ?? 0) < text.count - 40 {
      let start = (ranges.last?.upperBound ?? 0) + Int.random(in: 0...2, using: &generator)
      ranges.append(start..<start + Int.random(in: 1...[3, 6, 20][ranges.count % 3], using: &generator))
    }
    ranges.append(text.count - 5..<text.count)
    var scratch = BPEScratch()
    var alone: [UInt32] = []
    for range in ranges {
      var fresh = BPEScratch()
      model.encode(Array(text[range]), into: &alone, &fresh)
    }
    for _ in 0..<2 {
      var together: [UInt32] = []
      unsafe text.withUnsafeBytes { unsafe model.encode($0, pieces: ranges, into: &together, &scratch) }
      #expect(together == alone)
    }
  }

  @Test func `an unknown token that is missing stays missing in the cache`() throws {
    let vocabulary = Vocabulary(tokens: [Vocabulary.Token(bytes: [97], id: 0)])
    var definition = BPEDefinition(vocabulary: vocabulary, merges: .pairs([]))
    definition.unknown = ModelDefinition.absentUnknown
    let model = try BPEModel(definition)
    var scratch = BPEScratch()
    var ids: [UInt32] = []
    for _ in 0..<3 { model.encode([98], into: &ids, &scratch) }
    #expect(ids == [.max, .max, .max])
  }

  @Test func `SentencePiece's spaces are written as one by one`() throws {
    var generator = SeededGenerator(seed: 54)
    let fragments = [" ", "  ", "a", "word", "京", "▁", "e\u{301}", "ﬁ", "\u{A0}", "longer words in a row ", "\u{301}"]
    for round in 0..<1000 {
      var settings = SentencePieceNormalizer()
      settings.removesExtraWhitespaces = Bool.random(using: &generator)
      settings.escapesWhitespaces = Bool.random(using: &generator)
      settings.addsDummyPrefix = Bool.random(using: &generator)
      let text = (0..<round % 60).map { _ in fragments.randomElement(using: &generator) ?? "" }.joined()
      var fast = NormalizedText(bytes: Array(text.utf8))
      var plain = fast
      try NormalizerStage(.sentencePiece(settings)).apply(to: &fast)
      // With a user-defined piece, character after character is looked at.
      settings.userDefinedSymbols = [Array("\u{10FFFD}".utf8)]
      try NormalizerStage(.sentencePiece(settings)).apply(to: &plain)
      #expect(fast == plain, "\(text.debugDescription) \(settings)")
    }
  }
}
