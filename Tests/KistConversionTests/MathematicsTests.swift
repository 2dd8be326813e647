import Foundation
import KistConversion
import KistCore
import KistTokenizers
import TestSupport
import Testing

private let world = "\(repository)/Fixtures/world-llama"

/// Words in an embedding matrix.
@Suite struct WordEmbeddingTests {
  private struct Analogy: Decodable {
    struct Best: Decodable {
      var token: Int
      var text: String
      var cosine: Double
    }
    var words: [String]
    var best: [Best]
  }

  @Test func `analogies are those that PyTorch finds`() throws {
    let file = try Data(contentsOf: URL(fileURLWithPath: world + "/analogies.json"))
    let embeddings = try WordEmbeddings.open(path: world)
    for analogy in try JSONDecoder().decode([Analogy].self, from: file) {
      let words = try analogy.words.map { try embeddings.word($0) }
      let found = try embeddings.analogy(words[0], words[1], words[2], count: 5, parallelism: Parallelism(threads: 2))
      #expect(found.map(\.token) == analogy.best.map(\.token))
      #expect(found.map(\.text) == analogy.best.map(\.text))
      for (one, expected) in zip(found, analogy.best) { #expect(abs(one.cosine - expected.cosine) <= 1e-5) }
    }
  }

  @Test func `a woman who is a king is a queen`() throws {
    let embeddings = try WordEmbeddings.open(path: world)
    let words = try ["king", "man", "woman"].map { try embeddings.word($0) }
    let best = try embeddings.analogy(words[0], words[1], words[2], count: 1, parallelism: Parallelism())
    #expect(best.first?.text == " queen")
  }

  @Test func `a word is taken as within a sentence, else as it is`() throws {
    let embeddings = try WordEmbeddings.open(path: world)
    let king = try embeddings.word("king")
    #expect((king.pieces, king.form) == ([" king"], .inSentence))
    // A token that no space stands before.
    let period = try embeddings.word("<|endoftext|>")
    #expect(period.tokens.count == 1 && period.pieces == ["<|endoftext|>"])
    let neighbors = try embeddings.neighbors(of: king, count: 2000, parallelism: Parallelism(threads: 1))
    #expect(neighbors.count == 1023)
    #expect(!neighbors.contains { $0.token == king.tokens[0] })
    #expect(zip(neighbors, neighbors.dropFirst()).allSatisfy { $0.cosine >= $1.cosine })
  }

  @Test func `a word of several tokens is refused, or the mean of them`() throws {
    let embeddings = try WordEmbeddings.open(path: world)
    #expect { try embeddings.word("democracy") } throws: { error in
      "\(error)".contains("tokens: ' d") && "\(error)".contains("--mean")
    }
    let word = try embeddings.word("democracy", several: .mean)
    #expect(word.tokens.count > 1 && word.pieces.joined() == " democracy")
    let best = try embeddings.neighbors(of: word, count: 1, parallelism: Parallelism(threads: 1))
    #expect(best[0].cosine > 0 && !word.tokens.contains(best[0].token))
    #expect(throws: KistError.self) { try embeddings.word("") }
  }

  @Test func `any tensor of two dimensions can be the table`() throws {
    let same = try WordEmbeddings.open(path: world, tensor: "model.embed_tokens.weight")
    #expect(same.shape == [1024, 256] && same.dtype == "BF16")
    #expect(throws: KistError.self) { try WordEmbeddings.open(path: world, tensor: "model.norm.weight") }
    #expect(throws: KistError.self) { try WordEmbeddings.open(path: world, tensor: "nothing") }
  }
}

/// Cross-entropy over windows.
@Suite struct TextScoreTests {
  private struct HeldOut: Decodable {
    var loss: Double
    var tokens: Int
    var predicted: Int
  }

