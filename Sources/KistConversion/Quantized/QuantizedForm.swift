import KistCore
import KistQuantization

/// How another program stores quantized weights: which tensors make up a weight, and how its numbers come of them.
struct QuantizedForm: Sendable {
  /// `quantization_config.quant_method`.
  var method: String
  /// How the tensor that carries a layer's codes ends, and how the weight that it stands for.
  var carriers: [(ending: String, weight: String)]
  /// Ends of the other tensors of a layer.
  var companions: [String]
  /// The numbers of a layer's weight, [outputs, inputs]; nil when the carrier is a plain weight after all.
  var elements: @Sendable (QuantizedLayers, String, QuantizationConfig) throws(KistError) -> (any ElementSource)?

  static let all: [QuantizedForm] = [gptq, awq, fp8, compressedTensors, bitsAndBytes]
}

/// The object `quantization_config` of a config.json.
struct QuantizationConfig: Sendable {
  let json: JSONValue
  let file: String

  func unsupported(_ key: String, _ problem: String) -> KistError {
    KistError(.unsupported, file: file, field: "config.json: quantization_config.\(key)", problem)
  }

  func integer(_ key: String) throws(KistError) -> Int {
    guard let value = json[key]?.int else { throw unsupported(key, "is missing, or no whole number") }
    return value
  }
}

// MARK: - Integers with groups

extension QuantizedForm {
  /// Source: GPTQModel, nn_modules/qlinear/__init__.py, dequantize_weight.
  static let gptq = QuantizedForm(
    method: "gptq", carriers: [(".qweight", ".weight")], companions: [".qzeros", ".scales", ".g_idx"]
  ) { layers, name, config throws(KistError) in
    let bits = try config.integer("bits")
    guard [2, 3, 4, 8].contains(bits) else { throw config.unsupported("bits", "\(bits) bits are not known") }
    let codes = try layers.tensor(name + ".qweight", .i32)
    let (lines, outputs) = try layers.matrix(codes)
    let inputs = lines * 32 / bits
    try layers.checkWords(codes, PackedCodes.wordCount(bits: bits, packed: inputs, other: outputs))
    let groups = try groups(layers, name + ".g_idx", inputs, config.integer("group_size"))
    let groupCount = (groups.max() ?? 0) + 1
    let scales = try layers.numbers(name + ".scales")
    let zeros = try layers.tensor(name + ".qzeros", .i32)
    try layers.checkWords(zeros, PackedCodes.wordCount(bits: bits, packed: outputs, other: groupCount))
    guard scales.count == groupCount * outputs else { throw layers.wrong(name + ".scales", "is not [groups, outputs]") }
    // The first version of the format stores zero points less one.
    let isFirst = (config.json["checkpoint_format"]?.string ?? "gptq") == "gptq"
    return GroupedIntegers(
      shape: Shape([outputs, inputs]),
      codes: PackedCodes(bits: bits, axis: .columns, rowStride: 1, columnStride: 0, wordStride: outputs),
      zeroCodes: PackedCodes(bits: bits, axis: .rows, rowStride: 0, columnStride: outputs * bits / 32, wordStride: 1),
      zero: isFirst ? 1 : 0, scaleStrides: (1, outputs), words: WholeContent(codes.source),
      zeroWords: WholeContent(zeros.source), scales: scales, groups: groups, left: ReleaseCount(of: inputs * outputs))
  }

  /// The group of each input: what a tensor says, which inputs may have in any order, else one run after the other.
  private static func groups(
    _ layers: QuantizedLayers, _ name: String, _ inputs: Int, _ size: Int
  ) throws(KistError) -> [Int] {
    guard layers.find(name) != nil else {
      guard size == -1 || size > 0 else { throw layers.wrong(name, "is missing, and no group size is given") }
      return (0..<inputs).map { size == -1 ? 0 : $0 / size }
    }
    let groups = try layers.numbers(name).map { Int($0) }
    guard groups.count == inputs, groups.allSatisfy({ $0 >= 0 && $0 < inputs }) else {
      throw layers.wrong(name, "does not name a group for each input")
    }
    return groups
  }

  /// Eight codes of a word, of outputs in this order. Source: AutoAWQ, utils/packing_utils.py.
  private static let awqOrder = [0, 4, 1, 5, 2, 6, 3, 7]

  static let awq = QuantizedForm(
    method: "awq", carriers: [(".qweight", ".weight")], companions: [".qzeros", ".scales"]
  ) { layers, name, config throws(KistError) in
    guard try config.integer("bits") == 4 else { throw config.unsupported("bits", "only 4 are known") }
    let version = (config.json["version"]?.string ?? "gemm").lowercased()
    guard version == "gemm" else {
      throw config.unsupported("version", "'\(version)' packs in an order that is not known")
    }
    let codes = try layers.tensor(name + ".qweight", .i32)
    let (inputs, wordsPerInput) = try layers.matrix(codes)
    let outputs = wordsPerInput * 8
    // Runs of 32 outputs make whole words of any kind.
    guard outputs % 32 == 0 else { throw layers.wrong(codes.name, "has outputs that are no multiple of 32") }
    try layers.checkWords(codes, PackedCodes.wordCount(bits: 4, packed: outputs, other: inputs))
    let size = try config.integer("group_size")
    guard size == -1 || size > 0 else { throw config.unsupported("group_size", "\(size) is no size") }
    let groups = (0..<inputs).map { size == -1 ? 0 : $0 / size }
    let groupCount = (groups.last ?? 0) + 1
    let scales = try layers.numbers(name + ".scales")
    guard scales.count == groupCount * outputs else { throw layers.wrong(name + ".scales", "is not [groups, outputs]") }
    let zeros = try layers.tensor(name + ".qzeros", .i32)
    try layers.checkWords(zeros, PackedCodes.wordCount(bits: 4, packed: outputs, other: groupCount))
    let packing = PackedCodes(
      bits: 4, axis: .rows, rowStride: 0, columnStride: wordsPerInput, wordStride: 1, order: awqOrder)
    return GroupedIntegers(
      shape: Shape([outputs, inputs]), codes: packing, zeroCodes: packing, zero: 0, scaleStrides: (1, outputs),
      words: WholeContent(codes.source), zeroWords: WholeContent(zeros.source), scales: scales, groups: groups,
      left: ReleaseCount(of: inputs * outputs))
  }
}
