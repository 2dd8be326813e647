import Foundation
import KistArchitectures
import KistConversion
import KistCore
import TestSupport
import Testing

/// Hugging Face directories that `kist convert` makes of GGUF files. Tests/Peers/exports.py loads them in transformers.
@Suite struct HubFileTests {
  /// Whose configuration says something that GGUF has no key for, and that changes the result: a window, an activation, a scale.
  private static let forgetful: Set<String> = [
    "bloom-post", "cohere2", "deepseek-v2", "falcon-40b", "gemma2", "gemma3", "gemma3-v5", "gpt-neox-sequential",
    "gpt-oss",
    "llama-bias", "llama-dynamic", "llama-yarn-mscale", "mistral", "nemotron", "qwen2-window", "qwen3-moe-dense",
    "roberta", "smollm3", "starcoder2", "xlm-roberta",
  ]

  private func convert(_ source: String, _ target: String, _ options: ConversionOptions) throws -> Conversion.Outcome {
    try Conversion.plan(source: source, target: target, options: options).run(progress: NoProgress())
  }

  /// There and back, in the dtypes that the fixture has.
  @Test(arguments: GGUFGolden.names)
  func `a model that became a GGUF becomes itself again`(_ name: String) throws {
    let folder = try TemporaryFolder()
    let source = "\(FamilyFixtures.folder)/\(name)"
    let original = try Checkpoint.open(path: source)
    let isF32 = original.tensors.allSatisfy { $0.dtype == .f32 }
    _ = try convert(
      source, folder.file("m.gguf"), ConversionOptions(type: isF32 ? .float(.f32) : .keep, verifies: false))
    let outcome = try convert(folder.file("m.gguf"), folder.file("hub"), ConversionOptions())
    #expect(outcome.verdict?.matches == true, "\(outcome)")

    let back = try Checkpoint.open(path: folder.file("hub"))
    let model = try FamilyFixtures.model(name)
    for place in model.fileTensors {
      guard let wanted = original.tensors.first(where: { model.names(of: place).contains($0.name) }),
        wanted.dtype != .u8, place.keys.first?.role != .positionEmbedding
      else { continue }
      let ours = back.tensors.first { model.names(of: place).contains($0.name) }
      // RoBERTa's GGUF is BERT's.
      guard !name.hasSuffix("roberta") else { continue }
      #expect(ours?.dtype == wanted.dtype && ours?.shape == wanted.shape, "\(place.name)")
      // GGUF has w where the model has w − 1, rounded.
      let isShifted = name.hasPrefix("gemma") || name == "nemotron"
      guard !isShifted || place.keys.first?.role.isNorm != true else { continue }
      #expect(try ours.map(content) == content(wanted), "\(place.name)")
    }
    guard !Self.forgetful.contains(name) else { return }
    let verdict = try ModelComparison(parallelism: Parallelism()).compare(
      try LoadedModel(back), with: try LoadedModel(original), texts: [[1, 5, 9, 13, 2, 7, 30, 40]])
    #expect(verdict.matches, "\(verdict)")
  }

  private func content(_ tensor: CheckpointTensor) throws -> [UInt8] {
    var bytes: [UInt8] = []
    for start in stride(from: 0, to: tensor.byteCount, by: 1 << 20) {
      let range = start..<min(start + 1 << 20, tensor.byteCount)
      unsafe try tensor.source.withBytes(range) { part throws(KistError) in unsafe bytes.append(contentsOf: part) }
    }
    return bytes
  }

  /// What transformers takes these for; of the rest, that the result computes the same says it.
  @Test(arguments: [
    ("llama-llama3", "llama3"), ("llama-linear", "linear"), ("llama-yarn", "yarn"), ("phi3-longrope", "longrope"),
    ("llama-longrope", "longrope"),
    ("deepseek-v3", "yarn"),
  ])
  func `config.json says how rotary embeddings are scaled`(_ name: String, _ type: String) throws {
    let folder = try TemporaryFolder()
    let options = ConversionOptions(type: .float(.f32), verifies: false)
    _ = try convert("\(FamilyFixtures.folder)/\(name)", folder.file("m.gguf"), options)
    _ = try convert(folder.file("m.gguf"), folder.file("hub"), options)
    let config = try #require(
      try JSONSerialization.jsonObject(with: Data(readFile(folder.file("hub/config.json")))) as? [String: Any])
    let scaling = try #require(config["rope_scaling"] as? [String: Any])
    #expect(scaling["rope_type"] as? String == type)
    let original = try #require(
      try JSONSerialization.jsonObject(
        with: Data(readFile("\(FamilyFixtures.folder)/\(name)/config.json"))) as? [String: Any])
    let wanted = try #require(original["rope_scaling"] as? [String: Any])
    for (key, value) in wanted where key != "type" {
      guard let value = value as? Double else { continue }
      #expect(abs((scaling[key] as? Double ?? .nan) - value) < 1e-6 * value, "\(key)")
    }
  }

  @Test func `blocks become BF16, and the plan says so`() throws {
    let folder = try TemporaryFolder()
    let source = "\(FamilyFixtures.folder)/gpt-oss-mxfp4"
    _ = try convert(source, folder.file("m.gguf"), ConversionOptions(verifies: false))
    let conversion = try Conversion.plan(
      source: folder.file("m.gguf"), target: folder.file("hub"), options: ConversionOptions())
    let plan = ConversionPlanReport(conversion)
    #expect(plan.notices.contains { $0.contains("dequantized to BF16: 6 of MXFP4") })
    let expert = try #require(plan.tensors.first { $0.name.hasSuffix("experts.down_proj") })
    #expect(expert.dtype == "BF16" && expert.from == [.init(name: "blk.0.ffn_down_exps.weight", dtype: "MXFP4")])
    #expect(plan.assets.map(\.path).contains("config.json"))
    #expect(folder.contents == ["m.gguf"])
  }
}
