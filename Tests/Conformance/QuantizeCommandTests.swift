import Foundation
import KistConversion
import KistFormat
import TestSupport
import Testing

/// `kist quantize` and `kist imatrix`, against what llama-quantize and llama-imatrix made (Fixtures/make/llama_quantized.py).
@Suite struct QuantizeCommandTests {
  private static let golden = repository + "/Fixtures/quantization/llama"
  private static let world = repository + "/Fixtures/world-llama"
  private static let importances = golden + "/world-llama.imatrix.gguf"

  /// A folder with the small model and its importance matrix, whose name goes into the result.
  private func folder() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    for name in ["rows.gguf", "im.gguf"] {
      try FileManager.default.copyItem(atPath: "\(Self.golden)/\(name)", toPath: "\(folder.path)/\(name)")
    }
    return folder
  }

  private static let digests: [String: [String: String?]] =
    (try? JSONDecoder().decode(
      [String: [String: String?]].self, from: Data(contentsOf: URL(fileURLWithPath: golden + "/golden.json")))) ?? [:]

  private static let options: [String: [String]] = [
    "plain": [], "imatrix": ["--imatrix", "im.gguf"], "pure": ["--pure"],
    "named": ["--tensor-type", "attn_v=q6_k", "--tensor-type", "ffn_up=iq4_xs"],
    "ends": ["--output-tensor-type", "q8_0", "--token-embedding-type", "q5_1"],
  ]

  private func digest(_ path: String) throws -> String {
    try Data(contentsOf: URL(fileURLWithPath: path)).withUnsafeBytes { unsafe Digest(hashing: $0).hexadecimal }
  }

  @Test(arguments: ["plain", "imatrix", "pure", "named", "ends"])
  func `whole files are those of llama-quantize`(kind: String) throws {
    let folder = try folder()
    let digests = try #require(Self.digests[kind])
    #expect(digests.count > 1)
    for (mixture, expected) in digests {
      guard let expected else { continue }
      let target = "\(kind)-\(mixture).gguf"
      let run = try KistProcess.run(
        ["quantize", "rows.gguf", "-o", target, "--type", mixture, "--no-verify", "--quiet"]
          + (Self.options[kind] ?? []), in: folder)
      #expect(run.status == 0, "\(run.errors)")
      #expect(try digest("\(folder.path)/\(target)") == expected, "\(kind) \(mixture)")
    }
  }

  @Test func `a GGUF is the same by way of a container`() throws {
    let folder = try folder()
    let expected = try #require(Self.digests["plain"]?["Q4_K_M"] ?? nil)
    #expect(try kist("convert", "rows.gguf", "-o", "rows.kist", "--no-probes", in: folder).status == 0)
    #expect(
      try kist("quantize", "rows.kist", "-o", "a.gguf", "--type", "q4_k_m", "--no-verify", in: folder).status == 0)
    #expect(try digest(folder.path + "/a.gguf") == expected)
    #expect(
      try kist("quantize", "rows.gguf", "-o", "b.kist", "--type", "Q4_K_M", "--no-verify", in: folder).status == 0)
    #expect(try kist("convert", "b.kist", "-o", "b.gguf", in: folder).status == 0)
    #expect(try digest(folder.path + "/b.gguf") == expected)
  }

  @Test func `a Hugging Face directory becomes a container that knows what its source computed`() throws {
    let folder = try TemporaryFolder()
    let target = folder.path + "/w.kist"
    let run = try kist("quantize", Self.world, "-o", target, "--type", "Q4_K_M", "--json")
    #expect(run.status == 0, "\(run.errors)")
    let report = try run.json()
    let tensors = try #require(report["tensors"] as? [[String: Any]])
    func type(_ name: String) -> String? { tensors.first { $0["name"] as? String == name }?["type"] as? String }
    // As llama-quantize has them for the GGUF of the same model.
    #expect(type("model.embed_tokens.weight") == "Q6_K")
    #expect(type("model.layers.0.self_attn.v_proj.weight") == "Q4_K")
    #expect(type("model.layers.2.self_attn.v_proj.weight") == "Q6_K")
    #expect(type("model.layers.2.mlp.down_proj.weight") == "Q6_K")
    #expect(type("model.norm.weight") == "BF16")
    let verdict = try #require(report["verdict"] as? [String: Any])
    #expect(verdict["matches"] as? Bool == true)
    #expect(try kist("verify", target, "--json").json()["level"] as? String == "probes")
    #expect(try kist("inspect", target, "--metadata").output.contains("Q4_K_M"))
    #expect(try kist("predict", target, "The horse", "-n", "3").status == 0)
  }

  @Test func `types are ordered by damage`() throws {
    let folder = try TemporaryFolder()
    let text = Self.world + "/held-out.txt"
    var divergences: [Double] = []
    for type in ["Q8_0", "Q6_K", "Q5_K_S", "Q4_K_S", "Q3_K_S", "Q2_K_S"] {
      let run = try kist(
        "quantize", Self.world, "-o", "\(folder.path)/\(type).kist", "--type", type, "--pure", "--text", text,
        "--no-probes", "--json")
      let verdict = try #require(try run.json()["verdict"] as? [String: Any])
      divergences.append(try #require((verdict["kl"] as? [String: Any])?["mean"] as? Double))
    }
    #expect(divergences == divergences.sorted(), "\(divergences)")
  }

  @Test func `types are chosen for a size, and the smallest is said when it is too small`() throws {
    let folder = try TemporaryFolder()
    let target = folder.path + "/w.kist"
    let run = try kist("quantize", Self.world, "-o", target, "--target-size", "1500kB", "--json")
    #expect(run.status == 0, "\(run.errors)")
    let report = try run.json()
    #expect((report["predicted"] as? [String: Any])?["kl"] is Double)
    let again = try kist("quantize", Self.world, "-o", folder.path + "/x.kist", "--target-size", "1500kB", "--json")
    #expect(try again.json()["types"] as? [[String: AnyHashable]] == report["types"] as? [[String: AnyHashable]])
    let small = try kist("quantize", Self.world, "-o", folder.path + "/y.kist", "--target-size", "1kB")
    #expect(small.status == 2)
    #expect(small.errors.contains("the smallest is"))
  }

  /// As packed, with all that is beside the tensors.
  @Test(
    arguments: [1_200_000, 1_700_000, 2_400_000],
    [
      ["w.kist"], ["w.kist", "--no-probes"], ["w.kist", "--imatrix", importances], ["w.kist", "--pack", "none"],
      ["w.gguf"],
    ])
  func `a file is nearly as long as it was asked to be, and not longer`(limit: Int, target: [String]) throws {
    let folder = try TemporaryFolder()
    let run = try KistProcess.run(
      ["quantize", Self.world, "--target-size", "\(limit)", "--json", "--no-verify", "-o"] + target, in: folder)
    #expect(run.status == 0, "\(run.errors)")
    let length = try readFile("\(folder.path)/\(target[0])").count
    let report = try run.json()
    #expect(report["bytes"] as? Int == length)
    let predicted = try #require((report["predicted"] as? [String: Any])?["bytes"] as? Int)
    #expect(length <= predicted && predicted <= limit)
    #expect(Double(length) >= 0.98 * Double(limit), "\(length) of \(limit)")
  }

  @Test(arguments: [0.3, 0.02, 0.001, 0.0001], [[], ["--text", world + "/held-out.txt"]])
  func `types are chosen for a divergence, which what is written stays below`(limit: Double, text: [String]) throws {
    let folder = try TemporaryFolder()
    let run = try KistProcess.run(
      ["quantize", Self.world, "-o", "w.kist", "--max-kl", "\(limit)", "--no-probes", "--json"] + text, in: folder)
    #expect(run.status == 0, "\(run.errors)")
    let report = try run.json()
    let verdict = try #require(report["verdict"] as? [String: Any])
    let reached = try #require((verdict["kl"] as? [String: Any])?["mean"] as? Double)
    #expect(reached <= limit)
    #expect(reached > 0.4 * limit, "room was left: \(reached)")
    #expect(try #require(report["bits_per_weight"] as? Double) < 12)
    // What was said is so.
    let against = try KistProcess.run(
      ["verify", "w.kist", "--against", Self.world, "--max-kl", "\(limit)"] + text, in: folder)
    #expect(against.status == 0, "\(against.output)")
  }

  @Test func `a verdict that fails keeps the file apart`() throws {
    let folder = try TemporaryFolder()
    let target = folder.path + "/w.kist"
    let run = try kist("quantize", Self.world, "-o", target, "--type", "Q2_K", "--max-kl", "0.0001")
    #expect(run.status == 1)
    #expect(!FileManager.default.fileExists(atPath: target))
    #expect(FileManager.default.fileExists(atPath: target + ".rejected"))
  }

  @Test func `what can't be quantized is refused by name, and nothing is written`() throws {
    let folder = try folder()
    func refusal(_ arguments: String...) throws -> String {
      let run = try KistProcess.run(["quantize"] + arguments + ["-o", "t.gguf"], in: folder)
      #expect(run.status == 2)
      let left = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.contains("t.gguf") }
      #expect(left.isEmpty)
      return run.errors
    }
    #expect(try refusal("rows.gguf", "--type", "IQ2_XXS").contains("importance matrix"))
    #expect(try refusal("rows.gguf", "--type", "Q4_0", "--tensor-type", "nothing=q8_0").contains("'nothing'"))
    #expect(try refusal("rows.gguf", "--type", "Q4_0", "--tensor-type", "attn=q9").contains("q9"))
    let other = Self.golden + "/world-llama.imatrix.gguf"
    #expect(try refusal("rows.gguf", "--type", "Q4_0", "--imatrix", other).contains("of another model"))
    #expect(try refusal("rows.gguf", "--type", "Q4_0", "--imatrix", "rows.gguf").contains("no importance matrix"))

    #expect(
      try kist("quantize", "rows.gguf", "-o", "q8.gguf", "--type", "Q8_0", "--no-verify", in: folder).status == 0)
    #expect(try refusal("q8.gguf", "--type", "Q4_0").contains("--allow-requantize"))
    let again = try kist(
      "quantize", "q8.gguf", "-o", "q4.gguf", "--type", "Q4_0", "--allow-requantize", "--no-verify", in: folder)
    #expect(again.status == 0)
  }

  @Test func `a NaN is named`() throws {
    let folder = try TemporaryFolder()
    let (packed, array) = (folder.path + "/m.kist", folder.path + "/n.npy")
    let name = "model.layers.1.mlp.up_proj.weight"
    #expect(try kist("convert", Self.world, "-o", packed, "--no-probes").status == 0)
    #expect(try kist("show", packed, name, "-o", array).status == 0)
    var bytes = try Data(contentsOf: URL(fileURLWithPath: array))
    bytes.replaceSubrange(bytes.count - 8..<bytes.count - 4, with: [0, 0, 0xC0, 0x7F])
    try bytes.write(to: URL(fileURLWithPath: array))
    #expect(try kist("edit", packed, "put-tensor", name, array).status == 0)
    let run = try kist("quantize", packed, "-o", folder.path + "/q.kist", "--type", "Q4_K_M")
    #expect(run.status == 2)
    #expect(run.errors.contains("'\(name)': has a NaN at [511, 254]"), "\(run.errors)")
    #expect(!FileManager.default.fileExists(atPath: folder.path + "/q.kist"))
    let allowed = try kist(
      "quantize", packed, "-o", folder.path + "/q.kist", "--type", "Q4_K_M", "--allow-nonfinite", "--no-verify",
      "--no-probes")
    #expect(allowed.status == 0, "\(allowed.errors)")
  }

  @Test func `a dry run says the types and writes nothing`() throws {
    let folder = try folder()
    let run = try kist("quantize", "rows.gguf", "-o", "t.gguf", "--type", "Q4_K_M", "--dry-run", in: folder)
    #expect(run.status == 0)
    #expect(run.output.contains("rows of 96 are no Q4_K blocks"))
    #expect(!FileManager.default.fileExists(atPath: folder.path + "/t.gguf"))
  }

  @Test func `what a GGUF lost is found against its source's directory`() throws {
    let folder = try TemporaryFolder()
    let target = folder.path + "/w.kist"
    #expect(try kist("quantize", Self.world, "-o", target, "--type", "Q8_0", "--no-verify").status == 0)
    let run = try kist("inspect", target, "--stats", "--against", Self.world, "--json")
    let tensors = try #require(try run.json()["tensors"] as? [[String: Any]])
    let row = try #require(tensors.first { $0["name"] as? String == "model.layers.0.mlp.up_proj.weight" })
    let nmse = try #require((row["comparison"] as? [String: Any])?["nmse"] as? Double)
    #expect(nmse > 1e-6 && nmse < 1e-4)
  }

  // MARK: - Importance matrices

  @Test func `importances are llama-imatrix's`() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/im.gguf"
    let run = try kist(
      "imatrix", Self.world, "--text", Self.world + "/held-out.txt", "--chunk-size", "256", "-o", path, "--json")
    #expect(run.status == 0, "\(run.errors)")
    let own = try ImportanceMatrix(path: path)
    let golden = try ImportanceMatrix(path: Self.golden + "/world-llama.imatrix.gguf")
    #expect(own.names == golden.names)
    #expect(own.chunkCount == golden.chunkCount)
    #expect(own.chunkSize == golden.chunkSize)
    for name in golden.names {
      let (a, b) = (try #require(own[name]), try #require(golden[name]))
      #expect(a.counts == b.counts)
      #expect(a.sums.count == b.sums.count)
      let largest = try #require(b.sums.max())
      let worst = zip(a.sums, b.sums).map { abs($0 - $1) / max($1, 1e-3 * largest) }.max() ?? 0
      #expect(worst < 1e-3, "\(name)")
    }
  }

  @Test func `importance matrices are written as they are read, in both forms`() throws {
    let folder = try TemporaryFolder()
    let golden = Self.golden + "/world-llama.imatrix.gguf"
    #expect(try kist("imatrix", golden, "-o", folder.path + "/a.gguf").status == 0)
    #expect(try digest(folder.path + "/a.gguf") == digest(golden))
    #expect(try kist("imatrix", golden, "-o", folder.path + "/a.dat").status == 0)
    let (legacy, own) = (try ImportanceMatrix(path: folder.path + "/a.dat"), try ImportanceMatrix(path: golden))
    for name in own.names {
      let (a, b) = (try #require(legacy[name]?.weights), try #require(own[name]?.weights))
      #expect(zip(a, b).allSatisfy { abs($0 - $1) <= 1e-6 * $1 })
    }
  }

  @Test func `what is no importance matrix is told`() throws {
    let folder = try TemporaryFolder()
    try Data("not a matrix".utf8).write(to: URL(fileURLWithPath: folder.path + "/x.dat"))
    let run = try kist("imatrix", folder.path + "/x.dat", "-o", folder.path + "/y.gguf")
    #expect(run.status == 2)
    #expect(run.errors.contains("no importance matrix"))
  }
}
