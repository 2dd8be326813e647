import Foundation
import KistCore
import KistTokenizers
import TestSupport
import Testing

struct BPEPropertyTests {
  /// Tokens of a few letters, each the concatenation of two others.
  private func tokens(_ letters: String, _ count: Int, _ generator: inout SeededGenerator) -> [[UInt8]] {
    var tokens = letters.utf8.map { [$0] }
    while tokens.count < count {
      guard let left = tokens.randomElement(using: &generator), let right = tokens.randomElement(using: &generator),
        left.count + right.count <= 14, !tokens.contains(left + right)
      else { continue }
      tokens.append(left + right)
    }
    return tokens
  }

  private func piece(_ letters: String, _ count: Int, _ generator: inout SeededGenerator) -> [UInt8] {
    let letters = Array(letters.utf8)
    return (0..<count).map { _ in letters[Int.random(in: 0..<letters.count, using: &generator)] }
  }

  @Test(arguments: 0..<40)
  func `pairs merge as in the naive way, at every length`(_ seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    let letters = ["ab", "abc", "abcd"][Int(seed % 3)]
    let tokens = tokens(letters, 60, &generator)
    let ids = Dictionary(uniqueKeysWithValues: tokens.enumerated().map { ($1, UInt32($0)) })
    var merges = tokens.flatMap { left in tokens.map { (left, $0) } }.filter { ids[$0.0 + $0.1] != nil }
    // As they were learned, nearly, or in any order.
    if seed % 4 == 0 {
      merges.sort { (ids[$0.0 + $0.1] ?? 0, $0.0.count) < (ids[$1.0 + $1.1] ?? 0, $1.0.count) }
    } else {
      merges.shuffle(using: &generator)
    }
    let pairs = merges.map { left, right in
      BPEDefinition.Pair(left: ids[left] ?? 0, right: ids[right] ?? 0, merged: ids[left + right] ?? 0)
    }
    let vocabulary = Vocabulary(tokens: tokens.enumerated().map { Vocabulary.Token(bytes: $1, id: UInt32($0)) })
    let model = try BPEModel(BPEDefinition(vocabulary: vocabulary, merges: .pairs(pairs)))
    let naive = BPENaive(vocabulary: ids, merges: merges)
    for length in [1, 2, 3, 5, 8, 13, 21, 31, 32, 33, 34, 64, 150, 400] {
      let piece = piece(letters, length, &generator)
      #expect(model.ids(piece) == naive.ids(piece.map { [$0] }), "seed \(seed), length \(length)")
    }
    // Tokens as pieces: those that are whole are not merged.
    for token in tokens { #expect(model.ids(token) == naive.ids(token.map { [$0] }), "seed \(seed), \(token)") }
  }

  /// Byte-level models of a list of merges are cut at junctions: between characters, and some of these merge only in part.
  @Test(arguments: 0..<12)
  func `pairs of bytes merge as in the naive way, cut at junctions or not`(_ seed: UInt64) throws {
    var generator = SeededGenerator(seed: 300 + seed)
    let letters = ["の", "は", "京", "都", "ab", "é", "😀", " "]
    var all = (UInt8.min...UInt8.max).map { [$0] }
    let samples = letters.map { Array($0.utf8) }
    while all.count < 320 {
      // Within a character, of a whole one, or over its end.
      let text = (0..<3).flatMap { _ in samples.randomElement(using: &generator) ?? [] }
      let start = Int.random(in: 0..<text.count - 1, using: &generator)
      let token = Array(text[start..<min(text.count, start + Int.random(in: 2...7, using: &generator))])
      let parts = (1..<token.count).filter { all.contains(Array(token[..<$0])) && all.contains(Array(token[$0...])) }
      if !parts.isEmpty, !all.contains(token) { all.append(token) }
    }
    let ids = Dictionary(uniqueKeysWithValues: all.enumerated().map { ($1, UInt32($0)) })
    var merges = all.flatMap { token in
      (1..<max(1, token.count)).map { (Array(token[..<$0]), Array(token[$0...])) }
    }.filter { ids[$0.0] != nil && ids[$0.1] != nil }
    if seed % 4 != 0 { merges.shuffle(using: &generator) }
    let pairs = merges.map { left, right in
      BPEDefinition.Pair(left: ids[left] ?? 0, right: ids[right] ?? 0, merged: ids[left + right] ?? 0)
    }
    let tokens = all.enumerated().map { Vocabulary.Token(bytes: ByteAlphabet.spelling(of: $1), id: UInt32($0)) }
    let definition = BPEDefinition(vocabulary: Vocabulary(tokens: tokens), merges: .pairs(pairs))
    let record = try RecordReader(RecordStorage(BPEModel.record(definition, bytesAlphabet: true)))
    #expect(try Junctions(record) != nil)
    let (model, naive) = (try BPEModel(record), BPENaive(vocabulary: ids, merges: merges))
    for count in [1, 2, 3, 5, 6, 7, 9, 12, 20, 40, 90] {
      let piece = (0..<count).flatMap { _ in samples.randomElement(using: &generator) ?? [] }
      #expect(model.ids(piece) == naive.ids(piece.map { [$0] }), "seed \(seed), \(count) characters")
    }
  }

  @Test(arguments: 0..<40)
  func `tokens of ranks merge as in the naive way, at every length`(_ seed: UInt64) throws {
    var generator = SeededGenerator(seed: 100 + seed)
    let letters = ["ab", "abc", "abcd"][Int(seed % 3)]
    var all = tokens(letters, 80, &generator)
    all += (UInt8.min...UInt8.max).map { [$0] }.filter { !all.contains($0) }
    all.shuffle(using: &generator)
    let ranks = Dictionary(uniqueKeysWithValues: all.enumerated().map { ($1, UInt32($0)) })
    let vocabulary = Vocabulary(tokens: all.enumerated().map { Vocabulary.Token(bytes: $1, id: UInt32($0)) })
    let model = try BPEModel(BPEDefinition(vocabulary: vocabulary, merges: .byRank))
    let naive = BPENaive(ranks: ranks)
    for length in [1, 2, 3, 5, 8, 13, 21, 31, 32, 33, 34, 64, 150, 400] {
      let piece = piece(letters, length, &generator)
      #expect(model.ids(piece) == ranks[piece].map { [$0] } ?? naive.ids(piece.map { [$0] }), "seed \(seed)")
    }
  }

  @Test(arguments: 0..<40)
  func `pieces of scores merge as in the naive way, ties and all`(_ seed: UInt64) throws {
    var generator = SeededGenerator(seed: 200 + seed)
    let letters = ["ab", "abc", "abcd"][Int(seed % 3)]
    let all = [Array("<unk>".utf8)] + tokens(letters, 70, &generator)
    let scores = all.map { _ in Float(-Int.random(in: 0..<12, using: &generator)) }
    let vocabulary = Vocabulary(tokens: all.enumerated().map { Vocabulary.Token(bytes: $1, id: UInt32($0)) })
    var definition = BPEDefinition(vocabulary: vocabulary, merges: .byScore(scores))
    definition.unknown = 0
    definition.kinds = [.unknown] + all.dropFirst().map { _ in .normal }
    let model = try BPEModel(definition)
    let ranks = Dictionary(uniqueKeysWithValues: zip(all, scores).map { ($0, UInt32(-$1)) })
    let naive = BPENaive(ranks: ranks)
    let ids = Dictionary(uniqueKeysWithValues: all.enumerated().map { ($1, UInt32($0)) })
    for length in [1, 2, 3, 5, 8, 13, 21, 31, 32, 33, 34, 64, 150, 400] {
      let piece = piece(letters, length, &generator)
      let expected = naive.symbols(piece.map { [$0] }).map { ids[$0] }
      #expect(model.ids(piece) == expected, "seed \(seed), length \(length)")
    }
  }

  // Quadratic time would be hours.
  @Test(.timeLimit(.minutes(2))) func `a megabyte without a place to cut takes no quadratic time`() throws {
    for name in ["random-0.json", "tiktoken-0.json", "byte-level.json"] {
      let model = try BPEFixture(name).model
      var generator = SeededGenerator(seed: 7)
      for piece in [[UInt8](repeating: 97, count: 1 << 20), piece("ab", 1 << 20, &generator)] {
        var ids: [UInt32] = []
        var scratch = BPEScratch()
        model.encode(piece, into: &ids, &scratch)
        // Compared before the expectation, which would look for the differences of a megabyte.
        let isSame = ids.flatMap { model.vocabulary.bytes(of: $0) } == piece
        #expect(isSame, "\(name)")
      }
    }
  }

  @Test func `a cache of all sizes of pieces forgets nothing it should know, and stays bounded`() throws {
    let model = try BPEFixture("tiktoken-1.json").model
    var generator = SeededGenerator(seed: 9)
    let pieces = (0..<30_000).map { _ in piece("abc", Int.random(in: 1...70, using: &generator), &generator) }
    var scratch = BPEScratch()
    var (first, second): ([UInt32], [UInt32]) = ([], [])
    for piece in pieces { model.encode(piece, into: &first, &scratch) }
    for piece in pieces { model.encode(piece, into: &second, &scratch) }
    let areSame = first == second && first.flatMap { model.vocabulary.bytes(of: $0) } == pieces.flatMap { $0 }
    #expect(areSame)
  }

  /// Short and long ones, again and again: they are looked up many at a time, by keys or by hashes.
  @Test(arguments: ["tiktoken-1.json", "random-0.json"])
  func `pieces of one text become what each becomes alone`(_ name: String) throws {
    let model = try BPEFixture(name).model
    var generator = SeededGenerator(seed: 10)
    let few = (0..<80).map { piece("abc", [3, 15, 16, 17, 24, 40, 200, 1030][$0 % 8] - $0 % 3, &generator) }
    var scratch = BPEScratch()
    for _ in 0..<3 {
      let pieces = (0..<600).map { _ in
        Int.random(in: 0..<9, using: &generator) == 0
          ? piece("abc", Int.random(in: 1...60, using: &generator), &generator)
          : few.randomElement(using: &generator) ?? []
      }
      var (text, ranges): ([UInt8], [Range<Int>]) = ([], [])
      for piece in pieces {
        ranges.append(text.count..<text.count + piece.count)
        text += piece
      }
      var ids: [UInt32] = []
      unsafe text.withUnsafeBytes { unsafe model.encode($0, pieces: ranges, into: &ids, &scratch) }
      let areSame = ids == pieces.flatMap { model.ids($0) }
      #expect(areSame)
    }
  }

  @Test(arguments: [
    "byte-level-fallback.json", "sp-random-2.json", "sp-unused.json", "tiktoken-0.json", "prefix-suffix.json",
  ])
  func `a damaged record gives wrong ids at worst`(_ name: String) throws {
    let fixture = try BPEFixture(name)
    let record = try fixture.record()
    var generator = SeededGenerator(seed: 11)
    var openedCount = 0
    for _ in 0..<300 {
      var damaged = record
      for _ in 0..<Int.random(in: 1...200, using: &generator) {
        // Behind the list of sections, mostly, so that the record still opens.
        let place = Int.random(
          in: Bool.random(using: &generator) ? 512..<damaged.count : 16..<damaged.count, using: &generator)
        damaged[place] = UInt8.random(in: 0...255, using: &generator)
      }
      guard let model = try? BPEModel(RecordReader(RecordStorage(damaged))) else { continue }
      openedCount += 1
      for (piece, _) in fixture.cases.prefix(60) {
        var scratch = BPEScratch()
        var ids: [UInt32] = []
        model.encode(piece, into: &ids, &scratch)
        model.encode(piece, into: &ids, &scratch)
        _ = model.mergeSteps(of: piece)
        for id in ids { _ = model.vocabulary.bytes(of: id) }
      }
    }
    #expect(openedCount > 50)
  }
}
