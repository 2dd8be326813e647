import Foundation
import KistCheckpoints
import KistCore
import KistInference
import Testing

/// What Fixtures/mathematics.safetensors has: by transformers and PyTorch.
private struct Golden {
  private static let path =
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("Fixtures/mathematics.safetensors").path

  static let file = try? SafetensorsFile(path: path)

  /// The families that there is something of.
  static func families(_ kind: String) -> [String] {
    let names = (file?.header.tensors ?? []).map(\.name).filter { $0.hasPrefix(kind + ".") }
    return names.map { String($0.dropFirst(kind.count + 1)) }.sorted()
  }

  let shape: [Int]
  let numbers: [Float]

  init(_ name: String) throws {
    let file = try #require(Golden.file)
    let tensor = try #require(file.header.tensors.first { $0.name == name })
    let bytes = file.mapped.bytes.array(tensor.range)
    shape = tensor.shape.dimensions
    numbers = stride(from: 0, to: bytes.count, by: 4).map { start in
      Float(bitPattern: bytes[start..<start + 4].reversed().reduce(0) { $0 << 8 | UInt32($1) })
    }
  }
}

/// Looks into a model while it runs, against what transformers gives out.
@Suite struct LookTests {
  @Test func `there are goldens`() {
    #expect(Golden.families("attention").count >= 16)
    #expect(Golden.families("loss").count >= 4)
    #expect(Golden.families("lens").count >= 2)
  }

  @Test(arguments: Golden.families("attention"))
  func `attention weights are those of transformers`(name: String) throws {
    let (fixture, golden) = (try FamilyFixture(name), try Golden("attention.\(name)"))
    let tokens = try fixture.tokens
    let layers = fixture.weights.model.layers
    let session = try Session(fixture.weights, parallelism: Parallelism(threads: 2))
    let found = Found()
    try session.attentionWeights(
      tokens, tokenTypes: fixture.integers("token_types"), layers: layers.indices
    ) { layer throws(KistError) in found.layers.append(layer) }
    let weights = found.layers.flatMap(\.weights)
    #expect(golden.shape == [layers.count, layers[0].attention.headCount, tokens.count, tokens.count])
    #expect(found.layers.map(\.layer) == Array(layers.indices))
    #expect(zip(weights, golden.numbers).allSatisfy { abs($0 - $1) <= 1e-5 } && weights.count == golden.numbers.count)
    for (index, layer) in layers.enumerated() {
      let attention = layer.attention
      for row in 0..<attention.headCount * tokens.count {
        let start = (index * attention.headCount * tokens.count + row) * tokens.count
        let line = weights[start..<start + tokens.count]
        if !attention.hasSinks { #expect(abs(line.reduce(0, +) - 1) <= 1e-5) }
        // No look ahead, nor beyond the window.
        let query = row % tokens.count
        guard attention.isCausal else { continue }
        #expect(line.suffix(tokens.count - query - 1).allSatisfy { $0 == 0 })
        if let window = attention.window { #expect(line.prefix(max(0, query - window + 1)).allSatisfy { $0 == 0 }) }
      }
    }
  }

  private final class Found {
    var layers: [LayerAttention] = []
  }

  @Test func `weights of one layer are those among all`() throws {
    let (fixture, golden) = (try FamilyFixture("gemma2"), try Golden("attention.gemma2"))
    let session = try Session(fixture.weights, parallelism: Parallelism(threads: 1))
    let found = Found()
    try session.attentionWeights(try fixture.tokens, layers: 1..<2) { layer throws(KistError) in
      found.layers.append(layer)
    }
    let size = golden.numbers.count / golden.shape[0]
    #expect(found.layers.map(\.layer) == [1])
    #expect(relativeDifference(found.layers[0].weights, Array(golden.numbers[size..<2 * size])) <= 1e-5)
  }

  @Test(arguments: Golden.families("loss"))
  func `losses are PyTorch's cross-entropy`(name: String) throws {
    let (fixture, golden) = (try FamilyFixture(name), try Golden("loss.\(name)"))
    let tokens = try fixture.tokens
    let session = try Session(fixture.weights, parallelism: Parallelism(threads: 2))
    let states = try session.advance(tokens)
    let losses = try session.losses(states, rows: 0..<tokens.count - 1, targets: Array(tokens.dropFirst()))
    #expect(losses.count == golden.numbers.count)
    for (loss, expected) in zip(losses, golden.numbers) { #expect(abs(loss.loss - Double(expected)) <= 1e-5) }
    let logits = try session.logits(states).numbers()
    for (row, loss) in losses.enumerated() {
      let line = logits[row * logits.count / tokens.count..<(row + 1) * logits.count / tokens.count]
      let own = line[line.startIndex + tokens[row + 1]]
      #expect(loss.rank == line.filter { $0 > own }.count + 1)
      #expect(line[line.startIndex + loss.best] == line.max())
      #expect(loss.bestLoss <= loss.loss)
    }
  }

  @Test(arguments: Golden.families("lens"))
  func `the lens is the final norm and the head on each layer's state`(name: String) throws {
    let (fixture, golden) = (try FamilyFixture(name), try Golden("lens.\(name)"))
    let tokens = try fixture.tokens
    let session = try Session(fixture.weights, parallelism: Parallelism(threads: 1))
    let streams = Streams()
    _ = try session.advance(tokens) { step, _, output throws(KistError) in
      guard step.output == .stream, step.layer != nil || streams.last.keys.allSatisfy({ $0 == -1 }) else {
        return
      }
      streams.last[step.layer ?? -1] = output.copy(ofRows: tokens.count - 1..<tokens.count)
    }
    for layer in 0..<golden.shape[0] {
      let state = try #require(streams.last[layer - 1])
      let expected = Array(golden.numbers[layer * golden.shape[1]..<(layer + 1) * golden.shape[1]])
      #expect(relativeDifference(try session.lens(state).numbers(), expected) <= 1e-5, "after layer \(layer - 1)")
    }
  }

  private final class Streams {
    /// The last row of the stream after each layer; −1 is the embedding.
    var last: [Int: Matrix] = [:]
  }
}

/// Rows of a table by their closeness.
@Suite struct EmbeddingTableTests {
  @Test func `cosines are of rows scaled to length 1, whatever the tiles and threads`() throws {
    let values: [Float] = [3, 4, 0, 6, 8, 0, 0, 0, 0, -3, -4, 0, 0, 0, 2, .nan, 0, 0]
    let bytes = values.flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * $0)) } }
    let tensor = WeightTensor(name: "table", dtype: .f32, shape: [6, 3], source: MemorySource(bytes))
    let table = try EmbeddingTable(tensor, file: "memory")
    #expect(try table.rows([1, 4]) == [[6, 8, 0], [0, 0, 2]])
    for threads in [1, 2] {
      let cosines = try table.cosines(with: [3, 4, 0], rows: 0..<6, parallelism: Parallelism(threads: threads))
      #expect(cosines == [1, 1, -.infinity, -1, 0, -.infinity])
      #expect(try table.cosines(with: [3, 4, 0], rows: 3..<5, parallelism: Parallelism(threads: threads)) == [-1, 0])
    }
  }

  @Test func `a table has two dimensions`() throws {
    let tensor = WeightTensor(
      name: "norm", dtype: .f32, shape: [4], source: MemorySource([UInt8](repeating: 0, count: 16)))
    #expect(throws: KistError.self) { try EmbeddingTable(tensor, file: "memory") }
  }
}
