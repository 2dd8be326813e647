import Foundation
import KistCore
import KistQuantization
import TestSupport
import Testing

/// Mixtures choose the types that llama.cpp chooses: Fixtures/quantization/llama-mixtures.json, by llama.cpp's own
/// function, for models that Fixtures/make/llama_mixtures.cpp makes up.
@Suite struct MixtureTests {
  private struct Model {
    var name: String
    var facts: TypeChooser.Model
    var width: Int
    var hidden: Int
    var isTied = false
    var isFused = false

    init(
      _ name: String, _ architecture: String, _ width: Int, _ hidden: Int, layers: Int, heads: Int, kv: Int,
      experts: Int = 0, tied: Bool = false, fused: Bool = false
    ) {
      self.name = name
      self.width = width
      self.hidden = hidden
      (isTied, isFused) = (tied, fused)
      facts = TypeChooser.Model(
        architecture: architecture, layerCount: layers, headCount: heads, kvHeadCount: kv, expertCount: experts)
    }

    var tensors: [TypeChooser.Tensor] {
      let (w, h) = (width, hidden)
      let kv = w / facts.headCount * facts.kvHeadCount
      var all: [(String, [Int])] = [("token_embd", [32000, w])]
      if !isTied { all.append(("output", [32000, w])) }
      all.append(("output_norm", [w]))
      for layer in 0..<facts.layerCount {
        let block = "blk.\(layer)."
        if isFused {
          all.append((block + "attn_qkv", [w + 2 * kv, w]))
        } else {
          all += [(block + "attn_q", [w, w]), (block + "attn_k", [kv, w]), (block + "attn_v", [kv, w])]
        }
        all += [(block + "attn_output", [w, w]), (block + "attn_norm", [w])]
        let experts = facts.expertCount
        if experts > 0 {
          all += [
            (block + "ffn_gate_inp", [experts, w]), (block + "ffn_gate_exps", [experts, h, w]),
            (block + "ffn_up_exps", [experts, h, w]), (block + "ffn_down_exps", [experts, w, h]),
          ]
        } else {
          all += [(block + "ffn_gate", [h, w]), (block + "ffn_up", [h, w]), (block + "ffn_down", [w, h])]
        }
      }
      return all.map { TypeChooser.Tensor(name: $0.0 + ".weight", dtype: .f32, shape: $0.1) }
    }
  }

  private static let models = [
    Model("llama", "llama", 2048, 5632, layers: 24, heads: 32, kv: 32),
    Model("grouped", "llama", 2048, 5632, layers: 32, heads: 32, kv: 8),
    Model("70b", "llama", 8192, 28672, layers: 80, heads: 64, kv: 8),
    Model("experts", "llama", 4096, 14336, layers: 32, heads: 32, kv: 8, experts: 8),
    Model("few experts", "llama", 4096, 14336, layers: 12, heads: 32, kv: 16, experts: 4, tied: true),
    Model("gpt2", "gpt2", 768, 3072, layers: 12, heads: 12, kv: 12, tied: true, fused: true),
    Model("falcon", "falcon", 4544, 18176, layers: 32, heads: 71, kv: 1, fused: true),
    Model("odd", "qwen2", 896, 4864, layers: 24, heads: 14, kv: 2, tied: true),
    Model("odder", "qwen2", 100, 336, layers: 9, heads: 4, kv: 2, tied: true),
  ]

  private static let golden: [String: [String: String]] = {
    guard let bytes = try? readFile(repository + "/Fixtures/quantization/llama-mixtures.json") else { return [:] }
    return (try? JSONDecoder().decode([String: [String: String]].self, from: Data(bytes))) ?? [:]
  }()

  @Test func `the golden data are of these models and every mixture`() {
    #expect(Set(Self.golden.keys) == Set(Self.models.map(\.name)))
    #expect(Set(Self.golden["llama"]?.keys.map { $0 } ?? []) == Set(Mixture.allCases.map(\.rawValue)))
  }

  @Test(arguments: Mixture.allCases)
  func `every tensor gets the type that llama-quantize gives it`(mixture: Mixture) {
    for model in Self.models {
      guard let expected = Self.golden[model.name]?[mixture.rawValue] else { continue }
      let names = TypeChooser.types(of: model.tensors, in: model.facts, mixture: mixture).map(\.name)
      var found = BlockSamples.digest(names.flatMap { Array(($0 + "\n").utf8) })
      let counts = Dictionary(grouping: names) { $0 }.mapValues(\.count)
      for (name, count) in counts.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
        found += " \(name) \(count)"
      }
      #expect(found == expected, "\(model.name)")
    }
  }

  @Test func `wishes come before the mixture`() {
    let model = Self.models[0]
    var wishes = TypeChooser.Wishes()
    wishes.output = .q8_0
    wishes.tokenEmbedding = .q6_k
    wishes.named = { $0.hasSuffix("attn_v.weight") ? .q5_1 : nil }
    func types(_ wishes: TypeChooser.Wishes) -> [String: DType] {
      let types = TypeChooser.types(of: model.tensors, in: model.facts, mixture: .q4_k_m, wishes: wishes)
      return Dictionary(uniqueKeysWithValues: zip(model.tensors.map(\.name), types))
    }
    let found = types(wishes)
    #expect(found["output.weight"] == .q8_0 && found["token_embd.weight"] == .q6_k)
    #expect(found["blk.0.attn_v.weight"] == .q5_1 && found["blk.0.attn_q.weight"] == .q4_k)
    #expect(found["blk.0.attn_norm.weight"] == .f32)
    wishes = TypeChooser.Wishes()
    wishes.isPure = true
    #expect(Set(types(wishes).values) == [.q4_k, .f32])
  }

  @Test func `an importance matrix spares the first layers of Q4_0`() {
    var model = Self.models[0]
    model.facts.hasImportance = true
    let types = TypeChooser.types(of: model.tensors, in: model.facts, mixture: .q4_0)
    #expect(types.count { $0 == .q4_1 } == 3)
  }

  @Test func `mixtures are found by name in any case`() {
    #expect(Mixture(name: "q4_k") == .q4_k_m && Mixture(name: "Q4_K_S") == .q4_k_s && Mixture(name: "iq2_m") == .iq2_m)
    #expect(Mixture(name: "Q2_K") == .q2_k && Mixture(name: "Q9") == nil)
  }
}
