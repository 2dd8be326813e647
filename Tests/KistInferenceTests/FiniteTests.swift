import KistCore
import KistInference
import Testing

/// Weights that hold a NaN or an infinity: refused by name before anything is computed.
@Suite struct FiniteTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var model: String
    var tensor: String
    /// Bytes that are overwritten, and where.
    var offset: Int
    var bytes: [UInt8]
    var words: String
    var testDescription: String { "\(model): \(tensor)" }
  }

  private static let infinity: [UInt8] = [0, 0, 0x80, 0xFF]
  private static let nan: [UInt8] = [1, 0, 0x80, 0x7F]

  static let cases = [
    Case(model: "llama", tensor: "model.embed_tokens.weight", offset: 0, bytes: nan, words: "a NaN at [0, 0]"),
    Case(model: "llama", tensor: "model.norm.weight", offset: 8, bytes: infinity, words: "an infinity at [2]"),
    Case(
      model: "llama-bf16", tensor: "model.norm.weight", offset: 2, bytes: [0x80, 0x7F], words: "an infinity at [1]"),
    Case(model: "gpt2-f16", tensor: "transformer.ln_f.bias", offset: 6, bytes: [0, 0x7E], words: "a NaN at [3]"),
    // Query, key and value lie side by side in one transposed tensor.
    Case(model: "gpt2", tensor: "transformer.h.1.attn.c_attn.weight", offset: 4, bytes: nan, words: "a NaN at [0, 1]"),
    Case(
      model: "gpt-oss-mxfp4", tensor: "model.layers.0.mlp.experts.down_proj_scales", offset: 0, bytes: [0xFF],
      words: "a NaN at [0, 0, 0, 0]"),
  ]

  @Test(arguments: cases, [0, MemoryBudget.usualByteCount])
  func `are named with their place`(broken: Case, memory: Int) throws {
    let fixture = try FamilyFixture(
      broken.model, memory: MemoryBudget(byteCount: memory), tensors: { broken.change($0) })
    let error = try #require(throws: KistError.self) {
      try Session(fixture.weights, parallelism: Parallelism(threads: 2))
    }
    #expect(error.kind == .damaged)
    #expect(error.field?.hasPrefix("tensor '\(broken.tensor.replacing("_scales", with: ""))") == true, "\(error)")
    #expect(error.problem.hasPrefix("has \(broken.words)"), "\(error)")
  }

  @Test func `are found in any tile of a matrix, and the first of several is named`() throws {
    let rows = 40_000
    let fixture = try FamilyFixture(
      "llama", memory: MemoryBudget(byteCount: 0),
      config: { $0.replacing(/"vocab_size": \d+/, with: "\"vocab_size\": \(rows)") },
      tensors: { tensor in
        guard tensor.name == "lm_head.weight" || tensor.name == "model.embed_tokens.weight" else { return tensor }
        let width = tensor.shape[1]
        var content = [UInt8](repeating: 0, count: rows * width * 4)
        for row in tensor.name == "lm_head.weight" ? [39_999, 30_000] : [] {
          content.replaceSubrange((row * width + 7) * 4..<(row * width + 8) * 4, with: Self.infinity)
        }
        return WeightTensor(
          name: tensor.name, dtype: .f32, shape: Shape([rows, width]), source: MemorySource(content))
      })
    let error = try #require(throws: KistError.self) {
      try Session(fixture.weights, parallelism: Parallelism(threads: 2))
    }
    #expect(error.field == "tensor 'lm_head.weight'" && error.problem.hasPrefix("has an infinity at [30000, 7]"))
  }

  @Test func `are computed where that is asked for`() throws {
    let broken = try #require(Self.cases.first)
    let fixture = try FamilyFixture(broken.model, nonfinite: .computed, tensors: { broken.change($0) })
    let session = try Session(fixture.weights, parallelism: Parallelism(threads: 1))
    let states = try session.advance([0, 1])
    #expect(try session.logits(states).numbers().contains { !$0.isFinite })
  }
}

extension FiniteTests.Case {
  /// The model's tensor, broken if it is the one.
  func change(_ tensor: WeightTensor) -> WeightTensor {
    guard tensor.name == self.tensor else { return tensor }
    var content: [UInt8] = []
    unsafe try? tensor.source.withBytes(0..<tensor.source.byteCount) { part throws(KistError) in
      content = unsafe [UInt8](part)
    }
    content.replaceSubrange(offset..<offset + bytes.count, with: bytes)
    return WeightTensor(name: tensor.name, dtype: tensor.dtype, shape: tensor.shape, source: MemorySource(content))
  }
}
