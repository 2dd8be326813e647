import Foundation
import TestSupport
import Testing

/// `kist verify`, `logits`, `predict` and `embed`, as a person runs them.
@Suite struct JudgeCommandTests {
  private static let families = repository + "/Fixtures/families/"

  @Test(arguments: ["llama", "gpt2", "qwen3"])
  func `a model matches what transformers recorded`(family: String) throws {
    let path = Self.families + family
    let run = try kist("verify", path, "--golden", path + "/golden.safetensors", "--json")
    #expect(run.status == 0)
    let verdict = try #require(try run.json()["verdict"] as? [String: Any])
    #expect(verdict["matches"] as? Bool == true)
    #expect((verdict["reference"] as? String)?.hasPrefix("transformers ") == true)
    #expect(verdict["top1"] as? Double == 1)
  }

  @Test func `another model's logits do not match`() throws {
    let run = try kist(
      "verify", Self.families + "llama-bias", "--golden", Self.families + "llama-linear/golden.safetensors")
    #expect(run.status != 0)
  }

  @Test func `a container computes what its source computed, and knows it`() throws {
    let folder = try TemporaryFolder()
    let packed = folder.path + "/m.kist"
    #expect(try kist("convert", Self.families + "gpt2", "-o", packed).status == 0)
    let own = try kist("verify", packed, "--json")
    #expect(own.status == 0)
    #expect(try own.json()["level"] as? String == "probes")
    #expect(try kist("verify", packed, "--against", Self.families + "gpt2", "--bisect").status == 0)
    // Another value of one weight: every checksum is right after the edit, and the model is not what it was.
    let norm = "transformer.h.0.ln_1.weight"
    #expect(try kist("show", packed, "transformer.h.1.ln_2.weight", "-o", folder.path + "/n.npy").status == 0)
    #expect(try kist("edit", packed, "put-tensor", norm, folder.path + "/n.npy").status == 0)
    #expect(try kist("verify", packed, "--level", "full").status == 0)
    #expect(try kist("verify", packed).status == 1)
    let bisected = try kist("verify", packed, "--against", Self.families + "gpt2", "--bisect")
    #expect(bisected.status == 1)
    #expect(bisected.output.contains("layers.0.attentionNorm"))
    #expect(bisected.output.contains(norm))
  }

  @Test func `encoders are compared by their sentence vectors`() throws {
    let folder = try TemporaryFolder()
    let (source, packed) = (Self.families + "bert", folder.path + "/m.kist")
    #expect(try kist("convert", source, "-o", packed).status == 0)
    #expect(try kist("verify", packed, "--against", source, "--bisect").status == 0)
    #expect(try kist("show", packed, "encoder.layer.1.output.LayerNorm.bias", "-o", folder.path + "/n.npy").status == 0)
    let norm = "encoder.layer.0.output.LayerNorm.weight"
    #expect(try kist("edit", packed, "put-tensor", norm, folder.path + "/n.npy").status == 0)
    let changed = try kist("verify", packed, "--against", source, "--bisect")
    #expect(changed.status == 1)
    #expect(changed.output.contains(norm))
  }

