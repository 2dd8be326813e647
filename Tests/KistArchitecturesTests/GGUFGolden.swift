import Foundation
import KistArchitectures
import KistCore

/// What llama.cpp's converter makes of a fixture: Fixtures/make/families_gguf.py.
struct GGUFGolden: Sendable {
  struct Tensor: Sendable {
    var type: String
    var shape: [Int]
    var sha256: String
  }

  struct Key: Sendable {
    var name: String
    /// gguf-py's name of the type: `UINT32`.
    var type: String
  }

  var metadata: [String: ParameterValue]
  var tensors: [String: Tensor]
  /// In the order of the file.
  var keys: [Key] = []
  var tensorNames: [String] = []

  /// By fixture, those that the converter takes.
  static let all: [String: GGUFGolden] = {
    let bytes = FileManager.default.contents(atPath: FamilyFixtures.folder + "/gguf.json") ?? Data()
    guard let root = try? unsafe JSONDocument(Array(bytes).span.bytes).root, let models = root["models"]?.members else {
      return [:]
    }
    return Dictionary(
      uniqueKeysWithValues: models.compactMap { name, model in GGUFGolden(model).map { (name, $0) } })
  }()

  /// Keys that the converter leaves out, so that llama.cpp takes 10000: docs/gguf.md.
  static let additions: Set<String> = [
    "falcon.rope.freq_base", "gptneox.rope.freq_base", "phi2.rope.freq_base", "stablelm.rope.freq_base",
    "gemma.rope.freq_base", "gemma2.rope.freq_base",
  ]

  /// What the converter leaves out of scalings that have lists of factors, by the ends of names: docs/gguf.md.
  static let longropeAdditions = ["rope.scaling.original_context_length", "rope.scaling.attn_factor"]

  /// Fixtures that have such a scaling, but for those of which the converter says all.
  static let withoutFactors: Set<String> = ["llama-longrope", "llama-longrope-short", "minicpm-longrope"]

  static let names = all.keys.sorted()

  init?(_ json: JSONValue) {
    guard let metadata = json["metadata"]?.members, let tensors = json["tensors"]?.members else { return nil }
    self.metadata = [:]
    self.tensors = [:]
    for (key, entry) in metadata {
      guard let parts = entry.array, parts.count == 2, let type = parts[0].array?.first?.string else { return nil }
      self.metadata[key] = GGUFGolden.value(parts[1])
      keys.append(Key(name: key, type: type))
    }
    for (name, value) in tensors {
      guard let parts = value.array, parts.count == 3, let type = parts[0].string, let sha256 = parts[2].string else {
        return nil
      }
      let shape = parts[1].array?.compactMap(\.int) ?? []
      tensorNames.append(name)
      self.tensors[name] = Tensor(type: type, shape: shape, sha256: sha256)
    }
  }

  private static func value(_ json: JSONValue) -> ParameterValue? {
    if let flag = json.bool { return .flag(flag) }
    if let integer = json.int { return .integer(integer) }
    if let number = json.double { return .number(number) }
    return json.string.map { .text($0) }
  }

  /// The file as a place where parameters are said; its lists of factors are given.
  func source(_ values: [String: [Float]]) throws -> GGUFSource {
    try GGUFSource(
      file: "model.gguf", metadata: { metadata[$0] }, shape: { tensors[$0]?.shape }, values: { values[$0] ?? [] })
  }
}
