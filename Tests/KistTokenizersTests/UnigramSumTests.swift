import KistCore
import KistTokenizers
import TestSupport
import Testing

/// SentencePiece adds scores as f32 over the whole text: what wins where two ways are about as likely depends on all that stands before.
struct UnigramSumTests {
  /// The search as the library writes it down, with a dictionary for a trie and no memory of words.
  ///
  /// Source: sentencepiece, `unigram_model.cc`, `Model::EncodeOptimized`.
  private struct Naive {
    var pieces: [[UInt8]: (id: UInt32, score: Float)]
    var unknownScore: Float
    /// Of each byte, where unknown characters become bytes.
    var byteIDs: [UInt32] = []
    let longest = 24

    func ids(_ text: [UInt8]) -> [UInt32] {
      var nodes = [(score: Float, start: Int, id: UInt32)](repeating: (0, -1, 0), count: text.count + 1)
      var (position, furthest) = (0, 0)
      while position < text.count {
        if abs(nodes[position].score) > 100_000 {
          let offset = nodes[position].score
          for place in position...furthest where nodes[place].start != -1 { nodes[place].score -= offset }
        }
        let length = text[position] < 0x80 ? 1 : text[position] < 0xE0 ? 2 : text[position] < 0xF0 ? 3 : 4
        let reached = nodes[position].score
        func offer(_ end: Int, _ id: UInt32, _ score: Float) {
          furthest = max(furthest, end)
          if nodes[end].start == -1 || reached + score > nodes[end].score {
            nodes[end] = (reached + score, position, id)
          }
        }
        for end in position + 1...min(text.count, position + longest) {
          if let piece = pieces[Array(text[position..<end])] { offer(end, piece.id, piece.score) }
        }
        if pieces[Array(text[position..<position + length])] == nil { offer(position + length, 0, unknownScore) }
        position += length
      }
      var (ids, end): ([UInt32], Int) = ([], text.count)
      while end > 0 {
        let (start, id) = (nodes[end].start, nodes[end].id)
        if id == 0, !byteIDs.isEmpty {
          ids += text[start..<end].reversed().map { byteIDs[Int($0)] }
        } else if id != 0 || ids.last != 0 {
          // Unknown characters in a row are one.
          ids.append(id)
        }
        end = start
      }
      return ids.reversed()
    }
  }

  private func pieces(_ generator: inout SeededGenerator) -> [[UInt8]] {
    let letters = ["▁", "a", "b", "c", "の", "は"].map { Array($0.utf8) }
    var pieces = Set(letters)
    while pieces.count < 90 {
      let inner = (0..<Int.random(in: 1...4, using: &generator)).flatMap { _ in
        letters[Int.random(in: 1..<6, using: &generator)]
      }
      pieces.insert((Bool.random(using: &generator) ? letters[0] : []) + inner)
    }
    return pieces.sorted { $0.lexicographicallyPrecedes($1) }
  }

  /// Words of pieces, with characters in them that the vocabulary lacks; some of them again and again.
  private func text(_ pieces: [[UInt8]], _ count: Int, _ generator: inout SeededGenerator) -> [UInt8] {
    let unknown = ["x", "京", "é"].map { Array($0.utf8) }
    func word() -> [UInt8] {
      (0..<Int.random(in: 1...5, using: &generator)).reduce(into: Array("▁".utf8)) { word, _ in
        let isUnknown = Int.random(in: 0..<12, using: &generator) == 0
        word += (isUnknown ? unknown : pieces).randomElement(using: &generator) ?? []
      }
    }
    let few = (0..<150).map { _ in word() }
    // Text of a script that the vocabulary lacks, without spaces.
    let run = (0..<40).flatMap { _ in unknown.randomElement(using: &generator) ?? [] }
    return (0..<count).flatMap { _ in
      if Int.random(in: 0..<50, using: &generator) == 0 { return run }
      return Int.random(in: 0..<4, using: &generator) == 0 ? word() : few.randomElement(using: &generator) ?? []
    }
  }

  @Test(arguments: 0..<6, [false, true])
  func `words that rounding decides are cut as in the naive way, wherever they stand`(
    seed: UInt64, fallsBackToBytes: Bool
  ) throws {
    var generator = SeededGenerator(seed: 70 + seed)
    let pieces = pieces(&generator)
    // Sums of such scores are often equal, or nearly.
    let step: Float = [0.25, 0.01, 0.001][Int(seed % 3)]
    let scores = pieces.map { piece in
      -4 * Float(piece.count.isMultiple(of: 2) ? 3 : 2) - step * Float(Int.random(in: 0..<40, using: &generator))
    }
    let bytes = fallsBackToBytes ? (UInt8.min...UInt8.max).map { ByteToken.name(of: $0) } : []
    let tokens = [Array("<unk>".utf8)] + pieces + bytes
    var definition = UnigramDefinition(
      vocabulary: Vocabulary(tokens: tokens.enumerated().map { Vocabulary.Token(bytes: $1, id: UInt32($0)) }),
      scores: [0] + scores.map(Double.init) + bytes.map { _ in 0 }, unknown: 0)
    definition.kinds = [.unknown] + pieces.map { _ in .normal } + bytes.map { _ in .byte }
    definition.byteFallback = fallsBackToBytes
    let model = try UnigramModel(record { try UnigramModel.compile(definition, into: &$0) })
    let table = zip(pieces, scores).enumerated().map { ($1.0, (id: UInt32($0 + 1), score: $1.1)) }
    var naive = Naive(pieces: Dictionary(uniqueKeysWithValues: table), unknownScore: (scores.min() ?? 0) - 10)
    naive.byteIDs = bytes.indices.map { UInt32(1 + pieces.count + $0) }
    // The sum starts over a few times.
    let text = text(pieces, 9000, &generator)
    let expected = naive.ids(text)
    var scratch = UnigramModel.Scratch()
    for _ in 0..<2 {
      var ids: [UInt32] = []
      try unsafe text.withUnsafeBytes { bytes in unsafe try model.encode(bytes, into: &ids, &scratch) }
      let place = zip(ids, expected).enumerated().first { $1.0 != $1.1 }?.offset
      #expect(place == nil && ids.count == expected.count, "id \(place ?? -1) of \(expected.count)")
    }
  }
}