  @Test func `a sentence is cut where the model's files say`() throws {
    let folder = try TemporaryFolder()
    for name in ["config.json", "model.safetensors"] {
      try FileManager.default.copyItem(atPath: Self.families + "bert/" + name, toPath: folder.path + "/" + name)
    }
    try """
    {"version": "1.0", "added_tokens": [], "pre_tokenizer": {"type": "Whitespace"},
     "model": {"type": "WordLevel", "vocab": {"[UNK]": 0, "a": 5, "b": 6, "c": 7, "d": 8, "e": 9, "f": 10}, "unk_token": "[UNK]"}}
    """.write(toFile: folder.path + "/tokenizer.json", atomically: true, encoding: .utf8)
    try #"{"max_seq_length": 4, "do_lower_case": true}"#.write(
      toFile: folder.path + "/sentence_bert_config.json", atomically: true, encoding: .utf8)
    let long = try kist("embed", folder.path, "a B c D e f")
    #expect(long.errors.contains("first 4 tokens"))
    let short = try kist("embed", folder.path, "a b c d")
    #expect(short.errors.isEmpty)
    #expect(long.output == short.output && !short.output.isEmpty)
    #expect(try kist("embed", folder.path, "a b c e").output != short.output)
  }

  @Test func `probes of another program are recorded and named`() throws {
    let folder = try TemporaryFolder()
    let (source, packed) = (Self.families + "qwen2", folder.path + "/m.kist")
    #expect(try kist("convert", source, "-o", packed, "--golden", source + "/golden.safetensors").status == 0)
    let run = try kist("verify", packed, "--json")
    let verdict = try #require(try run.json()["verdict"] as? [String: Any])
    #expect(run.status == 0)
    #expect((verdict["reference"] as? String)?.hasPrefix("transformers ") == true)
  }

  @Test func `without probes there is nothing to run`() throws {
    let folder = try TemporaryFolder()
    let packed = folder.path + "/m.kist"
    #expect(try kist("convert", Self.families + "gpt2", "-o", packed, "--no-probes").status == 0)
    #expect(try kist("verify", packed, "--json").json()["level"] as? String == "full")
    let asked = try kist("verify", packed, "--level", "probes")
    #expect(asked.status == 2)
    #expect(asked.errors.contains("has no probes"))
  }

  @Test func `recorded logits verify the model that they came from`() throws {
    let folder = try TemporaryFolder()
    let logits = folder.path + "/l.safetensors"
    #expect(try kist("logits", Self.families + "llama", "--tokens", "1,5,9,2", "-o", logits).status == 0)
    #expect(try kist("verify", Self.families + "llama", "--golden", logits).status == 0)
    #expect(try kist("logits", Self.families + "llama", "--tokens", "1,5", "-o", logits).status == 2)
  }

  @Test func `a NaN is named before anything is computed, and packed all the same`() throws {
    let folder = try TemporaryFolder()
    try FileManager.default.copyItem(atPath: Self.families + "llama", toPath: folder.file("broken"))
    let weights = folder.file("broken/model.safetensors")
    var bytes = try Data(contentsOf: URL(fileURLWithPath: weights))
    bytes.replaceSubrange(bytes.count - 4..<bytes.count, with: [0, 0, 0xC0, 0x7F])
    try bytes.write(to: URL(fileURLWithPath: weights))
    let packed = folder.file("m.kist")
    let convert = try kist("convert", folder.file("broken"), "-o", packed)
    #expect(convert.status == 0 && convert.errors.contains("no probes: "), "\(convert.errors)")
    for arguments in [
      ["logits", packed, "--tokens", "1,2", "-o", folder.file("l.npy")],
      ["verify", packed, "--against", Self.families + "llama"],
      ["verify", Self.families + "llama", "--against", packed],
      ["verify", packed, "--golden", Self.families + "llama/golden.safetensors"],
    ] {
      let run = try KistProcess.run(arguments)
      #expect(run.status == 2 && run.errors.contains("has a NaN at [47]"), "\(arguments): \(run.errors)")
    }
    #expect(try kist("convert", packed, "-o", folder.file("b"), "--type", "bf16").errors.contains("no verdict: "))
  }

  @Test func `what can't be computed is refused by name`() throws {
    let out = try TemporaryFolder().path + "/l.npy"
    func errors(_ arguments: String...) throws -> String {
      let run = try KistProcess.run(arguments)
      #expect(run.status == 2)
      return run.errors
    }
    #expect(try errors("logits", Self.families + "llama", "--tokens", "1,100000", "-o", out).contains("vocabulary"))
    #expect(try errors("logits", Self.families + "bert", "--tokens", "1,2", "-o", out).contains("encoder"))
    #expect(try errors("embed", Self.families + "llama", "x").contains("encoder"))
    #expect(try errors("predict", Self.families + "llama", "x").contains("tokenizer"))
    let many = (0..<100).map { "\($0 % 50)" }.joined(separator: ",")
    #expect(try errors("logits", Self.families + "llama", "--tokens", many, "-o", out).contains("reaches"))
    #expect(try errors("verify", Self.families + "llama", "--against", Self.families + "qwen2").contains("vocabulary"))
    #expect(try kist("verify", "x", "--golden", "a", "--against", "b").status == 64)
  }
}
