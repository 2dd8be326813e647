import Foundation
import KistConversion
import KistCore
import KistFormat
import TestSupport
import Testing

@Suite struct ShardTests {
  private static let model = "\(repository)/Fixtures/tiny-llama"

  private func convert(
    _ source: String, _ target: String, shards: Int? = nil, probes: ConversionOptions.ProbeSource = .none
  ) throws -> Conversion.Outcome {
    try Conversion.plan(
      source: source, target: target, options: ConversionOptions(shardByteCount: shards, probes: probes)
    ).run(progress: NoProgress())
  }

  @Test(arguments: [260_000, 400_000]) func `shards are no longer than asked for, and any of them opens the whole`(
    limit: Int
  ) throws {
    let folder = try TemporaryFolder()
    let outcome = try convert(Self.model, folder.file("big.kist"), shards: limit, probes: .computed)
    _ = try convert(Self.model, folder.file("one.kist"), probes: .computed)
    let whole = try Checkpoint.open(path: folder.file("one.kist"))
    #expect(outcome.files.count > 1)
    for path in outcome.files {
      let file = try KistFile(path: path)
      #expect(try readFile(path).count <= limit && file.verify(.full).problems == [])
      let set = try Checkpoint.open(path: path)
      #expect(set.tensors.map(\.name) == whole.tensors.map(\.name))
      #expect(set.digests?.weights == whole.digests?.weights && set.digests?.package == whole.digests?.package)
    }
    // One shard is as good as the other.
    _ = try convert(outcome.files[1], folder.file("back"))
    #expect(try tree(folder.file("back")) == tree(Self.model))
    _ = try SetJoin(paths: outcome.files, target: folder.file("joined.kist")).run()
    #expect(try readFile(folder.file("joined.kist")) == readFile(folder.file("one.kist")))
  }

  @Test func `a folder with a set opens the whole, and one with several is refused`() throws {
    let folder = try TemporaryFolder()
    try FileManager.default.createDirectory(atPath: folder.file("set"), withIntermediateDirectories: true)
    _ = try convert(Self.model, folder.file("set/big.kist"), shards: 300_000)
    let set = try Checkpoint.open(path: folder.file("set"))
    #expect(set.format == .kist)
    #expect(try set.tensors.count == Checkpoint.open(path: Self.model).tensors.count)
    _ = try convert(Self.model, folder.file("set/other.kist"), shards: 400_000)
    let error = #expect(throws: KistError.self) { try Checkpoint.open(path: folder.file("set")) }
    #expect("\(error!)".contains("more than one set"))
  }

  @Test func `a set that is not whole is refused, saying what is wrong`() throws {
    let folder = try TemporaryFolder()
    let files = try convert(Self.model, folder.file("big.kist"), shards: 300_000).files
    func expect(_ words: String, _ path: String, sourceLocation: SourceLocation = #_sourceLocation) {
      let error = #expect(throws: KistError.self, sourceLocation: sourceLocation) { try Checkpoint.open(path: path) }
      #expect("\(error!)".contains(words), "\(error!)", sourceLocation: sourceLocation)
    }
    try FileManager.default.moveItem(atPath: files[1], toPath: folder.file("away.kist"))
    expect("\(files[1]) is not there", files[0])
    expect("its name does not say so", folder.file("away.kist"))
    // A shard of another conversion under the name of the missing one.
    let others = try convert(Self.model, folder.file("other.kist"), shards: 301_000).files
    try FileManager.default.copyItem(atPath: others[1], toPath: files[1])
    expect(others.count == files.count ? "shard-size is" : "the other one of", files[0])
    try FileManager.default.removeItem(atPath: files[1])
    try FileManager.default.copyItem(atPath: files[0], toPath: files[1])
    expect("its name does not say so", files[1])
    expect("is part 1 of", files[0])
  }

