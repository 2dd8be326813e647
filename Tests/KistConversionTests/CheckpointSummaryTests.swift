import KistConversion
import KistCore
import KistFormat
import TestSupport
import Testing

@Suite struct CheckpointSummaryTests {
  private func groups(_ names: [String]) throws -> [String] {
    let folder = try TemporaryFolder()
    let checkpoint = try makeCheckpoint(names.map { f32($0, [1]) }, in: folder)
    return try CheckpointSummary(checkpoint).groups.map { "\($0.pattern) ×\($0.tensorCount)" }
  }

  @Test func `numbers that vary become ranges`() throws {
    let names = (0..<4).flatMap { ["h.\($0).attn.weight", "h.\($0).mlp.weight"] } + ["wte.weight"]
    #expect(try groups(names) == ["h.{0-3}.attn.weight ×4", "h.{0-3}.mlp.weight ×4", "wte.weight ×1"])
  }

  @Test(arguments: [
    (["a.0.w", "a.1.w", "a.3.w", "a.5.w", "a.6.w"], ["a.{0-1,3,5-6}.w ×5"]),
    (["l.0.e.0", "l.0.e.1", "l.1.e.0", "l.1.e.1"], ["l.{0-1}.e.{0-1} ×4"]),
    (["1.weight", "x.1.bias"], ["1.weight ×1", "x.1.bias ×1"]),
    (["a.00.w", "a.01.w"], ["a.00.w ×1", "a.01.w ×1"]),
    (["a/0/w", "a/1/w"], ["a/{0-1}/w ×2"]),
    (["v2.w", "v3.w", "-1.w", "٣.w"], ["v2.w ×1", "v3.w ×1", "-1.w ×1", "٣.w ×1"]),
  ])
  func `only whole parts of plain digits count as numbers`(names: [String], expected: [String]) throws {
    #expect(try groups(names) == expected)
  }

  @Test func `tensors of unlike shape or dtype are not one group`() throws {
    let folder = try TemporaryFolder()
    let checkpoint = try makeCheckpoint(
      [
        f32("a.0", [1]), f32("a.1", [1, 2]),
        .tensor("a.2", dtype: .i32, shape: [1], source: MemorySource([0, 0, 0, 0])),
      ],
      in: folder)
    #expect(try CheckpointSummary(checkpoint).groups.map(\.pattern) == ["a.0", "a.1", "a.2"])
  }

  @Test func `what tensors share is counted once`() throws {
    let folder = try TemporaryFolder()
    for packing in [Packing.auto, .none] {
      let file = try writeSample(folder.file("\(packing).kist"), packing: packing)
      let summary = try CheckpointSummary(try Checkpoint.open(path: file.path))
      let rows = Dictionary(uniqueKeysWithValues: summary.tensors.map { ($0.name, $0) })
      #expect(rows["lm_head"]?.sameAs == "embed" && rows["lm_head"]?.storedByteCount == 0)
      #expect(rows["layer.1"]?.sameAs == "layer.0" && rows["nothing"]?.sameAs == nil)
      #expect(summary.repeatedParameterCount == 1024 * 700 + 300 * 200)
      #expect(summary.storedByteCount == summary.tensors.reduce(0) { $0 + $1.storedByteCount })
      #expect(summary.storedByteCount < file.byteCount)
      #expect(summary.dtypes.reduce(0) { $0 + $1.elementCount } == summary.parameterCount)
      #expect(summary.modelType == "test" && summary.architecture == nil)
      #expect(summary.metadata.map(\.key) == ["format"] && summary.metadata[0].value == "pt")
    }
  }

  @Test func `patterns list tensors, and one without a match is an error`() throws {
    let folder = try TemporaryFolder()
    let checkpoint = try makeCheckpoint(sampleEntries, in: folder)
    #expect(try CheckpointSummary(checkpoint, tensors: ["noise*"]).tensors.map(\.name) == ["noise", "noise too"])
    #expect(throws: KistError.self) { try CheckpointSummary(checkpoint, tensors: ["nose*"]) }
  }

  @Test func `a reference shows missing, extra and mismatched tensors`() throws {
    let folder = try TemporaryFolder()
    let checkpoint = try makeCheckpoint(
      [f32("both", [1, 2]), f32("extra", [1]), f32("shape", [1, 2])], in: folder, "a.kist")
    let reference = try makeCheckpoint(
      [f32("both", [1, 3]), f32("missing", [1]), f32("shape", [1, 2], shape: [2, 1])], in: folder, "b.kist")
    var summary = try CheckpointSummary(checkpoint)
    try summary.compare(checkpoint, with: reference, parallelism: Parallelism(threads: 2))
    #expect(summary.against?.missing == ["missing"] && summary.against?.extra == ["extra"])
    #expect(summary.against?.mismatches.map(\.name) == ["shape"])
    #expect(summary.tensors[0].comparison?.maximumDifference == 1)
  }
}
