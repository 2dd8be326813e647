import Foundation
import KistConversion
import KistCore
import KistFormat
import KistTokenizers
import TestSupport
import Testing

/// The compiled tokenizer of a container, and the files that it comes from.
struct CompiledTokenizerTests {
  /// A folder with a model that has a tokenizer.json, and the container of it.
  private func modelWithTokenizer(_ name: String) throws -> (folder: TemporaryFolder, container: String) {
    let folder = try TemporaryFolder()
    let model = folder.file("model")
    try FileManager.default.copyItem(atPath: "\(repository)/Fixtures/tiny-llama", toPath: model)
    try writeFile(try readFile(tokenizerFile(name)), "\(model)/tokenizer.json")
    let target = folder.file("a.kist")
    _ = try Conversion.plan(source: model, target: target, options: ConversionOptions()).run(progress: NoProgress())
    return (folder, target)
  }

  private func tokenizerFile(_ name: String) -> String {
    "\(repository)/Fixtures/tokenizers/files/\(name)/tokenizer.json"
  }

  private func isSound(_ path: String) throws -> CheckpointVerification {
    try CheckpointVerification(path: path, level: .full, key: nil, parallelism: Parallelism())
  }

  /// The lock goes with the editor.
  private func edit(_ path: String, _ change: (ContainerEdit) throws -> Void) throws {
    let edit = try ContainerEdit(path: path)
    try change(edit)
    _ = try edit.commit()
  }

  private func ids(_ path: String) throws -> [UInt32] {
    let tokenizer = try Tokenizer.open(path: path)
    return try tokenizer.encode(Array("The cat sat, 42 naïve times.".utf8), tokenizer.referenceSettings)
  }

  @Test(arguments: ["gpt2", "bert-uncased", "llama2"])
  func `a container's tokenizer gives the ids of its file`(name: String) throws {
    let (folder, container) = try modelWithTokenizer(name)
    let file = try KistFile(path: container)
    let entry = try #require(file.entries.first { $0.name == "kist:tokenizer" && $0.kind == .record })
    #expect(entry.codec == .raw)
    #expect(try isSound(container).isSound)
    #expect(try ids(container) == ids(folder.file("model")))
    #expect(try !ids(container).isEmpty)
  }

  @Test func `an edit of the tokenizer's file compiles it again, and taking it out takes the record out`() throws {
    let (folder, container) = try modelWithTokenizer("gpt2")
    let before = try ids(container)
    try edit(container) { edit in
      try edit.putAsset("tokenizer.json", MemorySource(try readFile(tokenizerFile("bert-uncased"))))
    }
    #expect(try ids(container) != before)
    #expect(try ids(container) == ids(tokenizerFile("bert-uncased")))
    #expect(try isSound(container).isSound)
    try edit(container) { try $0.remove("tokenizer.json") }
    #expect(throws: KistError.self) { try Tokenizer.open(path: container) }
    withExtendedLifetime(folder) {}
  }

  @Test func `a record that is not what the files compile to is found`() throws {
    let (folder, container) = try modelWithTokenizer("gpt2")
    let definition = try TokenizerSource.read(path: tokenizerFile("bert-uncased"))
    let editor = try KistEditor(path: container)
    editor.put(.record("kist:tokenizer", try Tokenizer.compile(definition), staysRaw: true))
    _ = try editor.commit()
    let result = try isSound(container)
    #expect(!result.isSound && result.problems.map(\.name) == ["kist:tokenizer"])
    withExtendedLifetime(folder) {}
  }

  @Test func `a record of another version's layout is left alone, and the files are used`() throws {
    let (folder, container) = try modelWithTokenizer("gpt2")
    let before = try ids(container)
    var record = try Tokenizer.compile(try TokenizerSource.read(path: tokenizerFile("bert-uncased")))
    record[4] = 99
    do {
      let editor = try KistEditor(path: container)
      editor.put(.record("kist:tokenizer", record, staysRaw: true))
      _ = try editor.commit()
    }
    #expect(try ids(container) == before)
    let result = try isSound(container)
    #expect(result.isSound && result.notes.contains { $0.contains("another version") })
    withExtendedLifetime(folder) {}
  }

  @Test func `a tokenizer that can't be compiled is packed all the same`() throws {
    let folder = try TemporaryFolder()
    let model = folder.file("model")
    try FileManager.default.copyItem(atPath: "\(repository)/Fixtures/tiny-llama", toPath: model)
    try writeFile(Array(#"{"model": {"type": "Quantum", "vocab": {}}}"#.utf8), "\(model)/tokenizer.json")
    let target = folder.file("a.kist")
    let outcome = try Conversion.plan(source: model, target: target, options: ConversionOptions()).run(
      progress: NoProgress())
    #expect(outcome.notices.contains { $0.contains("no compiled tokenizer") && $0.contains("Quantum") })
    #expect(try isSound(target).isSound)
    _ = try Conversion.plan(source: target, target: folder.file("out"), options: ConversionOptions()).run(
      progress: NoProgress())
    #expect(try tree(folder.file("out")) == tree(model))
  }
}
