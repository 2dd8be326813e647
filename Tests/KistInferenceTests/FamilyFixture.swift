import Foundation
import KistArchitectures
import KistCheckpoints
import KistCore
import KistInference
import Testing

/// A model of Fixtures/families, and what transformers computes with it.
struct FamilyFixture: Sendable {
  let name: String
  let weights: WeightTable
  private let golden: SafetensorsFile

  private static let folder =
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("Fixtures/families").path

  /// The fixtures' names.
  static let all: [String] = {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.filter { FileManager.default.fileExists(atPath: folder + "/\($0)/golden.safetensors") }.sorted()
  }()

  init(_ name: String, memory: MemoryBudget = MemoryBudget()) throws {
    try self.init(name, memory: memory, mutating: { _ in })
  }

  /// The model with a change to what it is.
  init(_ name: String, sabotage: SabotageTests.Sabotage) throws {
    try self.init(
      name,
      config: { text in sabotage.config.map { text.replacingOccurrences(of: $0.from, with: $0.to) } ?? text },
      tensors: { tensor in tensor.name == sabotage.tensor ? tensor.changed(sabotage.change) : tensor })
  }

  /// The model with tensors under other names.
  init(_ name: String, renaming rename: (String) -> String) throws {
    try self.init(
      name,
      tensors: { tensor in
        var renamed = tensor
        renamed.name = rename(tensor.name)
        return renamed
      })
  }

  /// The model by another description of its family.
  init(
    _ name: String, memory: MemoryBudget = MemoryBudget(), nonfinite: NonfiniteWeights = .refused,
    mutating: (inout Architecture) -> Void = { _ in },
    config change: (String) -> String = { $0 },
    tensors: (WeightTensor) -> WeightTensor = { $0 }
  ) throws {
    self.name = name
    let path = FamilyFixture.folder + "/" + name
    let text = try String(contentsOfFile: path + "/config.json", encoding: .utf8)
    var (architecture, config) = try Architecture.ofTextModel(ModelConfig(Array(change(text).utf8), file: name))
    mutating(&architecture)
    let model = try ModelDescription(architecture, Parameters(architecture, config))
    weights = try WeightTable(
      model, FamilyFixture.tensors(SafetensorsFile(path: path + "/model.safetensors")).map(tensors), file: name,
      memory: memory, nonfinite: nonfinite)
    golden = try SafetensorsFile(path: path + "/golden.safetensors")
  }

  private static func tensors(_ file: SafetensorsFile) -> [WeightTensor] {
    file.header.tensors.map {
      WeightTensor(name: $0.name, dtype: $0.dtype, shape: $0.shape, source: FileSource(file.mapped, range: $0.range))
    }
  }

  /// A golden tensor's numbers; nil when there is none of that name.
  func numbers(_ name: String) -> [Float]? {
    bytes(name)?.map(4) { Float(bitPattern: UInt32(truncatingIfNeeded: $0)) }
  }

  func integers(_ name: String) -> [Int]? { bytes(name)?.map(8) { Int(truncatingIfNeeded: $0) } }

  var tokens: [Int] { get throws { try #require(integers("tokens")) } }

  private func bytes(_ name: String) -> [UInt8]? {
    guard let tensor = golden.header.tensors.first(where: { $0.name == name }) else { return nil }
    return golden.mapped.bytes.array(tensor.range)
  }
}

extension WeightTensor {
  /// The tensor with other numbers; it is F32.
  fileprivate func changed(_ change: ([Float], [Int]) -> [Float]) -> WeightTensor {
    var numbers: [Float] = []
    unsafe try? source.withBytes(0..<source.byteCount) { bytes throws(KistError) in
      numbers = unsafe [UInt8](bytes).map(4) { Float(bitPattern: UInt32(truncatingIfNeeded: $0)) }
    }
    let bytes = change(numbers, shape.dimensions).flatMap { value in
      (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * $0)) }
    }
    return WeightTensor(name: name, dtype: dtype, shape: shape, source: MemorySource(bytes))
  }
}

extension [UInt8] {
  /// Little-endian numbers of `width` bytes.
  fileprivate func map<Number>(_ width: Int, _ make: (UInt64) -> Number) -> [Number] {
    stride(from: 0, to: count, by: width).map { start in
      make(self[start..<start + width].reversed().reduce(0) { $0 << 8 | UInt64($1) })
    }
  }
}

/// The largest difference, as a part of the reference's range.
func relativeDifference(_ values: [Float], _ reference: [Float]) -> Float {
  guard values.count == reference.count, let low = reference.min(), let high = reference.max() else { return .infinity }
  var largest: Float = 0
  for (value, expected) in zip(values, reference) {
    guard value.isFinite else { return .infinity }
    largest = max(largest, abs(value - expected))
  }
  return largest / max(high - low, .leastNormalMagnitude)
}
