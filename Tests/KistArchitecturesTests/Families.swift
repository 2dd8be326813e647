import Foundation
import KistArchitectures
import KistCheckpoints
import KistCore
import Testing

/// The fixtures of Fixtures/make/families.py.
enum FamilyFixtures {
  static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Fixtures/families").path

  /// Folders that have a model.
  static let names: [String] = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [])
    .filter { FileManager.default.fileExists(atPath: "\(folder)/\($0)/model.safetensors") }.sorted()

  static func config(_ name: String) throws -> String {
    try String(contentsOfFile: "\(folder)/\(name)/config.json", encoding: .utf8)
  }

  static func model(_ name: String) throws -> ModelDescription { try describe(config(name)) }

  static func tensors(_ name: String) throws -> SafetensorsFile {
    try SafetensorsFile(path: "\(folder)/\(name)/model.safetensors")
  }
}

/// What a config.json of this text describes.
func describe(_ text: String) throws(KistError) -> ModelDescription {
  try ModelDescription(ModelConfig(Array(text.utf8), file: "config.json"))
}

/// A fixture's configuration with some keys' JSON changed; nil leaves the key out.
func changed(_ name: String, _ changes: [String: Any?]) throws -> String {
  let object = try JSONSerialization.jsonObject(with: Data(FamilyFixtures.config(name).utf8))
  var config = object as? [String: Any] ?? [:]
  for (key, value) in changes { config[key] = value }
  return String(decoding: try JSONSerialization.data(withJSONObject: config), as: UTF8.self)
}

/// Checks that the tensors of a model and those of its checkpoint have the same numbers, each once.
func expectEachNumberOnce(in model: ModelDescription) throws {
  var counts: [String: Int] = [:]
  var sizes: [String: Int] = [:]
  for key in model.tensorKeys {
    let locations = model.locations(of: key)
    #expect(
      locations.reduce(0) { $0 + $1.rowCount * $1.columnCount } == model.shape(of: key)?.reduce(1, *), "\(key)")
    for location in locations {
      if case .rows(let runs) = location.order {
        #expect(runs.reduce(0) { $0 + $1.count } == location.rowCount, "\(key)")
      }
      counts[location.names[0], default: 0] += location.rowCount * location.columnCount
      sizes[location.names[0]] = location.fileShape.reduce(1, *) * (location.encoding == .values ? 1 : 2)
    }
  }
  for (name, count) in counts { #expect(sizes[name] == count, "\(name)") }
}
