import KistCheckpoints
import KistConversion
import KistCore
import KistFormat
import TestSupport
import Testing

@Suite struct ContainerEditTests {
  private func edited(_ folder: TemporaryFolder, _ change: (ContainerEdit) throws -> Void) throws -> Checkpoint {
    let path = folder.file("a.kist")
    if !folder.contents.contains("a.kist") { try writeSample(path) }
    let edit = try ContainerEdit(path: path)
    try change(edit)
    _ = try edit.commit()
    #expect(try KistFile(path: path).verify(.full).problems == [])
    return try Checkpoint.open(path: path)
  }

  private func array(_ dtype: DType, _ shape: Shape, _ content: [UInt8], in folder: TemporaryFolder) throws -> NpyFile {
    // An array is read where it lies: each needs a file of its own.
    let path = folder.file("\(folder.contents.count).npy")
    try writeFile(try NpyFile.header(dtype: dtype, shape: shape) + content, path)
    return try NpyFile(path: path)
  }

  @Test func `a key keeps its type, and a new one takes what it is given`() throws {
    let folder = try TemporaryFolder()
    let first = try edited(folder) { edit in
      try edit.set("layers:u32=6")
      try edit.set("a:b=c=d")
      try edit.set("rate:f32=0.5")
      try edit.set("empty=")
    }
    #expect(first.metadata["layers"] == .integer("6", type: "u32") && first.metadata["a:b"] == .string("c=d"))
    #expect(first.metadata["rate"] == .float(0.5, type: "f32") && first.metadata["empty"] == .string(""))
    let second = try edited(folder) { edit in
      try edit.set("layers=12")
      try edit.unset("format")
    }
    #expect(second.metadata["layers"] == .integer("12", type: "u32") && second.metadata["format"] == nil)
  }

  @Test(arguments: ["novalue", "=x", "format:u8=256", "flag:bool=maybe"])
  func `what is no assignment, or no value of the type, is refused`(text: String) throws {
    let folder = try TemporaryFolder()
    try writeSample(folder.file("a.kist"))
    let before = try readFile(folder.file("a.kist"))
    let edit = try ContainerEdit(path: folder.file("a.kist"))
    // `format` is a string already, so format:u8 is a key of its own with a type.
    #expect(throws: KistError.self) { try edit.set(text) }
    #expect(try readFile(folder.file("a.kist")) == before)
  }

  @Test(arguments: ["../x", "/x", "a/../b", "a//b", ".", "", "a/", "config.json/x", "a\0b"])
  func `a name that would leave the folder, or needs a file as a folder, is refused`(name: String) throws {
    let folder = try TemporaryFolder()
    try writeSample(folder.file("a.kist"))
    let edit = try ContainerEdit(path: folder.file("a.kist"))
    #expect(throws: KistError.self) { try edit.putAsset(name, MemorySource([1])) }
  }

  @Test func `files and tensors come and go`() throws {
    let folder = try TemporaryFolder()
    let checkpoint = try edited(folder) { edit in
      try edit.putAsset("sub/new.txt", MemorySource([1, 2, 3]))
      try edit.remove("empty.txt")
      try edit.remove("noise")
    }
    #expect(checkpoint.assets.map(\.path).sorted() == ["config.json", "sub/new.txt"])
    #expect(!checkpoint.tensors.contains { $0.name == "noise" })
    #expect(throws: KistError.self) { try edited(folder) { try $0.remove("noise") } }
  }

  @Test func `a name of both a tensor and a file asks which`() throws {
    let folder = try TemporaryFolder()
    _ = try edited(folder) { try $0.putAsset("norm", MemorySource([1])) }
    let error = #expect(throws: KistError.self) { try edited(folder) { try $0.remove("norm") } }
    #expect(error?.advice?.contains("--kind") == true)
    let checkpoint = try edited(folder) { try $0.remove("norm", kind: .asset) }
    #expect(checkpoint.tensors.contains { $0.name == "norm" } && !checkpoint.assets.contains { $0.path == "norm" })
  }

  @Test func `the header of weights is not a file to change`() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("a.kist")
    _ = try Conversion.plan(source: "\(repository)/Fixtures/tiny-llama", target: path, options: ConversionOptions())
      .run(progress: NoProgress())
    let edit = try ContainerEdit(path: path)
    #expect(throws: KistError.self) { try edit.putAsset("model.safetensors", MemorySource([1])) }
    #expect(throws: KistError.self) { try edit.remove("model.safetensors") }
  }

  @Test func `a tensor keeps its dtype when that holds every value`() throws {
    let folder = try TemporaryFolder()
    let whole = try array(.f64, [2], bytes(of: [1.5, -0.0]), in: folder)
    let finer = try array(.f64, [2], bytes(of: [1.0 + 1e-12, 0]), in: folder)
    var stored: [DType] = []
    let first = try edited(folder) { stored.append(try $0.putTensor("embed", whole)) }
    #expect(stored == [.bf16] && first.tensors.first { $0.name == "embed" }?.shape == [2])
    let second = try edited(folder) { stored.append(try $0.putTensor("embed", finer)) }
    #expect(stored == [.bf16, .f64] && second.tensors.first { $0.name == "embed" }?.dtype == .f64)
    _ = try edited(folder) { stored.append(try $0.putTensor("new", whole)) }
    #expect(stored.last == .f64)
  }

  @Test(arguments: DType.all.filter { $0.numbers != .complex })
  func `values extracted as .npy go back as the same bytes`(dtype: DType) throws {
    let folder = try TemporaryFolder()
    let checkpoint = try Checkpoint.open(path: dtypesFixture)
    for tensor in checkpoint.tensors where tensor.dtype == dtype {
      let path = folder.file("x.npy")
      try TensorView(tensor.name, .whole, in: checkpoint).writeNpy(to: path, replacingExisting: true)
      let back = try #require(ExactCast.bytes(of: try NpyFile(path: path), as: dtype), "\(tensor.name)")
      var original: [UInt8] = []
      try unsafe tensor.source.withBytes(0..<tensor.byteCount) { unsafe original.append(contentsOf: $0) }
      // Which of several NaNs it was, a number of another dtype does not say.
      if back != original {
        #expect(try statistics(of: tensor).nanCount > 0 && back.count == original.count, "\(tensor.name)")
      }
    }
  }

  private func statistics(of tensor: CheckpointTensor) throws -> TensorStatistics {
    try #require(try TensorStatistics.of([tensor], parallelism: Parallelism(threads: 1))[0])
  }

  @Test func `a value that a dtype lacks is not forced into it`() throws {
    let folder = try TemporaryFolder()
    func fits(_ value: Double, _ dtype: DType) throws -> Bool {
      ExactCast.bytes(of: try array(.f64, [4], bytes(of: [value, value, value, value]), in: folder), as: dtype) != nil
    }
    #expect(try fits(448, .f8e4m3) && !fits(449, .f8e4m3) && !fits(.infinity, .f8e4m3) && fits(.nan, .f8e4m3))
    #expect(try !fits(-0.0, .f8e4m3fnuz) && fits(0, .f8e4m3fnuz) && !fits(.nan, .f4) && fits(-6, .f4))
    #expect(
      try fits(255, .u8) && !fits(256, .u8) && !fits(-1, .u8) && !fits(0.5, .u8) && !fits(-0.0, .i8) && fits(-128, .i8))
    #expect(try fits(1, .bool) && !fits(2, .bool) && fits(0.25, .f32) && !fits(0.1, .f32) && fits(1e300, .f64))
    #expect(try fits(9_007_199_254_740_992, .i64) && !fits(18_446_744_073_709_551_616, .u64))
  }
}
