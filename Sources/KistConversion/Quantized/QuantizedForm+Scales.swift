import KistCore
import KistQuantization

// Numbers with scales: FP8 and int8, and the forms of compressed-tensors and bitsandbytes.

extension QuantizedForm {
  /// As DeepSeek V3 has it: a scale for each block of 128 × 128. Source: transformers, integrations/finegrained_fp8.py.
  static let fp8 = QuantizedForm(
    method: "fp8", carriers: [(".weight", ".weight")],
    companions: [".weight_scale_inv", ".activation_scale", ".input_scale"]
  ) { layers, name, config throws(KistError) in
    guard layers.find(name + ".weight_scale_inv") != nil else { return nil }
    let block = config.json["weight_block_size"]?.array?.compactMap(\.int) ?? []
    return try scaled(layers, name + ".weight", name + ".weight_scale_inv", block: block)
  }

  /// Source: compressed-tensors 0.20, compressors.
  static let compressedTensors = QuantizedForm(
    method: "compressed-tensors", carriers: [(".weight_packed", ".weight"), (".weight", ".weight")],
    companions: [
      ".weight_scale", ".weight_zero_point", ".weight_shape", ".weight_g_idx", ".input_scale", ".input_zero_point",
      ".output_scale",
    ]
  ) { layers, name, config throws(KistError) in
    let groups = config.json["config_groups"]?.members ?? []
    guard groups.count == 1, let weights = groups[0].value["weights"] else {
      throw config.unsupported("config_groups", "only one group is known")
    }
    if layers.find(name + ".weight_packed") != nil { return try packed(layers, name, weights, config) }
    guard layers.find(name + ".weight_scale") != nil else { return nil }
    let block = weights["block_structure"]?.array?.compactMap(\.int) ?? []
    let zeroPoint = layers.find(name + ".weight_zero_point")
    guard zeroPoint == nil else {
      throw layers.wrong(zeroPoint?.name ?? "", "zero points of unpacked weights are not known")
    }
    return try scaled(layers, name + ".weight", name + ".weight_scale", block: block)
  }

  private static func packed(
    _ layers: QuantizedLayers, _ name: String, _ weights: JSONValue, _ config: QuantizationConfig
  ) throws(KistError) -> any ElementSource {
    guard let bits = weights["num_bits"]?.int, [4, 8].contains(bits), weights["type"]?.string ?? "int" == "int" else {
      throw config.unsupported("config_groups", "packed weights of this kind are not known")
    }
    let shape = try layers.numbers(name + ".weight_shape").map { Int($0) }
    guard shape.count == 2, shape[0] > 0, shape[1] > 0, shape[0] < 1 << 24, shape[1] < 1 << 24 else {
      throw layers.wrong(name + ".weight_shape", "is no shape of a matrix")
    }
    let (outputs, inputs, each) = (shape[0], shape[1], 32 / bits)
    let codes = try layers.tensor(name + ".weight_packed", .i32)
    let wordsPerRow = (inputs + each - 1) / each
    try layers.checkWords(codes, outputs * wordsPerRow)
    let scales = try layers.numbers(name + ".weight_scale")
    let groupCount = scales.count / outputs
    guard groupCount > 0, scales.count == outputs * groupCount, inputs % groupCount == 0 else {
      throw layers.wrong(name + ".weight_scale", "is not [outputs, groups]")
    }
    var groups = (0..<inputs).map { $0 / (inputs / groupCount) }
    if layers.find(name + ".weight_g_idx") != nil {
      groups = try layers.numbers(name + ".weight_g_idx").map { Int($0) }
      guard groups.count == inputs, groups.allSatisfy({ $0 >= 0 && $0 < groupCount }) else {
        throw layers.wrong(name + ".weight_g_idx", "does not name a group for each input")
      }
    }
    let zeros = layers.find(name + ".weight_zero_point")
    if let zeros { try layers.checkWords(zeros, (outputs + each - 1) / each * groupCount) }
    return GroupedIntegers(
      shape: Shape([outputs, inputs]),
      codes: PackedCodes(bits: bits, axis: .columns, rowStride: wordsPerRow, columnStride: 0, wordStride: 1),
      zeroCodes: zeros.map { _ in
        PackedCodes(bits: bits, axis: .rows, rowStride: 0, columnStride: 1, wordStride: groupCount)
      },
      zero: zeros == nil ? 1 << (bits - 1) : 0, scaleStrides: (groupCount, 1), words: WholeContent(codes.source),
      zeroWords: zeros.map { WholeContent($0.source) }, scales: scales, groups: groups,
      left: ReleaseCount(of: inputs * outputs))
  }

