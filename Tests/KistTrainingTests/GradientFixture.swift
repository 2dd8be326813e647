import Foundation
import KistArchitectures
import KistCheckpoints
import KistCore
import KistInference
import Testing

import KistTraining

let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  .deletingLastPathComponent().appendingPathComponent("Fixtures").path

/// A model of Fixtures/families, and what PyTorch's autograd computes with it: Fixtures/make/gradients.py.
struct GradientFixture {
  let name: String
  let model: ModelDescription
  let store: ParameterStore
  /// Nil for models that can't be trained.
  private let golden: SafetensorsFile?

  static let all: [String] = {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: fixtures + "/training")) ?? []
    return names.filter { $0.hasSuffix(".safetensors") }.map { String($0.dropLast(12)) }.sorted()
  }()

  init(_ name: String, stateNames: [String] = []) throws {
    self.name = name
    let folder = fixtures + "/families/" + name
    let config = try Data(contentsOf: URL(fileURLWithPath: folder + "/config.json"))
    model = try ModelDescription(ModelConfig(Array(config), file: name))
    store = ParameterStore(try ParameterLayout(model, file: name), stateNames: stateNames)
    let weights = try SafetensorsFile(path: folder + "/model.safetensors")
    try store.take(
      weights.header.tensors.map {
        WeightTensor(
          name: $0.name, dtype: $0.dtype, shape: $0.shape, source: FileSource(weights.mapped, range: $0.range))
      }, file: name)
    golden = try? SafetensorsFile(path: fixtures + "/training/\(name).safetensors")
  }

  func numbers(_ name: String) throws -> [Float] {
    let bytes = try bytes(name)
    return unsafe bytes.withUnsafeBytes { unsafe Array($0.bindMemory(to: Float.self)) }
  }

  /// [batches][sequences][context + 1].
  var batches: [[[Int]]] {
    get throws {
      let bytes = try bytes("batches")
      let tokens = unsafe bytes.withUnsafeBytes { unsafe $0.bindMemory(to: Int64.self).map { Int($0) } }
      let (batch, length) = (3, 25)
      return stride(from: 0, to: tokens.count, by: batch * length).map { start in
        (0..<batch).map { Array(tokens[start + $0 * length..<start + ($0 + 1) * length]) }
      }
    }
  }

  private func bytes(_ name: String) throws -> [UInt8] {
    let golden = try #require(golden)
    let tensor = try #require(golden.header.tensors.first { $0.name == name }, "\(self.name): \(name)")
    return golden.mapped.bytes.array(tensor.range)
  }
}

extension [Float] {
  /// √ Σ x².
  var norm: Double { reduce(0) { $0 + Double($1) * Double($1) }.squareRoot() }
}
