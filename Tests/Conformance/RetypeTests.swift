import Foundation
import KistConversion
import KistCore
import TestSupport
import Testing

/// `kist convert --type`, and the verdict that it ends with.
@Suite struct RetypeTests {
  private let source = "\(repository)/Fixtures/tiny-llama"

  @Test(arguments: [("f32", DType.f32, "float32"), ("F16", .f16, "float16"), ("f8_e4m3", .f8e4m3, "float8_e4m3fn")])
  func `weights become what was asked for, and config.json says so`(
    _ name: String, _ dtype: DType, _ torch: String
  ) throws {
    let folder = try TemporaryFolder()
    let result = try kist("convert", source, "-o", folder.file("out"), "--type", name, "--json")
    #expect(result.status == 0, "\(result.errors)")
    let out = try Checkpoint.open(path: folder.file("out"))
    #expect(out.tensors.allSatisfy { $0.dtype == dtype })
    let config = String(decoding: try readFile(folder.file("out/config.json")), as: UTF8.self)
    #expect(config.contains("dtype\": \"\(torch)\""))
    let verdict = try #require(result.json()["verdict"] as? [String: Any])
    #expect(verdict["matches"] as? Bool == true)
    // All else is as it was, to the byte.
    let original = String(decoding: try readFile(source + "/config.json"), as: UTF8.self)
    #expect(config.replacing("\"\(torch)\"", with: "") == original.replacing(/"(float32|bfloat16|float16)"/, with: ""))
    #expect(try readFile(folder.file("out/tokenizer.json")) == readFile(source + "/tokenizer.json"))
  }

  @Test func `a type is kept as it is when nothing is asked, and no verdict is needed`() throws {
    let folder = try TemporaryFolder()
    let result = try kist("convert", source, "-o", folder.file("out"), "--json")
    #expect(try result.json()["verdict"] == nil)
    #expect(try tree(folder.file("out")) == tree(source))
  }

  @Test func `a container of another type records what the source computes, and stays within what its type explains`()
    throws
  {
    let folder = try TemporaryFolder()
    #expect(try kist("convert", source, "-o", folder.file("a.kist"), "--type", "f16").status == 0)
    #expect(try kist("verify", folder.file("a.kist")).status == 0)
    // From a container too, and back to a directory.
    #expect(try kist("convert", source, "-o", folder.file("b.kist")).status == 0)
    #expect(try kist("convert", folder.file("b.kist"), "-o", folder.file("c.kist"), "--type", "f16").status == 0)
    #expect(try kist("verify", folder.file("c.kist")).status == 0)
    #expect(try kist("convert", folder.file("c.kist"), "-o", folder.file("out")).status == 0)
    #expect(try Checkpoint.open(path: folder.file("out")).tensors.allSatisfy { $0.dtype == .f16 })
  }

  /// A weight beyond F16's range.
  private func overflowing(_ folder: TemporaryFolder) throws -> String {
    let path = folder.file("model")
    try FileManager.default.copyItem(atPath: source, toPath: path)
    _ = try kist("convert", path, "-o", folder.file("f32"), "--type", "f32", "--no-verify")
    var bytes = try readFile(folder.file("f32/model.safetensors"))
    let norm = try #require(
      try Checkpoint.open(path: folder.file("f32")).tensors.first { $0.name == "model.norm.weight" })
    var content: [UInt8] = []
    unsafe try norm.source.withBytes(0..<norm.byteCount) { unsafe content.append(contentsOf: $0) }
    let place = try #require(bytes.firstRange(of: content))
    bytes.replaceSubrange(place.lowerBound..<place.lowerBound + 4, with: littleEndianBytes([1e6]))
    try writeFile(bytes, folder.file("f32/model.safetensors"))
    return folder.file("f32")
  }

  @Test func `a result that computes something else is kept under another name, with status 1`() throws {
    let folder = try TemporaryFolder()
    let model = try overflowing(folder)
    let result = try kist("convert", model, "-o", folder.file("half"), "--type", "f16", "--json")
    #expect(result.status == 1)
    #expect(try result.json()["rejected"] as? String == folder.file("half.rejected"))
    #expect(folder.contents.sorted() == ["f32", "half.rejected", "model"])
    let file = try kist("convert", model, "-o", folder.file("half.safetensors"), "--type", "f16")
    #expect(file.status == 1 && file.output.contains("computes something else"))
    #expect(folder.contents.contains("half.safetensors.rejected"))
    #expect(try kist("convert", model, "-o", folder.file("half"), "--type", "f16", "--no-verify").status == 0)
  }

  @Test func `an existing target stays when the verdict fails`() throws {
    let folder = try TemporaryFolder()
    let model = try overflowing(folder)
    try writeFile([1, 2, 3], folder.file("half.safetensors"))
    let result = try kist(
      "convert", model, "-o", folder.file("half.safetensors"), "--type", "f16", "--force")
    #expect(result.status == 1)
    #expect(try readFile(folder.file("half.safetensors")) == [1, 2, 3])
  }

  @Test func `integers stay, and the plan says what becomes of each tensor`() throws {
    let folder = try TemporaryFolder()
    let plan = try kist(
      "convert", "\(repository)/Fixtures/dtypes.safetensors", "-o", folder.file("a.safetensors"), "--type", "f16",
      "--dry-run", "--json"
    ).json()
    let tensors = try #require(plan["tensors"] as? [[String: Any]])
    let changed = tensors.filter {
      ($0["from"] as? [[String: Any]])?.first?["dtype"] as? String != $0["dtype"] as? String
    }
    #expect(Set(changed.compactMap { $0["dtype"] as? String }) == ["F16"])
    #expect(
      tensors.contains { $0["dtype"] as? String == "I64" } && tensors.contains { $0["dtype"] as? String == "BOOL" })
    #expect((plan["notices"] as? [String])?.contains { $0.contains("of integers") } == true)
    #expect(folder.contents.isEmpty)
  }

  @Test(arguments: ["q4_k_m", "f12"])
  func `what is no type of numbers is refused`(_ name: String) throws {
    let folder = try TemporaryFolder()
    let result = try kist("convert", source, "-o", folder.file("out"), "--type", name)
    #expect(result.status == (name == "f12" ? 64 : 2))
    #expect(folder.contents.isEmpty)
  }
}
