import Foundation
import KistConversion
import KistCore
import KistFormat
import TestSupport
import Testing

@Suite struct ConversionTests {
  /// Folders in Hugging Face form: those of the repository, and real ones where they are.
  static let folders =
    ["Fixtures/tiny-llama", "Fixtures/tiny-llama-sharded"].map { "\(repository)/\($0)" }
    + [shared("checkpoints/stories260k"), minilm].compactMap { $0 }

  static let files = [
    "\(repository)/Fixtures/dtypes.safetensors", "\(repository)/Fixtures/tiny-llama/model.safetensors",
  ]

  @discardableResult
  private func convert(
    _ source: String, _ target: String, packing: Packing = .auto, tensors: [String] = []
  ) throws -> Conversion.Outcome {
    let options = ConversionOptions(packing: packing, tensors: tensors, probes: .none)
    return try Conversion.plan(source: source, target: target, options: options).run(progress: NoProgress())
  }

  @Test(arguments: folders, Packing.allCases)
  func `a folder comes back byte for byte, subfolders and empty folders too`(path: String, packing: Packing) throws {
    guard packing != .max || !path.contains("gt_all") else { return }  // minutes of work that proves nothing more
    let folder = try TemporaryFolder()
    let source = folder.file("source")
    try FileManager.default.copyItem(atPath: path, toPath: source)
    try FileManager.default.createDirectory(atPath: source + "/empty/deep", withIntermediateDirectories: true)
    try convert(source, folder.file("a.kist"), packing: packing)
    #expect(try KistFile(path: folder.file("a.kist")).verify(.full).problems == [])
    let outcome = try convert(folder.file("a.kist"), folder.file("out"))
    #expect(outcome.notices == [])
    #expect(try tree(folder.file("out")) == tree(source))
  }

  @Test(arguments: files, Packing.allCases)
  func `a safetensors file comes back as the same file`(path: String, packing: Packing) throws {
    let folder = try TemporaryFolder()
    try convert(path, folder.file("one.kist"), packing: packing)
    try convert(folder.file("one.kist"), folder.file("two.safetensors"))
    #expect(try readFile(folder.file("two.safetensors")) == readFile(path))
  }

  @Test func `the name of a file and the folder that it lies in do not change the container`() throws {
    let folder = try TemporaryFolder()
    try FileManager.default.copyItem(atPath: Self.files[0], toPath: folder.file("other name.safetensors"))
    try convert(Self.files[0], folder.file("a.kist"))
    try convert(folder.file("other name.safetensors"), folder.file("b.kist"))
    #expect(try readFile(folder.file("a.kist")) == readFile(folder.file("b.kist")))
  }

  @Test func `packing again gives the file that packing once gives, and keeps signatures valid`() throws {
    let folder = try TemporaryFolder()
    let source = Self.folders[0]
    try convert(source, folder.file("auto.kist"))
    try convert(source, folder.file("none.kist"), packing: .none)
    try convert(folder.file("none.kist"), folder.file("again.kist"))
    #expect(try readFile(folder.file("again.kist")) == readFile(folder.file("auto.kist")))

    let key = SigningKey()
    try KistEditor.sign(path: folder.file("none.kist"), key: key)
    try convert(folder.file("none.kist"), folder.file("signed.kist"))
    #expect(try KistFile(path: folder.file("signed.kist")).isSigned(by: key.verifyingKey))
  }

  @Test func `after an edit of metadata or tensors the header is new, and says what is there`() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("a.kist")
    try convert(Self.files[0], path)
    let editor = try KistEditor(path: path)
    var metadata = try KistFile(path: path).metadata()
    metadata["note"] = .string("edited")
    editor.put(metadata: metadata)
    let removed = try #require(KistFile(path: path).tensors.first).name
    try editor.remove(removed, kind: .tensor)
    _ = try editor.commit()
    let outcome = try convert(path, folder.file("b.safetensors"))
    #expect(outcome.notices.contains { $0.contains("new header") })
    let back = try Checkpoint.open(path: folder.file("b.safetensors"))
    #expect(back.metadata["note"] == .string("edited"))
    #expect(!back.tensors.contains { $0.name.utf8.elementsEqual(removed.utf8) })
    #expect(try back.tensors.count == KistFile(path: path).tensors.count)
  }

  @Test func `some tensors can be taken, and a sharded folder merged into one file`() throws {
    let folder = try TemporaryFolder()
    let sharded = Self.folders[1]
    let all = try Checkpoint.open(path: sharded)
    try convert(sharded, folder.file("merged.safetensors"))
    #expect(try Checkpoint.open(path: folder.file("merged.safetensors")).tensors.count == all.tensors.count)
    try convert(sharded, folder.file("part.kist"), tensors: ["*layers.0.*"])
    let part = try KistFile(path: folder.file("part.kist"))
    #expect(part.tensors.count > 0 && part.tensors.allSatisfy { $0.name.contains("layers.0.") })
    try convert(folder.file("part.kist"), folder.file("part"))
    #expect(try Checkpoint.open(path: folder.file("part")).tensors.count == part.tensors.count)
  }

  @Test(arguments: ["/etc/evil", "../evil", "a/../../evil", "a//b", "./a", "", "a/", "nul\u{0}name"])
  func `asset names never lead out of the folder`(name: String) throws {
    let folder = try TemporaryFolder()
    let writer = try KistWriter(creating: folder.file("a.kist"))
    let entry = NewEntry.asset(name, source: MemorySource([1]))
    guard !name.isEmpty else {
      #expect(throws: KistError.self) { try writer.add([entry]) }
      return
    }
    try writer.add([entry])
    try writer.finish()
    #expect { try convert(folder.file("a.kist"), folder.file("out")) } throws: { ($0 as? KistError)?.kind == .damaged }
    #expect(folder.contents == ["a.kist"])
  }

  @Test func `an existing target is kept, and nothing half-written stays`() throws {
    let folder = try TemporaryFolder()
    for target in ["a.kist", "a.safetensors"] {
      try writeFile([1], folder.file(target))
      #expect { try convert(Self.files[0], folder.file(target)) } throws: { ($0 as? KistError)?.kind == .conflict }
      #expect(try readFile(folder.file(target)) == [1])
    }
    try FileManager.default.createDirectory(atPath: folder.file("full"), withIntermediateDirectories: true)
    try writeFile([1], folder.file("full/mine.txt"))
    #expect { try convert(Self.folders[0], folder.file("full")) } throws: { ($0 as? KistError)?.kind == .conflict }
    #expect(folder.contents.sorted() == ["a.kist", "a.safetensors", "full"])

    let options = ConversionOptions(replacesExisting: true)
    _ = try Conversion.plan(source: Self.folders[0], target: folder.file("full"), options: options).run(
      progress: NoProgress())
    #expect(try readFile(folder.file("full/mine.txt")) == [1], "what was there stays")
    #expect(try readFile(folder.file("full/config.json")) == readFile(Self.folders[0] + "/config.json"))
  }

  @Test func `a cancelled conversion leaves nothing`() throws {
    let folder = try TemporaryFolder()
    let cancellation = Cancellation()
    cancellation.cancel()
    for target in ["a.kist", "a.safetensors", "out"] {
      let options = ConversionOptions(parallelism: Parallelism(cancellation: cancellation))
      let conversion = try Conversion.plan(source: Self.folders[0], target: folder.file(target), options: options)
      #expect { try conversion.run(progress: NoProgress()) } throws: { ($0 as? KistError)?.kind == .interrupted }
    }
    #expect(folder.contents == [])
  }
}
