import Foundation
import TestSupport
import Testing

/// `kist quantize --part`, and what several machines agree on before.
@Suite struct QuantizePartTests {
  private static let world = repository + "/Fixtures/world-llama"
  private static let golden = repository + "/Fixtures/quantization/llama"
  private static let imatrix = golden + "/world-llama.imatrix.gguf"

  private func quantize(_ target: String, _ options: [String], _ source: String = world) throws -> KistProcess {
    try KistProcess.run(["quantize", source, "-o", target, "--quiet"] + options)
  }

  /// Paths of all parts, made.
  private func makeParts(
    _ folder: TemporaryFolder, _ options: [String], named name: String = "big", of source: String = world
  ) throws -> [String] {
    try (1...3).map { number in
      let run = try quantize(folder.file("\(name).kist"), options + ["--part", "\(number)/3"], source)
      #expect(run.status == 0, "\(run.errors)")
      return folder.file("\(name)-part-0000\(number)-of-00003.kist")
    }
  }

  private func join(_ parts: [String], _ target: String, _ options: String...) throws -> KistProcess {
    try KistProcess.run(["join"] + parts + ["-o", target] + options)
  }

  private static let choices: [[String]] = [
    ["--type", "Q4_K_M"],
    ["--type", "IQ2_XS", "--imatrix", imatrix, "--tensor-type", "attn_v=q6_k", "--output-tensor-type", "q8_0"],
    ["--type", "Q5_K_S", "--pure", "--token-embedding-type", "q4_0", "--pack", "none"],
  ]

