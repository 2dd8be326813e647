import Foundation
import KistCheckpoints
import KistCore
import KistFormat
import TestSupport
import Testing

@Suite struct GGUFTests {
  @Test func `the fixtures are there`() {
    #expect(GGUFFixture.all.count == 12)
  }

  @Test(arguments: GGUFFixture.names)
  func `keys and values are those that were given to gguf-py`(name: String) throws {
    let fixture = try GGUFFixture.named(name)
    let file = try GGUFFile(path: fixture.path(0))
    let items = file.header.items.filter { !$0.key.hasPrefix("split.") }
    #expect(items.map { Array($0.key.utf8) } == fixture.metadata.map { Array($0.key.utf8) })
    for (item, expected) in zip(items, fixture.metadata) {
      #expect(item.type.name == expected.type, "\(expected.key)")
      #expect(item.elements?.type.name == expected.of, "\(expected.key)")
      #expect(GGUFFixture.Value(try file.value(of: item)) == expected.value, "\(expected.key)")
    }
  }

  @Test(arguments: GGUFFixture.names)
  func `tensors are those that gguf-py finds`(name: String) throws {
    let fixture = try GGUFFixture.named(name)
    let files = try GGUFSet(MappedFile(path: fixture.path(0))).files
    #expect(files.count == fixture.files.count)
    let found = files.flatMap { file in file.header.tensors.map { (file, $0) } }
    #expect(found.map(\.1.name) == fixture.tensors.map(\.name))
    for ((file, tensor), expected) in zip(found, fixture.tensors) {
      #expect(tensor.dtype.name == expected.type, "\(expected.name)")
      #expect(tensor.shape.dimensions == expected.shape, "\(expected.name)")
      let mapped = try #require(file.mapped)
      #expect(Digest(hashing: mapped.bytes.array(tensor.range)).hexadecimal == expected.sha256, "\(expected.name)")
    }
  }

