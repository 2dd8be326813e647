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

  init(_ name: String) throws {
    self.name = name
    let path = FamilyFixture.folder + "/" + name
    let config = try ModelConfig(Array(Data(contentsOf: URL(fileURLWithPath: path + "/config.json"))), file: name)
    weights = try WeightTable(
      ModelDescription(config), FamilyFixture.tensors(SafetensorsFile(path: path + "/model.safetensors")), file: name)
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
