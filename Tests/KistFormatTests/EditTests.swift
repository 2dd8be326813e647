import Foundation
import KistCore
import KistFormat
import TestSupport
import Testing

@Suite struct EditTests {
  private func edit(_ path: String, _ change: (KistEditor) throws -> Void) throws -> KistEditor.Outcome {
    let editor = try KistEditor(path: path)
    try change(editor)
    return try editor.commit()
  }

  @Test func `an edit changes what it says and nothing else`() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("a.kist")
    let before = try writeSample(path)
    _ = try edit(path) { editor in
      editor.put(.tensor("norm", dtype: .f32, shape: [1], source: MemorySource([0, 0, 0, 0])))
      editor.put(.asset("README.md", source: MemorySource(Array("# hello".utf8))))
      try editor.remove("noise", kind: .tensor)
    }
    let after = try KistFile(path: path)
    #expect(after.generation == 2)
    #expect(try after.bytes(of: after.tensor("norm")) == [0, 0, 0, 0])
    #expect(try after.bytes(of: after.asset("README.md")) == Array("# hello".utf8))
    #expect(throws: KistError.self) { try after.tensor("noise") }
    for entry in before.entries where !["norm", "noise"].contains(entry.name) {
      let kept = try #require(after.entries.first { $0.name == entry.name && $0.kind == entry.kind })
      #expect(try after.bytes(of: kept) == before.bytes(of: entry), "\(entry.name)")
      #expect(kept.ordinal == entry.ordinal)
    }
    #expect(try after.verify(.full).problems == [])
  }

  @Test func `a reader that opened the file before an edit goes on seeing what it opened`() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("a.kist")
    let before = try writeSample(path)
    let norm = try before.bytes(of: before.tensor("norm"))
    for value in 1...3 {
      _ = try edit(path) {
        $0.put(.tensor("norm", dtype: .u8, shape: [1], source: MemorySource([UInt8(value)])))
      }
    }
    #expect(try before.bytes(of: before.tensor("norm")) == norm)
    #expect(try before.verify(.full).problems == [])
  }

  @Test func `an edit writes what changed plus about 150 bytes a tensor`() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("a.kist")
    let count = 1000
    let entries = (0..<count).map { index in
      NewEntry.tensor(
        "model.layers.\(index).self_attn.q_proj.weight", dtype: .u8, shape: [64, 1],
        source: MemorySource([UInt8](repeating: UInt8(index % 251), count: 64)))
    }
    try writeSample(path, entries: entries)
    let outcome = try edit(path) { editor in
      var metadata = Metadata()
      metadata["answer"] = .integer("42", type: "u32")
      editor.put(metadata: metadata)
    }
    #expect(outcome.writtenByteCount < 170 * count + 8192)
    let metadata = try KistFile(path: path).metadata()
    #expect(metadata["answer"] == .integer("42", type: "u32"))
  }

  @Test func `600 edits keep the list of chunks blocks within its limit`() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("a.kist")
    try writeSample(path, entries: [.tensor("a", dtype: .u8, shape: [1], source: MemorySource([1]))])
    for number in 0..<600 {
      _ = try edit(path) { $0.put(.asset("n", source: MemorySource(Array("\(number)".utf8)))) }
    }
    let file = try KistFile(path: path)
    #expect(file.generation == 601)
    #expect(file.index.root.chunks.count < 200)
    #expect(try file.bytes(of: file.asset("n")) == Array("599".utf8))
    #expect(try file.verify(.full).problems == [])
  }

  @Test func `compact drops what no commit reaches, and keeps every digest`() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("a.kist")
    try writeSample(path)
    let original = try readFile(path)
    _ = try KistFile.compact(path: path)
    #expect(try readFile(path) == original, "a file without edits is compact")

    _ = try edit(path) { editor in
      try editor.remove("embed", kind: .tensor)
      try editor.remove("lm_head", kind: .tensor)
    }
    let edited = try KistFile(path: path)
    let sizes = try KistFile.compact(path: path)
    let compacted = try KistFile(path: path)
    #expect(sizes.after < sizes.before / 2)
    #expect(compacted.packageDigest == edited.packageDigest)
    #expect(compacted.generation == 1)
    #expect(try compacted.verify(.full).problems == [])
    for entry in edited.entries {
      let kept = try #require(compacted.entries.first { $0.name == entry.name && $0.kind == entry.kind })
      #expect(try compacted.bytes(of: kept) == edited.bytes(of: entry))
    }
  }

  @Test func `one editor at a time`() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("a.kist")
    try writeSample(path, entries: [])
    let first = try KistEditor(path: path)
    #expect { try KistEditor(path: path) } throws: { ($0 as? KistError)?.kind == .conflict }
    #expect { try KistFile.compact(path: path) } throws: { ($0 as? KistError)?.kind == .conflict }
    _ = try first.commit()
  }

  @Test func `what a stopped writer left behind is ignored and overwritten`() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("a.kist")
    let length = try writeSample(path).byteCount
    try writeFile(try readFile(path) + [UInt8](repeating: 0xEE, count: 100_000), path)
    #expect(try KistFile(path: path).verify(.full).problems == [])
    _ = try edit(path) { $0.put(.asset("x", source: MemorySource([1, 2]))) }
    let file = try KistFile(path: path)
    #expect(file.byteCount < length + 10_000)
    #expect(try file.verify(.full).problems == [])
  }

  @Test func `an edit of a file with features that this version does not know is refused`() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("a.kist")
    try writeSample(path)
    var bytes = try readFile(path)
    bytes[4096 + 16] = 1
    let hash = xxh3(Array(bytes[4096..<8184]))
    for byte in 0..<8 { bytes[8184 + byte] = UInt8(truncatingIfNeeded: hash >> (8 * byte)) }
    try writeFile(bytes, path)
    #expect(try KistFile(path: path).verify(.full).problems == [])
    #expect { try KistEditor(path: path) } throws: { ($0 as? KistError)?.kind == .unsupported }
  }
}