  @Test func `every type of tensor that gguf-py knows is among the dtypes`() throws {
    let file = try GGUFFile(path: GGUFFixture.folder + "/types.gguf")
    #expect(file.header.tensors.count == 33)
    for tensor in file.header.tensors { #expect(tensor.name.hasSuffix("." + tensor.dtype.name)) }
    for tensor in file.header.tensors { #expect(tensor.name.hasPrefix("blk.\(tensor.dtype.ggmlType ?? 99).")) }
  }

  @Test(arguments: GGUFFixture.names)
  func `the same keys and tensors are written byte for byte as gguf-py writes them`(name: String) throws {
    guard !["noisy-padding.gguf", "unpadded.gguf"].contains(name) else { return }  // gguf-py does not write these
    let fixture = try GGUFFixture.named(name)
    for index in fixture.files.indices {
      let file = try GGUFFile(path: fixture.path(index))
      var writer = GGUFWriter(alignment: file.header.alignment, version: file.header.version)
      for item in file.header.items { try writer.add(item.key, file.value(of: item)) }
      for tensor in file.header.tensors { try writer.addTensor(tensor.name, dtype: tensor.dtype, shape: tensor.shape) }
      let layout = try writer.layOut()
      let original = try readFile(fixture.path(index))
      var written = layout.header + [UInt8](repeating: 0, count: layout.fileByteCount - layout.header.count)
      for (range, tensor) in zip(layout.ranges, file.header.tensors) {
        written.replaceSubrange(range, with: original[tensor.range])
      }
      #expect(written == original)
    }
  }

  @Test func `lists of strings and numbers are written as values are`() throws {
    var (one, other) = (GGUFWriter(), GGUFWriter())
    try one.add("s", strings: [[], [0xFF], Array("abc".utf8)])
    try one.add("f", floats: [1.5, -.infinity])
    try one.add("i", integers: [-1, 7])
    try other.add("s", .array(of: .string, [.string([]), .string([0xFF]), .string("abc")]))
    try other.add("f", .array(of: .float32, [.float32(1.5), .float32(-.infinity)]))
    try other.add("i", .array(of: .int32, [.int32(-1), .int32(7)]))
    #expect(try one.layOut().header == other.layOut().header)
  }

  @Test func `arrays are read as what they hold, and as nothing else`() throws {
    let file = try GGUFFile(path: GGUFFixture.folder + "/values.gguf")
    var tokens: [String] = []
    let list = try #require(file.header.item("list.long"))
    try file.forEachString(of: list) { text throws(KistError) in
      tokens.append(unsafe String(decoding: text, as: UTF8.self))
    }
    #expect(tokens == (0..<1000).map { "token \($0)" })
    #expect(try file.integers(of: #require(file.header.item("list.i32"))) == [-2_147_483_648, 1, 2_147_483_647])
    #expect(try file.floats(of: #require(file.header.item("list.f32"))).prefix(4) == [0, -0, 1.5, -2.25])
    #expect(try file.bytes(of: #require(file.header.item("list.u8"))) == [0, 1, 255])
    for key in ["list.u8", "list.f64", "list.long", "high.u8"] {
      #expect(throws: KistError.self) { try file.integers(of: #require(file.header.item(key))) }
    }
    #expect(throws: KistError.self) { try file.forEachString(of: #require(file.header.item("list.of.lists"))) { _ in } }
  }

  @Test(arguments: GGUFFixture.names)
  func `a header kept without the data says the same`(name: String) throws {
    let fixture = try GGUFFixture.named(name)
    for index in fixture.files.indices {
      let bytes = try readFile(fixture.path(index))
      let whole = try GGUFFile(path: fixture.path(index))
      let outside = whole.outsideRanges.flatMap { bytes[$0] }
      let detached = try GGUFFile(detached: outside)
      #expect(detached.byteCount == bytes.count)
      #expect(detached.header.tensors.map(\.range) == whole.header.tensors.map(\.range))
      #expect(detached.outsideRanges == whole.outsideRanges)
      for item in detached.header.items {
        let (one, other) = (try detached.encoded(item), try whole.encoded(item))
        #expect(one == other)
      }
    }
  }

  @Test(arguments: ["values.gguf", "types.gguf", "alignment-64.gguf", "split-00001-of-00002.gguf"])
  func `a header that is cut anywhere is refused`(name: String) throws {
    let bytes = try readFile(GGUFFixture.folder + "/" + name)
    let header = try GGUFHeader(unsafe bytes.span.bytes)
    let start = header.tensors.first?.range.lowerBound ?? bytes.count
    for count in 0..<start {
      // Padding before the data may be cut where there are no tensors.
      if header.tensors.isEmpty, count > start - header.alignment { continue }
      let cut = Array(bytes[..<count])
      #expect(throws: KistError.self, "\(count) bytes") { try GGUFHeader(unsafe cut.span.bytes) }
    }
  }

  @Test func `names of parts are told from other names`() throws {
    let name = try #require(GGUFSplitName("a/b-00002-of-00010.gguf"))
    #expect((name.prefix, name.number, name.count) == ("a/b", 1, 10))
    #expect(GGUFSplitName.path("a/b", 1, of: 10) == "a/b-00002-of-00010.gguf")
    for path in ["b.gguf", "b-00000-of-00002.gguf", "b-00003-of-00002.gguf", "b-1-of-2.gguf", "-00001-of-00002.gguf"] {
      #expect(GGUFSplitName(path) == nil, "\(path)")
    }
  }

  @Test func `parts that contradict each other are refused`() throws {
    let folder = try TemporaryFolder()
    let (one, two) = (folder.file("m-00001-of-00002.gguf"), folder.file("m-00002-of-00002.gguf"))
    func part(_ number: Int) throws -> [UInt8] {
      try readFile(GGUFFixture.folder + "/split-0000\(number)-of-00002.gguf")
    }
    try writeFile(part(1), one)
    #expect { try GGUFSet(MappedFile(path: one)) } throws: { "\($0)".contains(two) && "\($0)".contains("not there") }
    try writeFile(part(1), two)
    #expect { try GGUFSet(MappedFile(path: one)) } throws: { "\($0)".contains("split.no") }
    try writeFile(part(2), two)
    #expect(try GGUFSet(MappedFile(path: two)).files.count == 2)
    // A third of the tensors is missing.
    let count = Array("split.tensors.count".utf8)
    var changed = try part(1)
    let place = try #require(changed.indices.first { changed[$0...].starts(with: count) })
    changed[place + count.count + 4] += 1
    try writeFile(changed, one)
    #expect { try GGUFSet(MappedFile(path: one)) } throws: { "\($0)".contains("split.tensors.count") }
  }

  @Test func `the writer refuses what GGUF does not have`() throws {
    var writer = GGUFWriter()
    try writer.add("a", .uint8(1))
    #expect(throws: KistError.self) { try writer.add("a", .uint8(2)) }
    #expect(throws: KistError.self) { try writer.add("", .uint8(2)) }
    #expect(throws: KistError.self) { try writer.add("b", .array(of: .uint8, [.uint8(1), .int8(1)])) }
    #expect(throws: KistError.self) { try writer.addTensor("t", dtype: .u8, shape: [4]) }
    #expect(throws: KistError.self) { try writer.addTensor("t", dtype: .q4_0, shape: [32, 31]) }
    try writer.addTensor("t", dtype: .q4_0, shape: [31, 32])
    #expect(throws: KistError.self) { try writer.addTensor("t", dtype: .f32, shape: [4]) }
  }
}