  @Test func `a signed container stays signed in shards`() throws {
    let folder = try TemporaryFolder()
    let key = SigningKey()
    try writeSample(folder.file("a.kist"))
    try KistEditor.sign(path: folder.file("a.kist"), key: key)
    let files = try convert(folder.file("a.kist"), folder.file("big.kist"), shards: 1_000_000).files
    #expect(files.count > 1)
    let result = try CheckpointVerification(
      path: files[1], level: .full, key: key.verifyingKey, parallelism: Parallelism())
    #expect(result.isSound && result.isSignedByKey == true, "\(result.problems)")
    #expect(throws: KistError.self) { try KistEditor.sign(path: files[1], key: key) }
    #expect(throws: KistError.self) { try ContainerEdit(path: files[0]) }
  }

  @Test func `damage in any shard is found, and the tensor named`() throws {
    let folder = try TemporaryFolder()
    let files = try convert(Self.model, folder.file("big.kist"), shards: 300_000).files
    var bytes = try readFile(files[2])
    bytes[17_000] ^= 1
    try writeFile(bytes, files[2])
    let result = try CheckpointVerification(path: files[0], level: .quick, key: nil, parallelism: Parallelism())
    #expect(!result.isSound && result.problems.first?.kind == "tensor")
  }

  /// What `huggingface_hub.serialization.split_state_dict_into_shards_factory` (2.4) gives; the first is its documentation's example.
  @Test(arguments: [
    ([6, 6, 2, 6, 2, 2], [[0], [1, 2], [3, 4, 5]]), ([2, 12, 2, 9], [[1], [0, 2], [3]]), ([12, 2], [[0], [1]]),
    ([10, 10], [[0], [1]]), ([1, 2, 3], [[0, 1, 2]]), ([], []), ([20], [[0]]), ([3, 20, 20, 4], [[1], [2], [0, 3]]),
  ])
  func `tensors are divided as huggingface_hub divides them`(sizes: [Int], expected: [[Int]]) {
    #expect(ShardPlan.huggingFace(sizes, limit: 10) == expected)
  }

  @Test func `a directory in shards has transformers' names and index, and opens`() throws {
    let folder = try TemporaryFolder()
    _ = try convert(Self.model, folder.file("out"), shards: 300_000)
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.file("out")).sorted()
    let shards = names.filter { $0.hasSuffix(".safetensors") }
    #expect(shards.count > 1 && !names.contains("model.safetensors"))
    #expect(shards.first == "model-00001-of-0000\(shards.count).safetensors")
    let back = try Checkpoint.open(path: folder.file("out"))
    let source = try Checkpoint.open(path: Self.model)
    #expect(Set(back.tensors.map(\.name)) == Set(source.tensors.map(\.name)))
    #expect(back.metadata["format"] == .string("pt"))
    // And through a container back to the same files.
    _ = try convert(folder.file("out"), folder.file("a.kist"))
    _ = try convert(folder.file("a.kist"), folder.file("again"))
    #expect(try tree(folder.file("again")) == tree(folder.file("out")))
    // A limit that all fit in gives one file and no index.
    _ = try convert(folder.file("out"), folder.file("single"), shards: 1 << 30)
    let single = try FileManager.default.contentsOfDirectory(atPath: folder.file("single"))
    #expect(single.contains("model.safetensors") && !single.contains { $0.hasSuffix("index.json") })
  }

  @Test func `single files are not written in shards`() throws {
    let folder = try TemporaryFolder()
    let error = #expect(throws: KistError.self) {
      try convert(Self.model, folder.file("a.safetensors"), shards: 300_000)
    }
    #expect(error?.kind == .unsupported)
  }

  @Test func `an existing shard is kept`() throws {
    let folder = try TemporaryFolder()
    let files = try convert(Self.model, folder.file("big.kist"), shards: 300_000).files
    for path in files.dropLast() { try FileManager.default.removeItem(atPath: path) }
    #expect { try convert(Self.model, folder.file("big.kist"), shards: 300_000) } throws: {
      ($0 as? KistError)?.kind == .conflict
    }
    #expect(folder.contents.count == 1)
  }
}
