import Foundation
import TestSupport
import Testing

/// Checkpoints that other programs quantized are computed, converted and unpacked; what is odd in them is refused by name.
@Suite struct QuantizedCheckpointTests {
  private static let fixtures = repository + "/Fixtures/quantized/"
  static let forms = [
    "gptq", "gptq-act-order", "gptq-v2-8", "gptq-2", "gptq-3", "awq", "fp8", "packed", "packed-zero-points",
    "float-quantized", "nf4", "nf4-nested", "int8",
  ]

  @Test(arguments: forms) func `computes what transformers computes of the unpacked weights`(form: String) throws {
    let source = Self.fixtures + form
    let golden = source + "/golden.safetensors"
    #expect(try kist("verify", source, "--golden", golden).status == 0)

    // Packed as it is, it comes back as it was; its numbers become weights where they are asked for.
    let folder = try TemporaryFolder()
    let (packed, back, plain) = (folder.path + "/m.kist", folder.path + "/back", folder.path + "/plain")
    #expect(try kist("convert", source, "-o", packed).status == 0)
    #expect(try kist("verify", packed, "--golden", golden).status == 0)
    #expect(try kist("convert", packed, "-o", back).status == 0)
    let file = "/model.safetensors"
    #expect(
      FileManager.default.contents(atPath: back + file) == FileManager.default.contents(atPath: source + file))
    #expect(try kist("convert", packed, "-o", plain, "--type", "f32").status == 0)
    let config = try String(contentsOfFile: plain + "/config.json", encoding: .utf8)
    #expect(!config.contains("quantization_config"))
    #expect(try kist("verify", plain, "--golden", golden).status == 0)
    let gguf = folder.path + "/m.gguf"
    #expect(try kist("convert", source, "-o", gguf, "--type", "f32").status == 0)
    #expect(try kist("verify", gguf, "--golden", golden).status == 0)
  }

  @Test(arguments: [
    ("gptq", #""bits": 4"#, #""bits": 5"#, "quantization_config.bits"),
    ("gptq", #""bits": 4"#, #""bits": 8"#, "g_idx"),
    ("gptq", #""quant_method": "gptq""#, #""quant_method": "hqq""#, "'hqq' is not known"),
    ("awq", #""version": "gemm""#, #""version": "gemv""#, "quantization_config.version"),
    ("fp8", "40,", "48,", "weight_scale_inv"),
    ("packed", #""num_bits": 4"#, #""num_bits": 3"#, "config_groups"),
    ("nf4", #""load_in_4bit": true"#, #""load_in_4bit": true"#, nil),
  ])
  func `a configuration that does not go with the tensors is refused`(
    form: String, original: String, changed: String, complaint: String?
  ) throws {
    let folder = try TemporaryFolder()
    let source = Self.fixtures + form
    try FileManager.default.copyItem(
      atPath: source + "/model.safetensors", toPath: folder.path + "/model.safetensors")
    let config = try String(contentsOfFile: source + "/config.json", encoding: .utf8)
    #expect(config.contains(original))
    try config.replacing(original, with: changed).write(
      toFile: folder.path + "/config.json", atomically: true, encoding: .utf8)
    let run = try kist("verify", folder.path, "--golden", source + "/golden.safetensors")
    guard let complaint else { return #expect(run.status == 0) }
    #expect(run.status == 2)
    #expect(run.errors.contains(complaint), "\(run.errors)")
  }
}
