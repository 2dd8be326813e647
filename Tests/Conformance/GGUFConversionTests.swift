import Foundation
import KistCheckpoints
import KistConversion
import KistCore
import KistFormat
import TestSupport
import Testing

/// GGUF into containers and back.
@Suite struct GGUFConversionTests {
  private static let folder = repository + "/Fixtures/gguf"
  private static let single = [
    "values", "types", "shapes", "alignment-1", "alignment-64", "alignment-4096", "no-tensors", "version-2", "unpadded",
    "noisy-padding",
  ]
  private static let split = [("split", 2), ("split-vocabulary", 3)]

  @discardableResult
  private func convert(
    _ source: String, _ target: String, packing: Packing = .auto, tensors: [String] = []
  ) throws -> Conversion.Outcome {
    let options = ConversionOptions(packing: packing, tensors: tensors)
    return try Conversion.plan(source: source, target: target, options: options).run(progress: NoProgress())
  }

  @Test(arguments: single, Packing.allCases)
  func `a GGUF comes back as the same file`(name: String, packing: Packing) throws {
    let folder = try TemporaryFolder()
    let source = "\(Self.folder)/\(name).gguf"
    try convert(source, folder.file("a.kist"), packing: packing)
    #expect(try KistFile(path: folder.file("a.kist")).verify(.full).problems == [])
    let outcome = try convert(folder.file("a.kist"), folder.file("b.gguf"))
    #expect(outcome.notices == [])
    #expect(try readFile(folder.file("b.gguf")) == readFile(source))
    try convert(source, folder.file("c.gguf"))
    #expect(try readFile(folder.file("c.gguf")) == readFile(source))
    #expect(try CheckpointDiff(.open(path: source), .open(path: folder.file("a.kist")), parallelism: .init()).isSame)
  }

  @Test(arguments: split)
  func `the parts of a split GGUF come back as the same files, whichever is named`(name: String, count: Int) throws {
    let folder = try TemporaryFolder()
    for part in 0..<count {
      let source = GGUFSplitName.path("\(Self.folder)/\(name)", part, of: count)
      try convert(source, folder.file("\(part).kist"))
    }
    #expect(try readFile(folder.file("0.kist")) == readFile(folder.file("1.kist")))
    #expect(try convert(folder.file("0.kist"), GGUFSplitName.path(folder.file("b"), 0, of: count)).notices == [])
    for part in 0..<count {
      let written = try readFile(GGUFSplitName.path(folder.file("b"), part, of: count))
      #expect(try written == readFile(GGUFSplitName.path("\(Self.folder)/\(name)", part, of: count)))
    }
  }

