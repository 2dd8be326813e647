import Foundation
import KistConversion
import KistCore
import KistFormat
import TestSupport
import Testing

/// Files that released versions wrote open for ever, and say what they said then.
@Suite struct ReleasedFileTests {
  private static let folder = "\(repository)/Fixtures/released"
  static let files = (FileManager.default.enumerator(atPath: folder)?.allObjects as? [String] ?? [])
    .filter { $0.hasSuffix(".kist") }.sorted()

  @Test(arguments: files)
  func `a released file opens, is sound, and has its digest`(name: String) throws {
    let path = "\(Self.folder)/\(name)"
    let file = try KistFile(path: path)
    #expect(try file.verify(.full).problems == [])
    let table = try String(contentsOfFile: "\(parent(of: path))/digests.tsv", encoding: .utf8)
    let last = name.split(separator: "/").last ?? ""
    #expect(table.contains("\(last)\t\(file.packageDigest)\n"))
  }

  @Test(arguments: files.filter { $0.contains("dtypes") })
  func `its tensors are those of the safetensors file that it was made from`(name: String) throws {
    let released = try Checkpoint.open(path: "\(Self.folder)/\(name)")
    let original = try Checkpoint.open(path: "\(repository)/Fixtures/dtypes.safetensors")
    #expect(released.tensors.count == original.tensors.count)
    for (ours, theirs) in zip(released.tensors, original.tensors) {
      #expect(ours.name == theirs.name && ours.dtype == theirs.dtype && ours.shape == theirs.shape)
      #expect(try bytes(of: ours.source) == bytes(of: theirs.source))
    }
  }

  @Test func `edits and signatures of a released file still read`() throws {
    let file = try KistFile(path: "\(Self.folder)/0.1/edited.kist")
    #expect(file.generation == 4)
    #expect(try file.metadata()["answer"] == .integer("42", type: "u32"))
    #expect(try file.signatures().map(\.isValid) == [true])
  }

  @Test func `there are released files`() { #expect(Self.files.count >= 3) }

  private func parent(of path: String) -> String { URL(fileURLWithPath: path).deletingLastPathComponent().path }

  private func bytes(of source: any ByteSource) throws -> [UInt8] {
    var all: [UInt8] = []
    try unsafe source.withBytes(0..<source.byteCount) { bytes in unsafe all += bytes }
    return all
  }
}
