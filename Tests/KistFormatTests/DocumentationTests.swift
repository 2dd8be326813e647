import Foundation
import KistCore
import KistFormat
import TestSupport
import Testing

@Suite struct DocumentationTests {
  /// The example of KistWriter's documentation, as it stands there.
  @Test func `the example in the documentation compiles and does what it says`() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("model.kist")
    // example begins
    let writer = try KistWriter(creating: path)
    let weights: [Float] = [1, 2, 3, 4, 5, 6]
    let bytes = weights.withUnsafeBytes { [UInt8]($0) }
    try writer.add([.tensor("w", dtype: .f32, shape: [2, 3], source: MemorySource(bytes))])
    try writer.finish()

    let file = try KistFile(path: path)
    let entry = try file.tensor("w")
    let row = try file.bytes(of: entry, rows: 1..<2)  // the bytes of 4, 5, 6
    // example ends
    #expect(row == Array(bytes[12...]))
  }

  @Test func `the example that is compiled is the one in the documentation`() throws {
    let source = try String(
      contentsOfFile: "\(repository)/Sources/KistFormat/Writing/KistWriter.swift", encoding: .utf8)
    let documented = try #require(lines(of: source, from: "/// ```swift", to: "/// ```"))
      .map { $0.replacing(#/^\/\/\/ ?/#, with: "") }
    let compiled = try #require(
      lines(
        of: try String(contentsOfFile: #filePath, encoding: .utf8), from: "// example begins", to: "// example ends"))
    #expect(documented.map { $0.replacing("\"model.kist\"", with: "path") } == compiled)
  }

  /// Trimmed lines between two that equal marks.
  private func lines(of text: String, from first: String, to last: String) -> [String]? {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map {
      $0.trimmingCharacters(in: .whitespaces)
    }
    guard let start = lines.firstIndex(of: first), let end = lines[(start + 1)...].firstIndex(of: last) else {
      return nil
    }
    return Array(lines[(start + 1)..<end])
  }
}
