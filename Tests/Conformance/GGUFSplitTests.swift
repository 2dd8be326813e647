import Foundation
import KistConversion
import KistCore
import KistFormat
import TestSupport
import Testing

/// GGUF models that are divided into files, against llama.cpp's gguf-split.
@Suite struct GGUFSplitTests {
  private let source = "\(repository)/Fixtures/world-llama"

  /// SHA-256 of world-llama as one GGUF in BF16, and of the files that `llama-gguf-split --split --split-max-size 1M` (0c1e57098) makes of it.
  private static let whole = "e92369c93582669c346ab8d65c43d13d39576e520a2c61f38d7fd46ccfae1ff0"
  private static let parts = [
    "32ccf2082838569cc272fa26199172d742c3c6bfc63f2393feba1981649d2f77",
    "5e10ab2395623eff9e0012562b7b6cbc03a412c88df2b912040b048e6e3c0e78",
    "070fb0d37f451def5056e530123ce6c5afd86804d5f042512f368a71fda730bb",
    "0b6bdb31ccb4727253990c5135f2918967ae18e64a69ec2c336af269a3d4677f",
    "76de0088c278448408b795a53943a18222ea647a93f4b1d301ba35c79c3c9b27",
  ]

  private func convert(
    _ source: String, _ target: String, shard: Int? = 1_000_000, verifies: Bool = false
  ) throws -> Conversion.Outcome {
    let options = ConversionOptions(shardByteCount: shard, verifies: verifies, probes: .none)
    return try Conversion.plan(source: source, target: target, options: options).run(progress: NoProgress())
  }

  private func digest(_ path: String) throws -> String { Digest(hashing: try readFile(path)).hexadecimal }

  private func names(_ count: Int) -> [String] { (1...count).map { "m-0000\($0)-of-0000\(count).gguf" } }

  @Test(arguments: ["directory", "gguf", "kist"])
  func `a model is divided into the files that llama.cpp makes`(_ kind: String) throws {
    let folder = try TemporaryFolder()
    _ = try convert(source, folder.file("whole.gguf"), shard: nil)
    #expect(try digest(folder.file("whole.gguf")) == Self.whole)
    _ = try convert(folder.file("whole.gguf"), folder.file("whole.kist"), shard: nil)
    let sources = ["directory": source, "gguf": folder.file("whole.gguf"), "kist": folder.file("whole.kist")]
    let outcome = try convert(try #require(sources[kind]), folder.file("m.gguf"))
    #expect(outcome.files == names(5).map { folder.file($0) })
    #expect(try outcome.files.map(digest) == Self.parts)

    // And back, from any of them.
    _ = try convert(folder.file(names(5)[2]), folder.file("again.gguf"), shard: nil)
    #expect(try digest(folder.file("again.gguf")) == Self.whole)
    _ = try convert(folder.file(names(5)[0]), folder.file("other.gguf"), shard: 2_000_000)
    #expect(folder.contents.filter { $0.hasPrefix("other-") }.count == 3)
  }

  @Test func `a divided model is compared with its source, and gets its names when it passes`() throws {
    let folder = try TemporaryFolder()
    let outcome = try convert(source, folder.file("m.gguf"), verifies: true)
    #expect(outcome.verdict?.matches == true)
    #expect(folder.contents.sorted() == names(5))
    #expect(try outcome.files.map(digest) == Self.parts)
  }

  @Test func `what fits into one file is one, without a number`() throws {
    let folder = try TemporaryFolder()
    let outcome = try convert(source, folder.file("m.gguf"), shard: 1 << 30)
    #expect(outcome.files.isEmpty && folder.contents == ["m.gguf"])
    #expect(try digest(folder.file("m.gguf")) == Self.whole)
  }

  @Test func `a tensor that is larger gets a file of its own`() throws {
    let folder = try TemporaryFolder()
    let outcome = try convert(source, folder.file("m.gguf"), shard: 1)
    #expect(outcome.files.count == (try Checkpoint.open(path: source).tensors.count))
    #expect(try Checkpoint.open(path: outcome.files[3]).tensors.count == outcome.files.count)
  }

  @Test func `a target that names a part, or is there, is refused`() throws {
    let folder = try TemporaryFolder()
    #expect(throws: KistError.self) { try convert(source, folder.file("m-00001-of-00002.gguf")) }
    try writeFile([1], folder.file("m-00002-of-00005.gguf"))
    let error = #expect(throws: KistError.self) { try convert(source, folder.file("m.gguf")) }
    #expect(error?.kind == .conflict)
    #expect(folder.contents == ["m-00002-of-00005.gguf"])
  }

  @Test func `a quantized model is divided too`() throws {
    let folder = try TemporaryFolder()
    func quantize(_ target: String, shard: Int?) throws -> Quantization.Outcome {
      let options = QuantizationOptions(
        .scheme(try #require(.init(name: "Q8_0"))), conversion: ConversionOptions(shardByteCount: shard, probes: .none))
      return try Quantization.plan(source: source, target: target, options: options).run(progress: NoProgress())
    }
    _ = try quantize(folder.file("whole.gguf"), shard: nil)
    let outcome = try quantize(folder.file("m.gguf"), shard: 1_000_000)
    #expect(outcome.files == names(3).map { folder.file($0) } && outcome.verdict?.matches == true)
    _ = try convert(outcome.files[0], folder.file("again.gguf"), shard: nil)
    #expect(try readFile(folder.file("again.gguf")) == readFile(folder.file("whole.gguf")))
    #expect(throws: KistError.self) { try quantize(folder.file("m.kist"), shard: 1_000_000) }
  }
}
