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
  private static let exceptions: [String: Set<String>] = [:]
  /// Fixtures whose GGUF llama.cpp's converter leaves without factors that the model needs.
  private static let incomplete: Set<String> = ["llama-longrope", "llama-longrope-short"]

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
    let except = Self.exceptions[name] ?? []
    #expect(items.map(\.key).filter { !except.contains($0) } == golden.keys.map(\.name).filter { !except.contains($0) })
    for (item, key) in zip(items, golden.keys) where !except.contains(item.key) {
      let (value, wanted) = (try file.value(of: item), golden.metadata[key.name])
      #expect(matches(value, wanted, type: key.type), "\(item.key): \(value), not \(String(describing: wanted))")
    }
    #expect(file.header.tensors.map(\.name) == golden.tensorNames)
    let bytes = try readFile(folder.file("model.gguf"))
    for tensor in file.header.tensors {
      let wanted = try #require(golden.tensors[tensor.name])
      #expect(tensor.dtype.name == wanted.type && tensor.shape.dimensions == wanted.shape, "\(tensor.name)")
      #expect(sha256(Array(bytes[tensor.range])) == wanted.sha256, "\(tensor.name)")
    }
  }

  @Test(arguments: GGUFGolden.names.filter { !incomplete.contains($0) })
  func `a model's GGUF computes what the model computes`(_ name: String) throws {
    let folder = try TemporaryFolder()
    let options = ConversionOptions(type: name.contains("mxfp4") ? .keep : .float(.f32))
    let outcome = try Conversion.plan(
      source: "\(FamilyFixtures.folder)/\(name)", target: folder.file("model.gguf"), options: options
    ).run(progress: NoProgress())
    #expect(outcome.verdict?.matches == true, "\(outcome.notices) \(String(describing: outcome.verdict))")
  }

  @Test(arguments: ["opt", "gptj"])
  func `a family that llama.cpp does not have is refused by name`(_ name: String) throws {
    let folder = try TemporaryFolder()
    let error = #expect(throws: KistError.self) { try converted(name, folder, type: .keep) }
    #expect(error?.kind == .unsupported && error?.problem.contains("llama.cpp has no \(name)") == true)
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
