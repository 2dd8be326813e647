import Foundation
import KistCore
import KistFormat
import TestSupport
import Testing

@Suite struct RoundTripTests {
  @Test(arguments: Packing.allCases)
  func `what goes in comes out, byte for byte`(packing: Packing) throws {
    let folder = try TemporaryFolder()
    let entries = sampleEntries
    let file = try writeSample(folder.file("a.kist"), packing: packing)
    for entry in entries {
      let stored = try #require(file.entries.first { $0.name == entry.name && $0.kind == entry.kind })
      #expect(stored.shape == entry.shape)
      #expect(stored.dtype == entry.dtype)
      #expect(try file.bytes(of: stored) == content(of: entry), "\(entry.name)")
    }
    #expect(file.tensors.map(\.name) == entries.filter { $0.kind == .tensor }.map(\.name))
    #expect(try file.verify(.full).problems == [])
    #expect(try file.verify(.quick).problems == [])
  }

  @Test func `packing changes neither digest`() throws {
    let folder = try TemporaryFolder()
    let files = try Packing.allCases.map { try writeSample(folder.file("\($0).kist"), packing: $0) }
    #expect(Set(files.map(\.weightsDigest)).count == 1)
    #expect(Set(files.map(\.packageDigest)).count == 1)
    #expect(files[2].byteCount <= files[0].byteCount && files[0].byteCount < files[1].byteCount)
  }

  @Test func `the number of threads does not change a byte`() throws {
    let folder = try TemporaryFolder()
    let bytes = try [1, 2, 7].map { threads in
      try writeSample(folder.file("\(threads).kist"), threads: threads)
      return try readFile(folder.file("\(threads).kist"))
    }
    #expect(bytes[0] == bytes[1] && bytes[0] == bytes[2])
  }

  @Test func `equal tensors are stored once, packed or raw`() throws {
    let folder = try TemporaryFolder()
    for packing in [Packing.auto, .none] {
      let file = try writeSample(folder.file("\(packing).kist"), packing: packing)
      #expect(try file.chunk(0, of: file.tensor("embed")).offset == file.chunk(0, of: file.tensor("lm_head")).offset)
      #expect(try file.chunk(0, of: file.tensor("layer.0")).offset == file.chunk(0, of: file.tensor("layer.1")).offset)
    }
    let single = sampleEntries.filter { $0.name != "lm_head" }
    let with = try writeSample(folder.file("with.kist"), packing: .none).byteCount
    let without = try writeSample(folder.file("without.kist"), packing: .none, entries: single).byteCount
    #expect(with - without < 2000)
  }

  @Test(arguments: [0..<1, 5..<9, 700..<1024, 0..<0, 1023..<1024, 0..<1024])
  func `any rows can be read without the rest`(rows: Range<Int>) throws {
    let folder = try TemporaryFolder()
    let entries = sampleEntries
    let whole = try content(of: entries[0])
    for packing in [Packing.auto, .none] {
      let file = try writeSample(folder.file("\(packing).kist"), packing: packing)
      let entry = try file.tensor("embed")
      let expected = Array(whole[rows.lowerBound * 1400..<rows.upperBound * 1400])
      #expect(try file.bytes(of: entry, rows: rows) == expected)
      var buffer = [UInt8](repeating: 0, count: expected.count)
      var span = buffer.mutableSpan
      var bytes = unsafe span.mutableBytes
      try file.read(entry, rows: rows, into: &bytes)
      #expect(buffer == expected)
    }
  }

  @Test func `rows that do not exist are refused`() throws {
    let folder = try TemporaryFolder()
    let file = try writeSample(folder.file("a.kist"))
    let entry = try file.tensor("embed")
    #expect(throws: KistError.self) { try file.bytes(of: entry, rows: 1000..<1025) }
    #expect(throws: KistError.self) { try file.bytes(of: entry, rows: -1..<2) }
    #expect(throws: KistError.self) { try file.tensor("absent") }
  }

  @Test func `raw tensors of 64 KiB and more lie on 16 KiB pages and are mapped without copying`() throws {
    let folder = try TemporaryFolder()
    let file = try writeSample(folder.file("a.kist"), packing: .none)
    for tensor in file.tensors where tensor.byteCount > 0 {
      let offset = try file.chunk(0, of: tensor).offset
      #expect(offset % (tensor.byteCount >= 65536 ? 16384 : 64) == 0)
      #expect(try mappedBytes(of: tensor, in: file) == file.bytes(of: tensor))
    }
  }

  @Test func `names are bytes: composed and decomposed letters are two tensors`() throws {
    let folder = try TemporaryFolder()
    let one = MemorySource([1]), two = MemorySource([2])
    let entries: [NewEntry] = [
      .tensor("caf\u{E9}", dtype: .u8, shape: [1], source: one),
      .tensor("cafe\u{301}", dtype: .u8, shape: [1], source: two),
    ]
    let file = try writeSample(folder.file("a.kist"), entries: entries)
    #expect(try file.bytes(of: file.tensor("caf\u{E9}")) == [1])
    #expect(try file.bytes(of: file.tensor("cafe\u{301}")) == [2])
  }

  @Test func `a repeated name is refused, and nothing is left at the target`() throws {
    let folder = try TemporaryFolder()
    let entry = NewEntry.tensor("a", dtype: .u8, shape: [1], source: MemorySource([1]))
    #expect(throws: KistError.self) { try writeSample(folder.file("a.kist"), entries: [entry, entry]) }
    #expect(folder.contents == [])
  }

  @Test func `an existing file is replaced only on request`() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("a.kist")
    try writeFile([1, 2, 3], path)
    #expect { try writeSample(path) } throws: { ($0 as? KistError)?.kind == .conflict }
    #expect(try readFile(path) == [1, 2, 3])
    let writer = try KistWriter(creating: path, options: WriterOptions(replacesExisting: true))
    try writer.finish()
    #expect(try KistFile(path: path).entries.isEmpty)
    #expect(folder.contents == ["a.kist"])
  }

  @Test func `weights in bf16 shrink to two thirds`() throws {
    let folder = try TemporaryFolder()
    let file = try writeSample(folder.file("a.kist"))
    let chunk = try file.chunk(0, of: file.tensor("embed"))
    #expect(try file.tensor("embed").transform == .floatPlanes)
    #expect(Double(chunk.storedByteCount) < 0.68 * Double(chunk.rawByteCount))
    #expect(try file.tensor("noise").codec == .raw)
  }
}
