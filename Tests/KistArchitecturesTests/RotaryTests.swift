import Foundation
import KistArchitectures
import KistCore
import Testing

/// What Fixtures/make/rotary_frequencies.py lets transformers compute.
private struct Golden {
  var name: String
  var model: String
  var tokens: Int
  var attention: Double
  var frequencies: [Double]

  static let all: [Golden] = {
    let bytes = FileManager.default.contents(atPath: FamilyFixtures.folder + "/rotary.json") ?? Data()
    let root = try? JSONSerialization.jsonObject(with: bytes) as? [String: Any]
    return (root?["cases"] as? [[String: Any]] ?? []).compactMap(Golden.init)
  }()

  init?(_ entry: [String: Any]) {
    // Only some families rotate a part of each head.
    let isPartial = (entry["name"] as? String)?.hasPrefix("partial") ?? false
    let base: [String: Any] = [
      "architectures": [isPartial ? "Phi3ForCausalLM" : "LlamaForCausalLM"], "hidden_size": 192,
      "num_attention_heads": 4, "head_dim": 48,
      "max_position_embeddings": 512, "vocab_size": 10, "intermediate_size": 8, "num_hidden_layers": 1,
    ]
    guard let name = entry["name"] as? String, let changes = entry["config"] as? [String: Any],
      let tokens = entry["tokens"] as? Int, let attention = entry["attention"] as? Double,
      let frequencies = entry["frequencies"] as? [Double],
      let data = try? JSONSerialization.data(withJSONObject: base.merging(changes) { $1 })
    else { return nil }
    self.name = name
    self.model = String(decoding: data, as: UTF8.self)
    self.tokens = tokens
    self.attention = attention
    self.frequencies = frequencies
  }
}

@Suite struct RotaryTests {
  @Test func `every case of the golden file is read`() { #expect(Golden.all.count == 17) }

  @Test(arguments: Golden.all.map(\.name))
  func `rotary frequencies are those that transformers computes`(_ name: String) throws {
    let golden = try #require(Golden.all.first { $0.name == name })
    let rotary = try #require(try describe(golden.model).layers[0].attention.rotary)
    let frequencies = rotary.frequencies(tokenCount: golden.tokens)
    #expect(frequencies.count == golden.frequencies.count)
    for (ours, theirs) in zip(frequencies, golden.frequencies) {
      #expect(abs(Double(ours) - theirs) <= 1e-6 * theirs, "\(ours) \(theirs)")
    }
    #expect(abs(Double(rotary.attentionFactor) - golden.attention) < 1e-6)
  }
}
