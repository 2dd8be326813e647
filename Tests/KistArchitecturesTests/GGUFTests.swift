import KistArchitectures
import KistConversion
import KistCore
import Testing

@Suite struct GGUFTests {
  @Test func `the converter's word on most fixtures is there`() { #expect(GGUFGolden.all.count >= 50) }

  /// Tensors that are written from the configuration.
  private static let factors: Set<String> = [
    "rope_freqs.weight", "rope_factors_long.weight", "rope_factors_short.weight",
  ]

  @Test(arguments: GGUFGolden.names)
  func `a model's tensors have the names and shapes that llama.cpp gives them`(_ name: String) throws {
    let golden = try #require(GGUFGolden.all[name])
    let model = try #require(try FamilyFixtures.model(name).inGGUF())
    let ours = Dictionary(uniqueKeysWithValues: model.fileTensors.map { ($0.name, $0.shape) })
    let theirs = golden.tensors.mapValues(\.shape).filter { !Self.factors.contains($0.key) }
    #expect(Set(ours.keys) == Set(theirs.keys))
    for (name, shape) in theirs { #expect(ours[name] == shape, "\(name)") }
    try expectEachNumberOnce(in: model)
  }

  @Test(arguments: GGUFGolden.names)
  func `a model's GGUF has the bytes that llama.cpp writes`(_ name: String) throws {
    let golden = try #require(GGUFGolden.all[name])
    let source = try FamilyFixtures.model(name)
    let sink = try #require(try source.inGGUF())
    let rearrangement = try ModelRearrangement(of: checkpointTensors(name), from: source, to: sink, file: name)
    for tensor in sink.fileTensors {
      let wanted = try #require(golden.tensors[tensor.name], "\(tensor.name)")
      let ours = try rearrangement.tensor(tensor, as: try #require(DType(name: wanted.type)))
      #expect(ours.shape.dimensions == wanted.shape, "\(tensor.name)")
      for pieceByteCount in [1 << 20, 1013] {
        #expect(sha256(try content(ours, pieceByteCount: pieceByteCount)) == wanted.sha256, "\(tensor.name)")
      }
    }
  }

  /// Dtypes that hold every number of a fixture's, there and back.
  @Test(arguments: GGUFGolden.names)
  func `what a GGUF is made of comes back out of it`(_ name: String) throws {
    let original = try FamilyFixtures.model(name)
    let inGGUF = try #require(try original.inGGUF())
    let tensors = try checkpointTensors(name)
    let there = ModelRearrangement(of: tensors, from: original, to: inGGUF, file: name)
    let isPacked = tensors.contains { $0.dtype == .u8 }
    let middle = try inGGUF.fileTensors.map { tensor in
      try stored(try there.tensor(tensor, as: isPacked && tensor.name.contains("_exps.weight") ? .mxfp4 : .f32))
    }
    let back = ModelRearrangement(of: middle, from: inGGUF, to: original, file: name)
    for tensor in original.fileTensors {
      let first = try #require(tensors.first { original.names(of: tensor).contains($0.name) }, "\(tensor.name)")
      let dtype = try #require(first.dtype)
      // Blocks and scales lie in two tensors; as one they are what came from there.
      if dtype == .u8 {
        let itself = ModelRearrangement(of: tensors, from: original, to: original, file: name)
        #expect(try itself.rearranged(tensor).isSame(as: back.rearranged(tensor)), "\(tensor.name)")
        continue
      }
      let wanted = try content(first, pieceByteCount: 1 << 20)
      var ours = try content(back.tensor(tensor, as: dtype), pieceByteCount: 1 << 20)
      // Rows before the first position are not in a GGUF.
      let lost = original.embedding.positionOffset - inGGUF.embedding.positionOffset
      if lost > 0, tensor.keys.first?.role == .positionEmbedding {
        let byteCount = lost * original.width * dtype.unitByteCount
        #expect(ours[..<byteCount].allSatisfy { $0 == 0 })
        ours = Array(wanted[..<byteCount] + ours[byteCount...])
      }
      let isShifted = tensor.keys.flatMap { original.locations(of: $0) }.contains { $0.addend != 0 }
      // w + 1 is rounded.
      #expect(isShifted ? areClose(ours, wanted) : ours == wanted, "\(tensor.name)")
    }
  }

  private func areClose(_ ours: [UInt8], _ wanted: [UInt8]) -> Bool {
    func numbers(_ bytes: [UInt8]) -> [Float] {
      stride(from: 0, to: bytes.count, by: 4).map { at in
        Float(bitPattern: (0..<4).reduce(0) { $0 | UInt32(bytes[at + $1]) << (8 * $1) })
      }
    }
    return ours.count == wanted.count && zip(numbers(ours), numbers(wanted)).allSatisfy { abs($0 - $1) < 1e-6 }
  }

  @Test(arguments: GGUFGolden.names)
  func `the metadata of a model is what llama.cpp writes`(_ name: String) throws {
    let golden = try #require(GGUFGolden.all[name])
    let model = try FamilyFixtures.model(name)
    let ours = Dictionary(uniqueKeysWithValues: try #require(model.ggufMetadata))
    // What else these say is not the model's.
    let theirs = golden.metadata.filter { !$0.key.hasPrefix("general.") || $0.key == "general.architecture" }
    var additions = GGUFGolden.additions
    if GGUFGolden.withoutFactors.contains(name) {
      additions.formUnion(ours.keys.filter { key in GGUFGolden.longropeAdditions.contains { key.hasSuffix($0) } })
      #expect(additions.isSuperset(of: GGUFGolden.longropeAdditions.map { "\(name.prefix { $0 != "-" }).\($0)" }))
    }
    #expect(Set(ours.keys).subtracting(additions) == Set(theirs.keys))
    for (key, value) in theirs where key != "nemotron.rope.dimension_count" {
      switch ours[key] {
      case .uint32(let number): #expect(value == .integer(Int(number)), "\(key)")
      case .float32(let number): #expect(value.number.map { Float($0) } == number, "\(key)")
      case .bool(let flag): #expect(value == .flag(flag), "\(key)")
      case .string(let text): #expect(value == .text(text), "\(key)")
      case nil: break
      }
    }
  }

  /// Fixtures whose GGUF, as llama.cpp's converter writes it, says a scaling without its factors.
  private static let incomplete: Set<String> = ["llama-longrope", "llama-longrope-short"]

  /// Fixtures with something that GGUF has no key for: another activation, which layers rotate, where residuals are taken, or a
  /// rotated part that llama.cpp's converter rounds in another way.
  private static let unsaid: Set<String> = [
    "bloom-post", "cohere2", "gpt-neox-sequential", "llama-bias", "nemotron", "smollm3",
  ]

  @Test(arguments: GGUFGolden.names)
  func `a GGUF describes the model that it was made of`(_ name: String) throws {
    let golden = try #require(GGUFGolden.all[name])
    let original = try FamilyFixtures.model(name)
    let values = factors(of: original)
    let source = try golden.source(values)
    if Self.incomplete.contains(name) {
      #expect(throws: KistError.self) { try ModelDescription(source, file: "model.gguf") }
      return
    }
    let model = try ModelDescription(source, file: "model.gguf")
    #expect(model.vocabularySize == original.vocabularySize && model.width == original.width)
    #expect(model.norm == original.norm && abs(model.normEpsilon - original.normEpsilon) < 1e-9)
    #expect(model.layers.count == original.layers.count)
    #expect(!model.head.hasLogits || model.head.isTied == original.head.isTied)
    #expect(model.head.hasNorm == original.head.hasNorm)
    #expect(abs(model.head.scale - original.head.scale) < 1e-6 && model.head.softCap == original.head.softCap)
    #expect(abs(model.embedding.scale - original.embedding.scale) < 1e-5)
    #expect(model.tensorKeys == original.tensorKeys)
    for (ours, theirs) in zip(model.layers, original.layers) where !Self.unsaid.contains(name) {
      #expect(ours.residual == theirs.residual && abs(ours.residualScale - theirs.residualScale) < 1e-6)
      #expect(ours.attention.headSize == theirs.attention.headSize)
      #expect(ours.attention.keyValueHeadCount == theirs.attention.keyValueHeadCount)
      #expect(ours.attention.valueHeadSize == theirs.attention.valueHeadSize)
      #expect(ours.attention.rotary?.pairs == theirs.attention.rotary?.pairs)
      #expect(ours.attention.rotary?.size == theirs.attention.rotary?.size)
      #expect(ours.attention.slopes == theirs.attention.slopes)
      #expect(ours.attention.softCap == theirs.attention.softCap)
      #expect(ours.feedForward.size == theirs.feedForward.size)
      #expect(ours.feedForward.activation == theirs.feedForward.activation)
      #expect(ours.feedForward.experts?.perToken == theirs.feedForward.experts?.perToken)
      #expect(ours.feedForward.experts?.scoring == theirs.feedForward.experts?.scoring)
      #expect(ours.feedForward.experts?.groups == theirs.feedForward.experts?.groups)
      #expect(ours.feedForward.experts?.weightScale == theirs.feedForward.experts?.weightScale)
    }
    let needed = Set(model.tensorKeys.flatMap { model.locations(of: $0) }.map { $0.names[0] })
    #expect(Set(golden.tensors.keys).filter { !model.ignores($0) } == needed)
  }

  @Test func `a GGUF of an unknown architecture is refused by name`() throws {
    let source = try GGUFSource(
      file: "a.gguf", metadata: { $0 == "general.architecture" ? .text("mamba") : nil }, shape: { _ in nil },
      values: { _ in [] })
    let error = #expect(throws: KistError.self) { try ModelDescription(source, file: "a.gguf") }
    #expect(error?.field == "general.architecture")
    #expect(throws: KistError.self) {
      try GGUFSource(file: "a.gguf", metadata: { _ in nil }, shape: { _ in nil }, values: { _ in [] })
    }
  }

  private func factors(of model: ModelDescription) -> [String: [Float]] {
    guard let rotary = model.layers[0].attention.rotary else { return [:] }
    guard case .longrope(let short, let long, _, _) = rotary.scaling else {
      return ["rope_freqs.weight": [Float](repeating: 1, count: rotary.size / 2)]
    }
    return [
      "rope_factors_short.weight": short.map { Float($0) }, "rope_factors_long.weight": long.map { Float($0) },
    ]
  }
}
