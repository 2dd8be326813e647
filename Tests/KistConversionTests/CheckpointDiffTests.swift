import KistConversion
import KistCore
import KistFormat
import TestSupport
import Testing

@Suite struct CheckpointDiffTests {
  private func diff(_ a: Checkpoint, _ b: Checkpoint) throws -> CheckpointDiff {
    try CheckpointDiff(a, b, parallelism: Parallelism(threads: 2))
  }

  @Test func `a checkpoint is the same as itself, packed or raw, as container or as safetensors`() throws {
    let folder = try TemporaryFolder()
    let source = "\(repository)/Fixtures/tiny-llama"
    for packing in [Packing.auto, .none] {
      let target = folder.file("\(packing).kist")
      let options = ConversionOptions(packing: packing)
      _ = try Conversion.plan(source: source, target: target, options: options).run(progress: NoProgress())
    }
    let checkpoints = try [source, folder.file("auto.kist"), folder.file("none.kist")].map {
      try Checkpoint.open(path: $0)
    }
    for a in checkpoints {
      for b in checkpoints {
        let result = try diff(a, b)
        #expect(result.isSame, "\(a.path), \(b.path)")
        #expect(result.equalTensorCount == a.tensors.count && result.equalAssetCount == a.assets.count)
      }
    }
  }

  @Test func `what differs is named, with how much`() throws {
    let folder = try TemporaryFolder()
    let a = try makeCheckpoint(
      [
        f32("same", [1, 2]), f32("value", [1, 2, 3, 4]), f32("shape", [1, 2, 3, 4]), f32("dtype", [1, 2]),
        f32("sign", [0]), f32("a", [1]),
        .asset("same.txt", source: MemorySource([1])), .asset("cut.txt", source: MemorySource([1, 2, 3])),
        .asset("only.txt", source: MemorySource([])),
      ], in: folder, "a.kist")
    let b = try makeCheckpoint(
      [
        f32("same", [1, 2]), f32("value", [1, 2, 3, 5]), f32("shape", [1, 2, 3, 4], shape: [2, 2]),
        .tensor("dtype", dtype: .f64, shape: [2], source: MemorySource(bytes(of: [1.0, 2.0]))), f32("sign", [-0.0]),
        f32("b", [1]),
        .asset("same.txt", source: MemorySource([1])), .asset("cut.txt", source: MemorySource([1, 2])),
        .asset("other.txt", source: MemorySource([1, 2])),
      ], in: folder, "b.kist")
    let result = try diff(a, b)
    #expect(!result.isSame && result.equalTensorCount == 1 && result.equalAssetCount == 1)
    #expect(result.tensorsOnlyInA.map(\.name) == ["a"] && result.tensorsOnlyInB.map(\.name) == ["b"])
    try #require(result.tensors.map(\.name) == ["value", "shape", "dtype", "sign"])
    #expect(result.tensors[0].comparison?.differingCount == 1 && result.tensors[0].comparison?.maximumDifference == 1)
    #expect(result.tensors[1].comparison == nil && result.tensors[1].shapeB == [2, 2])
    #expect(result.tensors[2].comparison?.differingCount == 0 && result.tensors[2].dtypeB == "F64")
    #expect(result.tensors[3].comparison?.differingCount == 0)
    #expect(result.assets.map(\.path) == ["cut.txt"] && result.assets.first?.firstDifference == 2)
    #expect(result.assetsOnlyInA.map(\.path) == ["only.txt"] && result.assetsOnlyInB.map(\.path) == ["other.txt"])
  }

  @Test func `a changed type of a key-value is a difference`() throws {
    let folder = try TemporaryFolder()
    let a = try makeCheckpoint([f32("t", [1])], in: folder, "a.kist")
    _ = try makeCheckpoint([f32("t", [1])], in: folder, "b.kist")
    let edit = try ContainerEdit(path: folder.file("b.kist"))
    try edit.set("n:u32=5")
    try edit.set("format=tf")
    _ = try edit.commit()
    let result = try diff(a, try Checkpoint.open(path: folder.file("b.kist")))
    try #require(result.metadata.map(\.key) == ["format", "n"] && !result.isSame)
    #expect(result.metadata[1].a == nil && result.metadata[1].b?.type == "u32")
  }

  @Test func `a change in a late chunk is found without a digest too`() throws {
    let folder = try TemporaryFolder()
    var values = [Float](repeating: 1, count: 600_000)
    for (name, last) in [("a", Float(1)), ("b", 2)] {
      values[599_999] = last
      _ = try makeCheckpoint([f32("t", values)], in: folder, "\(name).kist")
      _ = try Conversion.plan(
        source: folder.file("\(name).kist"), target: folder.file("\(name).safetensors"), options: ConversionOptions()
      ).run(progress: NoProgress())
    }
    let names = ["a.kist", "a.safetensors", "b.kist", "b.safetensors"]
    let all = try names.map { try Checkpoint.open(path: folder.file($0)) }
    for (i, a) in all.enumerated() {
      for (j, b) in all.enumerated() {
        let result = try diff(a, b)
        #expect(result.tensors.isEmpty == (i / 2 == j / 2), "\(names[i]), \(names[j])")
        if i / 2 != j / 2 { #expect(result.tensors.first?.comparison?.differingCount == 1) }
      }
    }
  }
}