  @Test func `the loss of windows side by side is that of transformers`() throws {
    let expected = try JSONDecoder().decode(
      HeldOut.self, from: Data(contentsOf: URL(fileURLWithPath: world + "/loss.json")))
    let text = try String(contentsOfFile: world + "/held-out.txt", encoding: .utf8)
    let model = try LoadedModel.open(path: world)
    let windows = TextScore.Windows(context: 256, stride: 256)
    let score = try TextScore(
      model, tokens: model.tokens(of: text), byteCount: text.utf8.count, windows: windows,
      parallelism: Parallelism(threads: 2))
    #expect(score.tokens.count == expected.tokens && score.scoredCount == expected.predicted)
    #expect(abs(score.loss - expected.loss) <= 1e-5)
    #expect(abs(score.perplexity - exp(expected.loss)) <= 1e-4)
    // Overlapping windows leave out nothing but the first token, and know more of what went before.
    let overlapping = try TextScore(
      model, tokens: model.tokens(of: text), byteCount: text.utf8.count, parallelism: Parallelism(threads: 2))
    #expect((overlapping.context, overlapping.stride) == (256, 128))
    #expect(overlapping.scoredCount == expected.tokens - 1)
    #expect(overlapping.loss < score.loss)
    #expect(overlapping.byteCount == text.utf8.count - score.tokens[0].text.utf8.count)
    let bits = overlapping.total / log(2) / Double(overlapping.byteCount)
    #expect(abs((overlapping.bitsPerByte ?? 0) - bits) <= 1e-12)
  }

  private struct Continuation: Decodable {
    var prompt: String
    var tokens: [Int]
  }

  @Test func `the likeliest continuations are those of transformers`() throws {
    let file = try Data(contentsOf: URL(fileURLWithPath: world + "/continuations.json"))
    let model = try LoadedModel.open(path: world)
    for expected in try JSONDecoder().decode([Continuation].self, from: file) {
      let prediction = try Prediction(model, text: expected.prompt, parallelism: Parallelism(threads: 2))
      let given = prediction.tokens.count
      for _ in expected.tokens { _ = try prediction.next() }
      #expect(Array(prediction.tokens.dropFirst(given)) == expected.tokens, "\(expected.prompt)")
    }
  }

  @Test func `windows score each token once, as if the window were the text`() throws {
    let model = try LoadedModel.open(path: world)
    let tokens = Array(
      try model.tokens(of: String(contentsOfFile: world + "/held-out.txt", encoding: .utf8)).prefix(50))
    func score(_ tokens: ArraySlice<Int>, _ context: Int, _ stride: Int) throws -> [Double?] {
      try TextScore(
        model, tokens: Array(tokens), windows: TextScore.Windows(context: context, stride: stride),
        parallelism: Parallelism(threads: 1)
      ).tokens.map(\.loss)
    }
    let windowed = try score(tokens[...], 20, 8)
    let (second, last) = (try score(tokens[8..<28], 20, 20), try score(tokens[32..<50], 20, 20))
    #expect(windowed.dropFirst().allSatisfy { $0 != nil } && windowed[0] == nil)
    #expect(zip(windowed[20..<28], second[12...]).allSatisfy { abs(($0 ?? 0) - ($1 ?? 1)) <= 1e-5 })
    #expect(zip(windowed[44..<50], last[12...]).allSatisfy { abs(($0 ?? 0) - ($1 ?? 1)) <= 1e-5 })
  }

  @Test(.enabled(if: shared("checkpoints/stories260k") != nil, "../shared/data/checkpoints is not there"))
  func `the loss of stories260k on its golden tokens is PyTorch's`() throws {
    let folder = try #require(shared("checkpoints/stories260k"))
    let golden = try LogitFile(path: folder + "/golden.safetensors")
    let score = try TextScore(
      LoadedModel.open(path: folder), tokens: golden.tokens, parallelism: Parallelism(threads: 2))
    // torch.nn.functional.cross_entropy(logits[:-1], tokens[1:])
    #expect(abs(score.loss - 0.44440388679504395) <= 1e-5)
  }

  @Test func `what can't be scored is refused`() throws {
    let model = try LoadedModel.open(path: world)
    func score(_ tokens: [Int], _ windows: TextScore.Windows = TextScore.Windows()) throws {
      _ = try TextScore(model, tokens: tokens, windows: windows, parallelism: Parallelism(threads: 1))
    }
    #expect(throws: KistError.self) { try score([]) }
    #expect(throws: KistError.self) { try score([5]) }
    #expect(throws: KistError.self) { try score([5, 1024]) }
    #expect(throws: KistError.self) { try score([5, 6], TextScore.Windows(context: 257)) }
    #expect(throws: KistError.self) { try score([5, 6], TextScore.Windows(context: 1)) }
    #expect(throws: KistError.self) { try score([5, 6], TextScore.Windows(context: 16, stride: 17)) }
    #expect(throws: KistError.self) { try score([5, 6], TextScore.Windows(context: 16, stride: 0)) }
  }
}

