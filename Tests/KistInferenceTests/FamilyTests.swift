import KistCore
import KistInference
import Testing

/// Each family against what transformers computes in f32.
@Suite struct FamilyTests {
  @Test(arguments: FamilyFixture.all)
  func `logits and hidden states are those of transformers`(name: String) throws {
    let fixture = try FamilyFixture(name)
    let session = Session(fixture.weights, parallelism: Parallelism(threads: 2))
    var hidden: [String: [Float]] = [:]
    let tokens = try fixture.tokens
    let states = try session.advance(tokens, tokenTypes: fixture.integers("token_types")) {
      step, inputs, _ throws(KistError) in
      guard let layer = step.layer, hidden["hidden.\(layer)"] == nil else { return }
      hidden["hidden.\(layer)"] = inputs[0].numbers()
    }
    hidden["hidden.\(fixture.weights.model.layers.count)"] = states.numbers()
    for (name, values) in hidden.sorted(by: { $0.key < $1.key }) {
      guard let expected = fixture.numbers(name), expected.count == values.count else { continue }
      #expect(relativeDifference(values, expected) <= 1e-5, "\(name)")
    }
    if let expected = fixture.numbers("logits") {
      #expect(relativeDifference(try session.logits(states).numbers(), expected) <= 1e-5)
    }
  }

  @Test(arguments: FamilyFixture.all)
  func `tokens one by one give what all at once give`(name: String) throws {
    let fixture = try FamilyFixture(name)
    let model = fixture.weights.model
    // With these scalings, what was cached would have turned otherwise.
    guard model.architecture.kind == .decoder, !Program(model).rotaries.contains(where: \.dependsOnTokenCount) else {
      return
    }
    let expected = try #require(fixture.numbers("logits"))
    let session = Session(fixture.weights, parallelism: Parallelism(threads: 1))
    var logits: [Float] = []
    for token in try fixture.tokens { logits += try session.logits(session.advance([token])).numbers() }
    #expect(relativeDifference(logits, expected) <= 1e-5)
  }
}
