import Foundation
import KistArchitectures
import KistCheckpoints
import KistConversion
import KistCore
import TestSupport
import Testing

/// GGUF files that `kist convert` makes of the fixtures, against those of llama.cpp's converter.
@Suite struct GGUFFileTests {
  /// Where ours says another thing on purpose: docs/gguf.md.
  private static let exceptions: Set<String> = GGUFGolden.additions.union([
    // The converter goes by the width, not by the size of a head.
    "nemotron.rope.dimension_count"
  ])
  /// Fixtures that say something for which GGUF has no key: windows, another activation, a scale of queries, a factor of YaRN, which layers
  /// rotate, how experts are weighed, where residuals are taken.
  private static let unsayable: Set<String> = [
    "bloom-post", "cohere2", "deepseek-v2", "gemma2", "gemma3", "gemma3-v5", "gpt-oss", "llama-bias",
    "llama-yarn-mscale", "mistral", "qwen2-window", "qwen3-moe-dense", "smollm3", "starcoder2",
  ]

  private func converted(_ name: String, _ folder: TemporaryFolder, type: TargetType) throws -> GGUFFile {
    let target = folder.file("model.gguf")
    let options = ConversionOptions(type: type, verifies: false)
    let source = "\(FamilyFixtures.folder)/\(name)"
    _ = try Conversion.plan(source: source, target: target, options: options).run(progress: NoProgress())
    return try GGUFFile(path: target)
  }

  @Test(arguments: GGUFGolden.names)
  func `a model's GGUF is the file that llama.cpp writes`(_ name: String) throws {
    let golden = try #require(GGUFGolden.all[name])
    let folder = try TemporaryFolder()
    let isF32 = golden.metadata["general.file_type"].map { $0 == .integer(0) } ?? (name.hasPrefix("gpt-neox"))
    let file = try converted(name, folder, type: isF32 ? .float(.f32) : .keep)
    let items = file.header.items.filter { !$0.key.hasPrefix("tokenizer.") }
    let isWithoutFactors = GGUFGolden.withoutFactors.contains(name)
    func isException(_ key: String) -> Bool {
      Self.exceptions.contains(key)
        || (isWithoutFactors && GGUFGolden.longropeAdditions.contains { key.hasSuffix($0) })
    }
    let same = items.filter { !isException($0.key) }
    let wanted = golden.keys.filter { !isException($0.name) }
    #expect(same.map(\.key) == wanted.map(\.name))
    for (item, key) in zip(same, wanted) {
      let (value, wanted) = (try file.value(of: item), golden.metadata[key.name])
      #expect(matches(value, wanted, type: key.type), "\(item.key): \(value), not \(String(describing: wanted))")
    }
    let tensors = file.header.tensors.filter { golden.tensors[$0.name] != nil || !isWithoutFactors }
    #expect(tensors.map(\.name) == golden.tensorNames)
    #expect(!isWithoutFactors || file.header.tensors.prefix(2).allSatisfy { $0.name.hasPrefix("rope_factors_") })
    let bytes = try readFile(folder.file("model.gguf"))
    for tensor in tensors {
      let wanted = try #require(golden.tensors[tensor.name])
      #expect(tensor.dtype.name == wanted.type && tensor.shape.dimensions == wanted.shape, "\(tensor.name)")
      #expect(sha256(Array(bytes[tensor.range])) == wanted.sha256, "\(tensor.name)")
    }
  }

  @Test(arguments: GGUFGolden.names)
  func `a model's GGUF computes what the model computes, or is rejected`(_ name: String) throws {
    let folder = try TemporaryFolder()
    let options = ConversionOptions(type: name.contains("mxfp4") ? .keep : .float(.f32))
    let outcome = try Conversion.plan(
      source: "\(FamilyFixtures.folder)/\(name)", target: folder.file("model.gguf"), options: options
    ).run(progress: NoProgress())
    let isSayable = !Self.unsayable.contains(name)
    #expect(outcome.verdict?.matches == isSayable, "\(outcome.notices) \(String(describing: outcome.verdict))")
    #expect(folder.contents == [isSayable ? "model.gguf" : "model.gguf.rejected"])
  }

  @Test(arguments: ["opt", "gptj"])
  func `a family that llama.cpp does not have is refused by name`(_ name: String) throws {
    let folder = try TemporaryFolder()
    let error = #expect(throws: KistError.self) { try converted(name, folder, type: .keep) }
    #expect(error?.kind == .unsupported && error?.problem.contains("llama.cpp has no") == true)
    #expect(folder.contents.isEmpty)
  }

  private func matches(_ value: KistCheckpoints.GGUFValue, _ wanted: ParameterValue?, type: String) -> Bool {
    switch value {
    case .string(let bytes): type == "STRING" && wanted == .text(String(decoding: bytes, as: UTF8.self))
    case .uint32(let number): type == "UINT32" && wanted == .integer(Int(number))
    case .float32(let number): type == "FLOAT32" && wanted?.number.map { Float($0) } == number
    case .bool(let flag): type == "BOOL" && wanted == .flag(flag)
    default: false
    }
  }
}