/// A text's way through a model, and what its heads look at.
@Suite struct TraceTests {
  @Test func `a trace has every step, and its last layer predicts what the model does`() throws {
    let model = try LoadedModel.open(path: world)
    let tokens = try model.tokensToRun("The king sits on the")
    let trace = try ModelTrace(model, tokens: tokens, parallelism: Parallelism(threads: 2))
    #expect(trace.steps.first?.step == "embedding" && trace.steps.last?.step == "head")
    #expect(trace.steps.first?.tensors == ["model.embed_tokens.weight"])
    #expect(trace.steps.first?.shape == [5, 256])
    #expect(trace.stream.map(\.layer) == [nil, 0, 1, 2])
    #expect(trace.stream.allSatisfy { $0.norms.count == 5 && $0.lens.count == 3 })
    let next = try Prediction(model, text: "The king sits on the", parallelism: Parallelism(threads: 2)).likeliest(3)
    #expect(trace.stream.last?.lens.map(\.token) == next.map(\.token))
    for (one, other) in zip(trace.stream.last?.lens ?? [], next) {
      #expect(abs(one.probability - other.probability) <= 1e-5)
    }
    let before = try ModelTrace(model, tokens: tokens, position: 0, count: 1, parallelism: Parallelism(threads: 1))
    #expect(before.position == 0 && before.stream.allSatisfy { $0.lens.count == 1 })
    #expect(throws: KistError.self) {
      try ModelTrace(model, tokens: tokens, position: 5, parallelism: Parallelism(threads: 1))
    }
  }

  @Test func `maps of attention are of the layers asked for`() throws {
    let model = try LoadedModel.open(path: world)
    let tokens = try model.tokensToRun("The king sits on the throne")
    let all = try AttentionMaps(model, tokens: tokens, parallelism: Parallelism(threads: 2))
    let one = try AttentionMaps(model, tokens: tokens, layers: 1..<2, parallelism: Parallelism(threads: 1))
    #expect(all.weights.count == 3 * 4 * 36 && one.weights.count == 4 * 36)
    #expect(Array(all.head(2, layer: 1)) == Array(one.head(2, layer: 1)))
    let summary = all.summaries[6]
    #expect((summary.layer, summary.head) == (1, 2))
    let head = Array(all.head(2, layer: 1))
    let own = (0..<6).reduce(0) { $0 + Double(head[7 * $1]) } / 6
    #expect(abs(summary.own - own) <= 1e-12)
    #expect(all.mean(layers: 0..<3).prefix(6).elementsEqual([1, 0, 0, 0, 0, 0]))
    #expect(throws: KistError.self) {
      try AttentionMaps(model, tokens: tokens, layers: 3..<4, parallelism: Parallelism(threads: 1))
    }
    #expect(throws: KistError.self) { try model.tokensToRun("") }
  }
}

@Suite struct PrincipalComponentTests {
  @Test func `coordinates are those of numpy's singular vectors`() throws {
    let golden = try Checkpoint.open(path: "\(repository)/Fixtures/mathematics.safetensors")
    func numbers(_ name: String) throws -> [Double] {
      let tensor = try #require(golden.tensors.first { $0.name == name })
      var numbers: [Double] = []
      unsafe try tensor.source.withBytes(0..<tensor.byteCount) { bytes throws(KistError) in
        for start in stride(from: 0, to: bytes.count, by: 4) {
          numbers.append(Double(Float(bitPattern: unsafe bytes.loadUnaligned(fromByteOffset: start, as: UInt32.self))))
        }
      }
      return numbers
    }
    let (vectors, places) = (try numbers("pca.vectors"), try numbers("pca.coordinates"))
    let rows = (0..<9).map { Array(vectors[16 * $0..<16 * ($0 + 1)]) }
    let found = PrincipalComponents(rows, count: 2)
    #expect(zip(found.coordinates.joined(), places).allSatisfy { abs($0 - $1) <= 1e-5 })
    #expect(zip(found.explained, try numbers("pca.explained")).allSatisfy { abs($0 - $1) <= 1e-6 })
    // The same words are at the same place, and a single direction is one.
    let flat = PrincipalComponents([[1, 0], [1, 0], [3, 0]], count: 2)
    #expect(flat.coordinates[0] == flat.coordinates[1] && abs(flat.explained[0] - 1) <= 1e-12)
  }
}