  @Test(arguments: choices) func `joined parts are the file that one run writes`(options: [String]) throws {
    let folder = try TemporaryFolder()
    let one = try quantize(folder.file("one.kist"), options + ["--no-probes", "--no-verify"])
    #expect(one.status == 0, "\(one.errors)")
    let parts = try makeParts(folder, options)
    for part in parts { #expect(try kist("verify", part).status == 0) }
    #expect(try join(parts.reversed(), folder.file("joined.kist")).status == 0)
    #expect(try readFile(folder.file("joined.kist")) == readFile(folder.file("one.kist")))
  }

  @Test func `parts of a GGUF are one run too`() throws {
    let folder = try TemporaryFolder()
    let (source, options) = (Self.golden + "/rows.gguf", ["--type", "Q3_K_M", "--imatrix", Self.golden + "/im.gguf"])
    #expect(try quantize(folder.file("one.kist"), options + ["--no-probes", "--no-verify"], source).status == 0)
    let parts = try makeParts(folder, options, of: source)
    #expect(try join(parts, folder.file("joined.kist")).status == 0)
    #expect(try readFile(folder.file("joined.kist")) == readFile(folder.file("one.kist")))
  }

  @Test func `the joined file says what its source computes, as that of one run does`() throws {
    let folder = try TemporaryFolder()
    let parts = try makeParts(folder, ["--type", "Q4_K_M"])
    #expect(try quantize(folder.file("one.kist"), ["--type", "Q4_K_M", "--no-verify"]).status == 0)
    #expect(try join(parts, folder.file("joined.kist"), "--probes-of", Self.world).status == 0)
    #expect(try readFile(folder.file("joined.kist")) == readFile(folder.file("one.kist")))

    let own = try join(parts, folder.file("own.kist"), "--probes")
    #expect(own.status == 2)
    #expect(own.errors.contains("--probes-of"), "\(own.errors)")
    let other = try join(parts, folder.file("own.kist"), "--probes-of", repository + "/Fixtures/tiny-llama")
    #expect(other.status == 2)
    #expect(other.errors.contains("is not what"), "\(other.errors)")
    #expect(!folder.contents.contains("own.kist"))
  }

  @Test(arguments: [["--target-size", "1500kB"], ["--max-kl", "0.01"]])
  func `parts take the types that were chosen once for the whole`(goal: [String]) throws {
    let folder = try TemporaryFolder()
    // Without --no-probes a size would leave room for them.
    let options = goal + ["--imatrix", Self.imatrix, "--no-probes"]
    let one = try quantize(folder.file("one.kist"), options + ["--no-verify"])
    #expect(one.status == 0, "\(one.errors)")
    let plan = try quantize(folder.file("big.kist"), options + ["--dry-run", "--json"])
    try Data(plan.output.utf8).write(to: URL(fileURLWithPath: folder.file("types.json")))
    let parts = try makeParts(folder, ["--types", folder.file("types.json"), "--imatrix", Self.imatrix])
    #expect(try join(parts, folder.file("joined.kist")).status == 0)
    #expect(try readFile(folder.file("joined.kist")) == readFile(folder.file("one.kist")))

    let part = try quantize(folder.file("x.kist"), options + ["--part", "1/3"])
    #expect([2, 64].contains(part.status))
    #expect(part.errors.contains(goal[0] == "--max-kl" ? "not judged" : "--types"), "\(part.errors)")
  }

  @Test func `types of another model are refused by name`() throws {
    let folder = try TemporaryFolder()
    func write(_ text: String) throws { try Data(text.utf8).write(to: URL(fileURLWithPath: folder.file("t.json"))) }
    func refusal() throws -> String {
      let run = try quantize(folder.file("x.kist"), ["--types", folder.file("t.json")])
      #expect(run.status == 2)
      return run.errors
    }
    let plan = try quantize(folder.file("x.kist"), ["--type", "Q4_K_M", "--dry-run", "--json"]).output
    try write(plan.replacing("model.layers.1.mlp.up_proj", with: "model.layers.9.mlp.up_proj"))
    #expect(try refusal().contains("'model.layers.1.mlp.up_proj.weight': is in"))
    try write(plan.replacing("\"tensors\" : [", with: "\"tensors\" : [{\"name\":\"x\",\"type\":\"Q8_0\"},"))
    #expect(try refusal().contains("'x': is not in"))
    try write(plan.replacing("\"Q6_K\"", with: "\"Q9\""))
    #expect(try refusal().contains("'Q9'"))
    try write(plan.replacing("\"BF16\"", with: "\"Q4_0\""))
    #expect(try refusal().contains("which it can't be"))
    for text in ["{}", "not JSON", "[1]"] {
      try write(text)
      #expect(try refusal().contains("is no report of types"))
    }
  }

  @Test func `parts with other types, importances or sources do not go together`() throws {
    let folder = try TemporaryFolder()
    let copy = folder.file("copy.gguf")
    try FileManager.default.copyItem(atPath: Self.imatrix, toPath: copy)
    let usual = ["--type", "Q4_K_M", "--imatrix", copy]
    let good = try makeParts(folder, usual)
    let cases: [(options: [String], words: String)] = [
      (["--type", "Q4_K_S", "--imatrix", copy], "quantize is 'Q4_K_S', the other's 'Q4_K_M'"),
      (usual + ["--tensor-type", "attn_v=q8_0"], "tensor-type is 'attn_v=Q8_0', the other's not given"),
      (["--type", "Q4_K_M", "--imatrix", Self.imatrix], "imatrix is '\(Self.imatrix)'"),
      (["--type", "Q4_K_M"], "imatrix is not given"),
    ]
    for (index, (options, words)) in cases.enumerated() {
      let other = try makeParts(folder, options, named: "other\(index)")
      let run = try join([good[0], good[1], other[2]], folder.file("joined.kist"))
      #expect(run.status == 2)
      #expect(run.errors.contains(words), "\(run.errors)")
    }
    #expect(try kist("imatrix", Self.world, "--text", Self.world + "/held-out.txt", "-o", copy, "--force").status == 0)
    let other = try makeParts(folder, usual, named: "other")
    let run = try join([good[0], good[1], other[2]], folder.file("joined.kist"))
    #expect(run.errors.contains("imatrix-sha256"), "\(run.errors)")
    let plain = try (1...3).map { number in
      let run = try kist("convert", Self.world, "-o", folder.file("p.kist"), "--part", "\(number)/3")
      #expect(run.status == 0)
      return folder.file("p-part-0000\(number)-of-00003.kist")
    }
    #expect(
      try join([good[0], good[1], plain[2]], folder.file("joined.kist")).errors.contains("quantize is not given"))
  }

  @Test func `a part that can't be is refused`() throws {
    let folder = try TemporaryFolder()
    let gguf = try quantize(folder.file("x.gguf"), ["--type", "Q4_K_M", "--part", "1/3"])
    #expect(gguf.status == 2)
    #expect(gguf.errors.contains("writes .kist files"))
    for options in [["--text", "x"], ["--max-kl", "1"], ["--golden", "x"]] {
      #expect(try quantize(folder.file("x.kist"), ["--type", "Q4_K_M", "--part", "1/3"] + options).status == 64)
    }
    #expect(folder.contents.isEmpty)
  }
}
