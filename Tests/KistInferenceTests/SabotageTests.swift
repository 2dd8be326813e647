import Foundation
import KistArchitectures
import KistCore
import KistInference
import Testing

/// Models that were changed a little: the golden logits must tell, and bisecting must name the step and tensor.
@Suite struct SabotageTests {
  /// A change, and where bisecting must find it.
  struct Sabotage: Sendable, CustomTestStringConvertible {
    var family: String
    var what: String
    /// The tensor that is changed; nil when the configuration is.
    var tensor: String?
    /// Changes the tensor's numbers, given its shape.
    var change: @Sendable ([Float], [Int]) -> [Float] = { values, _ in values }
    /// Changes the configuration's text.
    var config: (from: String, to: String)?
    var step: String

    var testDescription: String { "\(family): \(what)" }
  }

  private static let layer = "model.layers.1."

  static let all: [Sabotage] = [
    Sabotage(
      family: "llama", what: "queries permuted as llama.cpp does", tensor: layer + "self_attn.q_proj.weight",
      change: pairs(headSize: 8), step: "layers.1.query"),
    Sabotage(
      family: "llama", what: "keys permuted as llama.cpp does", tensor: layer + "self_attn.k_proj.weight",
      change: pairs(headSize: 8), step: "layers.1.key"),
    Sabotage(
      family: "llama", what: "another rotary base", config: ("\"rope_theta\": 10000.0", "\"rope_theta\": 20000.0"),
      step: "layers.0.query_rotary"),
    Sabotage(
      family: "llama", what: "a norm 2 % off", tensor: layer + "input_layernorm.weight",
      change: { values, _ in values.map { $0 * 1.02 } }, step: "layers.1.attentionNorm"),
    Sabotage(
      family: "llama", what: "the last norm 2 % off in one place", tensor: "model.norm.weight",
      change: { values, _ in values.enumerated().map { $0 == 7 ? $1 * 1.02 : $1 } }, step: "final_norm"),
    Sabotage(
      family: "gpt2", what: "a transposed square weight", tensor: "transformer.h.1.attn.c_proj.weight",
      change: transpose, step: "layers.1.attention_output"),
    Sabotage(
      family: "qwen2", what: "one head's bias dropped", tensor: layer + "self_attn.q_proj.bias",
      change: { values, _ in values.enumerated().map { $0 < values.count / 4 ? 0 : $1 } }, step: "layers.1.query"),
    Sabotage(
      family: "gpt2", what: "positions off by one", tensor: "transformer.wpe.weight",
      change: { values, shape in Array(values[shape[1]...]) + values[..<shape[1]] }, step: "position_embedding"),
    Sabotage(
      family: "llama", what: "a negated row of the up projection", tensor: layer + "mlp.up_proj.weight",
      change: { values, shape in values.enumerated().map { $0 / shape[1] == 3 ? -$1 : $1 } }, step: "layers.1.up"),
    Sabotage(
      family: "llama", what: "another norm's epsilon, a large one",
      config: ("\"rms_norm_eps\": 1e-05", "\"rms_norm_eps\": 1e-01"), step: "layers.0.attentionNorm"),
    Sabotage(
      family: "qwen3", what: "key norms 2 % off", tensor: layer + "self_attn.k_norm.weight",
      change: { values, _ in values.enumerated().map { $0 % 2 == 0 ? $1 * 1.02 : $1 } }, step: "layers.1.keyNorm"),
  ]

  private static func pairs(headSize: Int) -> @Sendable ([Float], [Int]) -> [Float] {
    { values, shape in
      let (columns, half) = (shape[1], headSize / 2)
      return (0..<shape[0]).flatMap { row -> ArraySlice<Float> in
        let (head, place) = (row / headSize, row % headSize)
        let from = head * headSize + place / 2 + place % 2 * half
        return values[from * columns..<(from + 1) * columns]
      }
    }
  }

  private static let transpose: @Sendable ([Float], [Int]) -> [Float] = { values, shape in
    (0..<shape[0] * shape[1]).map { values[$0 % shape[0] * shape[1] + $0 / shape[0]] }
  }

  @Test(arguments: all)
  func `a changed model is caught, and the step named`(sabotage: Sabotage) throws {
    let fixture = try FamilyFixture(sabotage.family)
    let changed = try FamilyFixture(sabotage.family, sabotage: sabotage)
    try check(changed.weights, against: fixture, step: sabotage.step, tensor: sabotage.tensor)
  }

  @Test func `gate and up exchanged are caught`() throws {
    let fixture = try FamilyFixture("llama")
    let changed = try FamilyFixture(
      "llama",
      renaming: { name in
        guard name.hasPrefix(Self.layer) else { return name }
        if name.contains("gate_proj") { return name.replacingOccurrences(of: "gate_proj", with: "up_proj") }
        return name.replacingOccurrences(of: "up_proj", with: "gate_proj")
      })
    try check(changed.weights, against: fixture, step: "layers.1.gate", tensor: Self.layer + "mlp.gate_proj.weight")
  }

  /// Mutations of the `Architecture` value itself.
  static let mutations: [(family: String, what: String, change: @Sendable (inout Architecture) -> Void)] = [
    ("llama", "neighbours rotated together", { $0.attention.positions = .always(.rotary(.neighbours)) }),
    ("llama", "norms of the other kind", { $0.norm = .always(.layerWithoutBias) }),
    ("llama", "no norm before the head", { $0.head.hasNorm = .always(false) }),
    ("qwen2", "the embedding scaled", { $0.embedding.scalesBySquareRootOfWidth = true }),
    ("gpt2", "no positions", { $0.embedding.hasLearnedPositions = false }),
    ("gpt2", "scores divided by the layer", { $0.attention.dividesByLayer = .always(true) }),
    ("qwen2", "no rotation in the second layer", { $0.attention.rotaryLayers = .even }),
    ("bert", "tokens see only those before them", { $0.kind = .decoder }),
  ]

  @Test(arguments: mutations.indices)
  func `a wrong description of a family is caught`(index: Int) throws {
    let mutation = Self.mutations[index]
    let fixture = try FamilyFixture(mutation.family)
    // Refusing is as good as failing.
    guard let changed = try? FamilyFixture(mutation.family, mutating: mutation.change) else { return }
    #expect(try !matches(changed.weights, fixture), "\(mutation.family): \(mutation.what)")
  }

  private func check(_ changed: WeightTable, against fixture: FamilyFixture, step: String, tensor: String?) throws {
    #expect(try matches(fixture.weights, fixture))
    #expect(try !matches(changed, fixture))
    let bisection = try Bisection(
      changed, against: fixture.weights, tokens: fixture.tokens, parallelism: Parallelism(threads: 1))
    let first = try #require(bisection.first)
    #expect(first.step == step)
    if let tensor { #expect(first.tensors.contains(tensor)) }
  }

  /// Whether a model's golden output is within the tolerance of a verdict.
  private func matches(_ weights: WeightTable, _ fixture: FamilyFixture) throws -> Bool {
    let session = Session(weights, parallelism: Parallelism(threads: 1))
    let states = try session.advance(fixture.tokens, tokenTypes: fixture.integers("token_types"))
    let hasLogits = weights.model.head.hasLogits
    let found = hasLogits ? try session.logits(states).numbers() : states.numbers()
    let last = "hidden.\(weights.model.layers.count)"
    return relativeDifference(found, try #require(fixture.numbers(hasLogits ? "logits" : last))) <= 1e-4
  }
}