  /// - Parameter block: rows and columns of a scale's block, where the configuration says them.
  private static func scaled(
    _ layers: QuantizedLayers, _ weight: String, _ scale: String, block: [Int]
  ) throws(KistError) -> any ElementSource {
    let tensor = try layers.tensor(weight)
    let scales = try layers.numbers(scale)
    let dimensions = tensor.shape.dimensions
    guard let columns = dimensions.last, columns > 0, let count = tensor.shape.elementCount, count > 0 else {
      throw layers.wrong(weight, "is no matrix")
    }
    let rows = count / columns
    let values = try StoredElements(tensor, file: layers.file)
    func elements(_ blockRows: Int, _ blockColumns: Int) -> ScaledElements {
      ScaledElements(values: values, scales: scales, blockRows: blockRows, blockColumns: blockColumns)
    }
    if block.count == 2, block[0] > 0, block[1] > 0 {
      guard scales.count == (rows + block[0] - 1) / block[0] * ((columns + block[1] - 1) / block[1]) else {
        throw layers.wrong(scale, "has not a scale for each block of \(block[0]) × \(block[1])")
      }
      return elements(block[0], block[1])
    }
    // One for all, one for each row, or several for each row.
    if scales.count == 1 { return elements(rows, columns) }
    guard scales.count % rows == 0, columns % (scales.count / rows) == 0 else {
      throw layers.wrong(scale, "has not a scale for each row")
    }
    return elements(1, columns / (scales.count / rows))
  }

  /// Source: bitsandbytes 0.50, functional.py; QuantState.from_dict.
  static let bitsAndBytes = QuantizedForm(
    method: "bitsandbytes", carriers: [(".weight", ".weight")],
    companions: [
      ".weight.absmax", ".weight.quant_map", ".weight.nested_absmax", ".weight.nested_quant_map",
      ".weight.quant_state.bitsandbytes__nf4", ".weight.quant_state.bitsandbytes__fp4", ".SCB", ".weight_format",
    ]
  ) { layers, name, _ throws(KistError) in
    if layers.find(name + ".SCB") != nil {
      let scales = try layers.numbers(name + ".SCB").map { $0 / 127 }
      let values = try StoredElements(try layers.tensor(name + ".weight", .i8), file: layers.file)
      guard scales.count * values.columnCount == values.elementCount else {
        throw layers.wrong(name + ".SCB", "has not a scale for each row")
      }
      return ScaledElements(values: values, scales: scales, blockRows: 1, blockColumns: values.columnCount)
    }
    let state = ["nf4", "fp4"].lazy.compactMap { layers.find(name + ".weight.quant_state.bitsandbytes__" + $0) }.first
    guard let state else { return nil }
    return try table(layers, name + ".weight", try FourBitState(state, file: layers.file))
  }

  private static func table(
    _ layers: QuantizedLayers, _ weight: String, _ state: FourBitState
  ) throws(KistError) -> any ElementSource {
    let codes = try layers.tensor(weight, .u8)
    guard let count = Shape(state.shape).elementCount, codes.byteCount == (count + 1) / 2 else {
      throw layers.wrong(weight, "has not the codes that its shape asks for")
    }
    let table = try layers.numbers(weight + ".quant_map")
    guard table.count == 16 else { throw layers.wrong(weight + ".quant_map", "is no table of 16 numbers") }
    var scales = try layers.numbers(weight + ".absmax")
    if let nested = state.nested {
      let numbers = try layers.numbers(weight + ".nested_quant_map")
      let outer = try layers.numbers(weight + ".nested_absmax")
      guard numbers.count == 256, outer.count * nested.blockSize >= scales.count else {
        throw layers.wrong(weight + ".nested_absmax", "has not a scale for each block")
      }
      scales = scales.enumerated().map { numbers[Int($1)] * outer[$0 / nested.blockSize] + nested.offset }
    }
    guard scales.count * state.blockSize >= count else {
      throw layers.wrong(weight + ".absmax", "has not a scale for each block")
    }
    return TableElements(
      shape: Shape(state.shape), codes: codes.source, table: table, scales: scales, blockSize: state.blockSize)
  }
}

/// What bitsandbytes writes beside 4-bit weights, as JSON in a tensor of bytes.
private struct FourBitState {
  var shape: [Int]
  var blockSize: Int
  /// Scales that are quantized themselves, to 8 bits.
  var nested: (blockSize: Int, offset: Float)?

  init(_ tensor: CheckpointTensor, file: String) throws(KistError) {
    let wrong = KistError(.damaged, file: file, field: "tensor '\(tensor.name)'", "does not say shape and block size")
    guard tensor.byteCount <= 1 << 16 else { throw wrong }
    var bytes: [UInt8] = []
    unsafe try tensor.source.withBytes(0..<tensor.byteCount) { part throws(KistError) in
      unsafe bytes.append(contentsOf: part)
    }
    let json = try unsafe JSONDocument(bytes.span.bytes).root
    let shape = json["shape"]?.array?.compactMap(\.int) ?? []
    guard let size = json["blocksize"]?.int, size > 0, !shape.isEmpty, shape.allSatisfy({ $0 > 0 && $0 < 1 << 40 })
    else {
      throw wrong
    }
    self.shape = shape
    blockSize = size
    if let nestedSize = json["nested_blocksize"]?.int {
      guard nestedSize > 0 else { throw wrong }
      nested = (nestedSize, Float(json["nested_offset"]?.double ?? 0))
    }
  }
}
