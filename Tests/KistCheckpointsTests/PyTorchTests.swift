import KistCheckpoints
import KistCore
import TestSupport
import Testing

/// Fixtures/pytorch holds checkpoints that torch saved, and beside each what torch loads of it, written by the safetensors library; see
/// Fixtures/make/pytorch.py.
@Suite struct PyTorchTests {
  private static let folder = repository + "/Fixtures/pytorch/"

  private func open(_ name: String) throws -> PyTorchFile { try PyTorchFile(path: Self.folder + name + ".pt") }

  @Test(arguments: fixtures("pytorch", ".pt"))
  func `a checkpoint holds what torch loads of it`(name: String) throws {
    let file = try open(name)
    let expected = try PlainTensor.all(ofSafetensors: Self.folder + name + ".safetensors")
    var found: [[UInt8]: PlainTensor] = [:]
    for tensor in file.tensors {
      found[Array(tensor.name.utf8)] = try PlainTensor(
        dtype: tensor.dtype, shape: tensor.shape, source: tensor.source)
    }
    #expect(Set(found.keys) == Set(expected.keys))
    for (name, tensor) in expected { #expect(found[name] == tensor, "\(String(decoding: name, as: UTF8.self))") }
  }

  @Test func `the fixtures have every dtype that torch has in safetensors`() throws {
    // All that safetensors has but the two of FP6.
    #expect(Set(try open("dtypes").tensors.map(\.dtype)).count == 20)
    #expect(fixtures("pytorch", ".pt").count >= 15)
  }

  @Test func `what is no tensor is given as simple values, and the rest is named`() throws {
    let file = try open("training")
    let values = Dictionary(uniqueKeysWithValues: file.values.map { ($0.name, $0.value) })
    #expect(values["epoch"] == .int(3) && values["lr"] == .float(0.001) && values["done"] == .bool(false))
    #expect(values["note"] == .text("späť") && values["dtype"] == .text("torch.bfloat16"))
    #expect(
      values["device"] == .text("cpu") && values["shape"] == .text("[2,3]") && values["names"] == .text(#"["a"]"#))
    #expect(values["negative"] == .text("[-1,-129,-32769,-2147483649,2147483648,4611686018427387904]"))
    #expect(values["optimizer.param_groups.0.betas"] == .text("[0.9,0.999]"))
    #expect(values["pair.1"] == .text("text") && values["nothing"] == nil)
    let others = Dictionary(uniqueKeysWithValues: file.others.map { ($0.name, $0.what) })
    #expect(others["raw"] == "bytes" && others["large"]?.contains("64 bits") == true)
    #expect(others["best"]?.contains("inf") == true)
  }

  @Test func `a wrapper's name is no part of the tensors' names`() throws {
    #expect(try open("wrapped").tensors.map(\.name) == ["a", "b"])
    #expect(try open("wrapped").values.map(\.name) == ["epoch"])
  }

  @Test func `tensors that lie as they are read are not copied, and shared storages are one`() throws {
    let file = try open("shared")
    var starts: [String: UnsafeRawPointer] = [:]
    for tensor in file.tensors {
      try unsafe tensor.source.withBytes(0..<tensor.source.byteCount) { unsafe starts[tensor.name] = $0.baseAddress }
    }
    let all = try unsafe #require(starts["all"])
    #expect(unsafe starts["again"] == all)
    #expect(unsafe starts["row"] == all + 24)
    #expect(unsafe starts["rows"] == all + 48)
  }

  @Test func `a file that is cut short is refused, wherever`() throws {
    let folder = try TemporaryFolder()
    let bytes = try readFile(Self.folder + "parameters.pt")
    for length in 0..<bytes.count {
      try writeFile(Array(bytes[..<length]), folder.file("a.pt"))
      #expect {
        try PyTorchFile(path: folder.file("a.pt"))
      } throws: {
        ($0 as? KistError)?.file == folder.file("a.pt") && ($0 as? KistError)?.kind == .damaged
      }
    }
  }
}