  @Test func `parts become one file, with the keys of all but those that speak of parts`() throws {
    let folder = try TemporaryFolder()
    try convert(Self.folder + "/split-00001-of-00002.gguf", folder.file("one.gguf"))
    // gguf-py wrote the same keys and tensors as one file.
    #expect(try readFile(folder.file("one.gguf")) == readFile(Self.folder + "/shapes.gguf"))
    #expect(throws: KistError.self) {
      try convert(Self.folder + "/split-00001-of-00002.gguf", folder.file("x-00001-of-00003.gguf"))
    }
  }

  @Test func `after an edit the header is new, what was not edited stays in its place, and that is said`() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("a.kist")
    try convert(Self.folder + "/values.gguf", path)
    let edit = try ContainerEdit(path: path)
    try edit.set("high.u32=7")
    try edit.set("added=x")
    try edit.unset("list.of.lists")
    _ = try edit.commit()
    let outcome = try convert(path, folder.file("b.gguf"))
    #expect(outcome.notices.contains { $0.contains("new header") })

    let (before, after) = (try GGUFFile(path: Self.folder + "/values.gguf"), try GGUFFile(path: folder.file("b.gguf")))
    let kept = before.header.items.filter { $0.key != "list.of.lists" }
    #expect(after.header.items.map { Array($0.key.utf8) } == kept.map { Array($0.key.utf8) } + [Array("added".utf8)])
    for (item, old) in zip(after.header.items, kept) where item.key != "high.u32" {
      let (one, other) = (try after.encoded(item), try before.encoded(old))
      #expect(one == other, "\(item.key)")
    }
    #expect(try after.value("high.u32") == .uint32(7))
    #expect(try after.value("added") == .string("x"))
  }

  @Test func `tensors that are left out leave the rest a GGUF with all keys`() throws {
    let folder = try TemporaryFolder()
    try convert(Self.folder + "/types.gguf", folder.file("a.kist"), tensors: ["*Q4*"])
    try convert(folder.file("a.kist"), folder.file("b.gguf"))
    let (whole, part) = (try GGUFFile(path: Self.folder + "/types.gguf"), try GGUFFile(path: folder.file("b.gguf")))
    #expect(part.header.tensors.map(\.name) == whole.header.tensors.map(\.name).filter { $0.contains("Q4") })
    #expect(part.header.items.map(\.key) == whole.header.items.map(\.key))
    let (mappedWhole, mappedPart) = (try #require(whole.mapped), try #require(part.mapped))
    for tensor in part.header.tensors {
      let original = try #require(whole.header.tensors.first { $0.name == tensor.name })
      #expect(mappedPart.bytes.array(tensor.range) == mappedWhole.bytes.array(original.range))
    }
  }

  @Test func `what a format does not have is an error that says so`() throws {
    let folder = try TemporaryFolder()
    func words(_ source: String, _ target: String) -> String {
      do { try convert(source, folder.file(target)) } catch { return "\(error)" }
      return "no error"
    }
    #expect(words(Self.folder + "/types.gguf", "a.safetensors").contains("block type"))
    #expect(words(Self.folder + "/shapes.gguf", "folder").contains("'test' is no architecture"))
    #expect(words(repository + "/Fixtures/families/opt", "a.gguf").contains("llama.cpp has no opt"))
    #expect(folder.contents.isEmpty)
  }

  @Test func `tensors of plain dtypes go to safetensors, with the keys that are short texts there`() throws {
    let folder = try TemporaryFolder()
    try convert(Self.folder + "/shapes.gguf", folder.file("a.safetensors"))
    let (gguf, file) = (
      try Checkpoint.open(path: Self.folder + "/shapes.gguf"), try Checkpoint.open(path: folder.file("a.safetensors"))
    )
    #expect(Set(gguf.tensors.map(\.name)) == Set(file.tensors.map(\.name)))
    #expect(file.metadata["note"] == .string("shapes"))
    let outcome = try convert(Self.folder + "/no-tensors.gguf", folder.file("b.safetensors"))
    #expect(outcome.notices == [])
  }

  @Test func `inspect lists keys with their types, and long lists by their beginning`() throws {
    let run = try kist("inspect", Self.folder + "/values.gguf", "--json")
    #expect(run.status == 0)
    let json = try run.json()
    #expect(json["format"] as? String == "gguf")
    #expect(json["model_type"] as? String == "test")
    let rows = try #require(json["metadata"] as? [[String: Any]])
    let long = try #require(rows.first { $0["key"] as? String == "list.long" })
    #expect(long["type"] as? String == "array")
    #expect(long["element_type"] as? String == "string")
    #expect(long["count"] as? Int == 1000)
    #expect((long["value"] as? String)?.hasPrefix("[token 0, token 1") == true)
    let text = try kist("inspect", Self.folder + "/values.gguf", "--metadata")
    #expect(text.output.contains("high.u64") && text.output.contains("18446744073709551615"))
    #expect(try kist("verify", Self.folder + "/types.gguf").status == 0)
    #expect(try kist("show", Self.folder + "/shapes.gguf", "rank.2").output.contains("["))
  }

  @Test(.enabled(if: python != nil, "needs gguf-py: make test-peers"))
  func `gguf-py reads what the writer makes`() throws {
    let python = try #require(Self.python)
    let folder = try TemporaryFolder()
    let path = folder.file("a.kist")
    try convert(Self.folder + "/types.gguf", path)
    let edit = try ContainerEdit(path: path)
    try edit.set("general.name=edited")
    _ = try edit.commit()
    try convert(path, folder.file("b.gguf"))
    let script = """
      import sys, hashlib
      from gguf import GGUFReader
      file = GGUFReader(sys.argv[1])
      print(file.fields["general.name"].contents())
      for tensor in file.tensors: print(tensor.name, hashlib.sha256(tensor.data.tobytes()).hexdigest())
      """
    let (one, other) = (
      try run(python, script, folder.file("b.gguf")),
      try run(python, script.replacing("general.name", with: "general.architecture"), Self.folder + "/types.gguf")
    )
    #expect(one.split(separator: "\n").first == "edited")
    #expect(one.split(separator: "\n").dropFirst() == other.split(separator: "\n").dropFirst())
  }

  /// The Python that `make test-peers` gave gguf-py.
  private static let python: String? = {
    let path = repository + "/.peers/bin/python"
    let isThere = FileManager.default.fileExists(atPath: repository + "/.peers/all")
    return isThere && ProcessInfo.processInfo.environment["KIST_PEERS"] != nil ? path : nil
  }()

  private func run(_ python: String, _ script: String, _ argument: String) throws -> String {
    let (process, output) = (Process(), Pipe())
    process.executableURL = URL(fileURLWithPath: python)
    process.arguments = ["-c", script, argument]
    process.standardOutput = output
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return String(decoding: data, as: UTF8.self)
  }
}
