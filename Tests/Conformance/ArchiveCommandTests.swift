import Foundation
import KistCheckpoints
import KistConversion
import KistCore
import TestSupport
import Testing

/// PyTorch and NumPy files through the command.
@Suite struct ArchiveCommandTests {
  private static let fixtures = "\(repository)/Fixtures"

  /// Differences of tensors between two checkpoints.
  private func tensorDifferences(_ a: String, _ b: String) throws -> Int {
    let diff = try CheckpointDiff(
      try Checkpoint.open(path: a), try Checkpoint.open(path: b), parallelism: Parallelism(), progress: NoProgress())
    return diff.tensors.count + diff.tensorsOnlyInA.count + diff.tensorsOnlyInB.count
  }

  @Test(arguments: [
    "pytorch/dtypes.pt", "pytorch/strides.pt", "pytorch/training.pt", "pytorch/big-endian.pt", "npz/stored.npz",
    "npz/deflated.npz",
  ])
  func `tensors come through exactly, to safetensors and to a container`(source: String) throws {
    let folder = try TemporaryFolder()
    let path = "\(Self.fixtures)/\(source)"
    let golden = String(path.prefix { $0 != "." }) + ".safetensors"
    for (from, to) in [(path, "a.safetensors"), (path, "a.kist"), (folder.file("a.kist"), "b.safetensors")] {
      let result = try kist("convert", from, "-o", to, in: folder)
      #expect(result.status == 0, "\(result.errors)")
      #expect(try tensorDifferences(folder.file(to), golden) == 0)
    }
    #expect(try kist("verify", "a.kist", in: folder).status == 0)
    #expect(try readFile(folder.file("a.safetensors")) == readFile(folder.file("b.safetensors")))
  }

  @Test func `what is beside the tensors becomes metadata, and the rest is said`() throws {
    let folder = try TemporaryFolder()
    let path = "\(Self.fixtures)/pytorch/training.pt"
    let result = try kist("convert", path, "-o", "a.safetensors", in: folder)
    #expect(result.errors.contains("left out raw: bytes"))
    let summary = try kist("inspect", "a.safetensors", "--json", in: folder).json()
    let metadata = try #require(summary["metadata"] as? [[String: String]])
    #expect(metadata.contains(["key": "epoch", "type": "string", "value": "3"]))
    #expect(metadata.contains(["key": "format", "type": "string", "value": "pt"]))
    let shown = try kist("inspect", path)
    #expect(shown.output.contains("PyTorch checkpoint") && shown.output.contains("LEFT OUT"))
  }

  @Test func `a folder with PyTorch shards becomes what its safetensors twin becomes`() throws {
    let folder = try TemporaryFolder()
    #expect(try kist("convert", "\(Self.fixtures)/tiny-llama-bin", "-o", "a.kist", in: folder).status == 0)
    #expect(try tensorDifferences(folder.file("a.kist"), "\(Self.fixtures)/tiny-llama-sharded") == 0)
    #expect(try kist("convert", "a.kist", "-o", "out", in: folder).status == 0)
    #expect(try Set(tree(folder.file("out")).keys) == ["config.json", "generation_config.json", "model.safetensors"])
    #expect(try kist("inspect", "a.kist", in: folder).output.contains("LlamaForCausalLM"))
  }

  @Test func `a single array is a tensor, and values are shown`() throws {
    let folder = try TemporaryFolder()
    let array = "\(Self.fixtures)/npy/f32-fortran.npy"
    #expect(try kist("convert", array, "-o", "a.kist", in: folder).status == 0)
    let twin = "\(Self.fixtures)/npy/f32.npy"
    #expect(try tensorDifferences(folder.file("a.kist"), twin) == 0)
    let shown = try kist("show", "\(Self.fixtures)/pytorch/strides.pt", "transposed", "[0]")
    #expect(shown.output.hasPrefix("transposed F32 [4]"))
  }

  @Test(arguments: ["pytorch/module.pt", "npz/deflated.npz"])
  func `content that was changed is damaged, and a quick check is of the structure`(source: String) throws {
    let folder = try TemporaryFolder()
    let path = "\(Self.fixtures)/\(source)"
    #expect(try kist("verify", path, "--json").json()["level"] as? String == "crc32")
    #expect(try kist("verify", path, "--level", "quick", "--json").json()["level"] as? String == "structure")
    var bytes = try readFile(path)
    let entries = try ZipArchive(try MappedFile(path: path)).entries.filter { !$0.name.hasSuffix(".pkl") }
    let largest = entries.max { $0.range.count < $1.range.count }
    let range = try #require(largest).range
    bytes[range.upperBound - 3] ^= 1
    try writeFile(bytes, folder.file("a"))
    let result = try kist("verify", "a", in: folder)
    #expect(result.status == 1 && result.output.contains("zip entry"), "\(result.output)\(result.errors)")
  }

  @Test func `a bare pickle is refused, saying what to do`() throws {
    let folder = try TemporaryFolder()
    try writeFile([0x80, 0x02, 0x8A, 0x0A] + [UInt8](repeating: 0, count: 100), folder.file("old.bin"))
    let result = try kist("inspect", "old.bin", in: folder)
    #expect(result.status == 2 && result.errors.contains("bare pickle") && result.errors.contains("torch.save"))
  }

  @Test func `a program in a pickle is named and not run`() throws {
    let result = try kist("inspect", "\(Self.fixtures)/hostile/pickle/calls-posix.system.pt")
    #expect(result.status == 2 && result.errors.contains("'posix.system'") && result.errors.contains("nothing was run"))
  }
}
