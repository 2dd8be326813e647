import KistCore

/// A value of GGUF's metadata that a model's description gives.
public enum GGUFValue: Sendable, Equatable {
  case uint32(UInt32)
  case float32(Float)
  case bool(Bool)
  case string(String)
}

/// A key that a family's GGUF files have, and where its value comes from. A model for which the value is nil has not the key.
/// Source: llama.cpp, the classes of conversion/, set_gguf_parameters.
///
/// A family's keys are listed in the order in which the converter writes them.
public struct GGUFKey: Sendable {
  /// After the architecture's name.
  public var name: String
  var value: @Sendable (ModelDescription) -> GGUFValue?

  /// The place of `general.file_type`, which says what the writer chose.
  static let fileType = GGUFKey(name: "general.file_type") { _ in nil }
  /// The place of `pooling_type`, which says how states become a sentence's vector.
  static let pooling = GGUFKey(name: "pooling_type") { _ in nil }
  /// The place of the other `general` keys, where that is not before all others.
  static let general = GGUFKey(name: "general") { _ in nil }

  static func size(_ name: String, _ parameter: Parameter) -> GGUFKey {
    size(name) { $0.parameters[parameter]?.integer }
  }

  static func size(_ name: String, _ value: @escaping @Sendable (ModelDescription) -> Int?) -> GGUFKey {
    GGUFKey(name: name) { value($0).flatMap { UInt32(exactly: $0) }.map { .uint32($0) } }
  }

  static func number(_ name: String, _ parameter: Parameter) -> GGUFKey {
    number(name) { $0.parameters[parameter]?.number.map { Float($0) } }
  }

  static func number(_ name: String, _ value: @escaping @Sendable (ModelDescription) -> Float?) -> GGUFKey {
    GGUFKey(name: name) { value($0).map { .float32($0) } }
  }

  static func flag(_ name: String, _ parameter: Parameter) -> GGUFKey {
    GGUFKey(name: name) { $0.parameters[parameter]?.flag.map { .bool($0) } }
  }

  static func fixed(_ name: String, _ value: GGUFValue) -> GGUFKey { GGUFKey(name: name) { _ in value } }
}

extension ModelDescription {
  /// What a GGUF file of the model says beside its tensors and tokenizer: whole keys and values; nil when GGUF has no such family.
  public var ggufMetadata: [(key: String, value: GGUFValue)]? {
    guard let form = architecture.gguf, let keys = ggufKeys(fileType: nil) else { return nil }
    return [("general.architecture", .string(form.name))] + keys
  }

  /// The hyperparameters, in the order in which llama.cpp's converter writes them; nil when GGUF has no such family.
  ///
  /// - Parameter fileType: `general.file_type`, where such files have it; nil to leave it out.
  public func ggufKeys(fileType: UInt32?) -> [(key: String, value: GGUFValue)]? {
    guard let keys = ggufKeysAroundGeneral(fileType: fileType) else { return nil }
    return keys.before + keys.after
  }

  /// The same, those that stand before the `general` keys apart.
  ///
  /// - Parameter pooling: `pooling_type`, where the family has it; nil to leave it out.
  public func ggufKeysAroundGeneral(
    fileType: UInt32?, pooling: UInt32? = nil
  ) -> (before: [(key: String, value: GGUFValue)], after: [(key: String, value: GGUFValue)])? {
    guard let form = architecture.gguf else { return nil }
    let place = form.keys.firstIndex { $0.name == GGUFKey.general.name } ?? 0
    func pairs(_ keys: ArraySlice<GGUFKey>) -> [(key: String, value: GGUFValue)] {
      keys.compactMap { key in
        if key.name == GGUFKey.fileType.name { return fileType.map { (key.name, .uint32($0)) } }
        if key.name == GGUFKey.pooling.name { return pooling.map { ("\(form.name).\(key.name)", .uint32($0)) } }
        return key.value(self).map { ("\(form.name).\(key.name)", $0) }
      }
    }
    return (pairs(form.keys[..<place]), pairs(form.keys[place...]))
  }
}

extension [GGUFKey] {
  /// What every file says.
  static let sizes: [GGUFKey] = [
    .size("block_count", .layerCount), .size("context_length", .contextLength), .size("embedding_length", .width),
    .size("feed_forward_length", .feedForwardSize), .size("attention.head_count", .headCount),
  ]
  static let layerNorm: [GGUFKey] = [.number("attention.layer_norm_epsilon", .normEpsilon)]
  static let rmsNorm: [GGUFKey] = [.number("attention.layer_norm_rms_epsilon", .normEpsilon)]
  static let keyValueHeads: [GGUFKey] = [.size("attention.head_count_kv", .keyValueHeadCount)]
  static let headSizes: [GGUFKey] = [
    .size("attention.key_length", .headSize), .size("attention.value_length", .headSize),
  ]
  /// The same where the configuration says it.
  static let statedHeadSizes: [GGUFKey] = ["attention.key_length", "attention.value_length"].map { name in
    .size(name) { $0.parameters.isStated(.headSize) ? $0.parameters[.headSize]?.integer : nil }
  }
  static let rotaryBase: [GGUFKey] = [.number("rope.freq_base", .ropeBase)]
  /// Of families whose converter leaves it out: llama.cpp takes 10000 then.
  static let unusualRotaryBase: [GGUFKey] = [
    .number("rope.freq_base") { model in
      model.parameters[.ropeBase]?.number.flatMap { $0 == 10000 ? nil : Float($0) }
    }
  ]
  static let rotarySize: [GGUFKey] = [.size("rope.dimension_count", .rotarySize)]
  static let vocabulary: [GGUFKey] = [.size("vocab_size", .vocabularySize)]
  static let window: [GGUFKey] = [.size("attention.sliding_window", .window)]
  static let experts: [GGUFKey] = [
    .size("expert_count", .expertCount), .size("expert_used_count", .expertsPerToken),
  ]
  static let expertSize: [GGUFKey] = [
    .size("expert_feed_forward_length") { $0.layers.last?.feedForward.experts?.size }
  ]
  static let noScaling: [GGUFKey] = [.fixed("rope.scaling.type", .string("none"))]

  static let fileType: [GGUFKey] = [.fileType]

  /// What most families since Llama say.
  static let modern = sizes + keyValueHeads + rotaryScaling + rotaryBase + rmsNorm

  /// What older converters write in an order of their own.
  ///
  /// - Parameters:
  ///   - names: keys of ``sizes``.
  ///   - replaced: those that mean something else.
  static func sizes(inOrder names: [String], replaced: [GGUFKey] = []) -> [GGUFKey] {
    names.compactMap { name in (replaced + sizes).first { $0.name == name } }
  }

  /// Linear, YaRN and longrope; betas where the configuration says them.
  static let rotaryScaling: [GGUFKey] = [
    GGUFKey(name: "rope.scaling.type") { $0.writtenScaling?.name.map { .string($0) } },
    .number("rope.scaling.factor") { $0.writtenScaling?.factor.map { Float($0) } },
    .size("rope.scaling.original_context_length") { $0.writtenScaling?.context },
    .number("rope.scaling.yarn_beta_fast") { $0.stated(.ropeFastBeta) },
    .number("rope.scaling.yarn_beta_slow") { $0.stated(.ropeSlowBeta) },
    .number("rope.scaling.attn_factor") { $0.longropeAttention },
  ]
}

extension ModelDescription {
  /// What `rope.scaling` keys say of the layers that see all.
  fileprivate var writtenScaling: (name: String?, factor: Double?, context: Int?)? {
    switch layers.lazy.compactMap(\.attention.rotary?.scaling).first(where: { $0 != .none }) {
    case .linear(let factor): ("linear", factor, nil)
    case .yarn(let factor, let context, _, _, _, _): ("yarn", factor, context)
    // The converter leaves the context out: llama.cpp takes the whole one then, and never the long factors.
    case .longrope(_, _, let context, _): ("longrope", nil, context)
    default: nil
    }
  }

  /// What the converter writes for Phi 3 alone: llama.cpp takes 1 then.
  fileprivate var longropeAttention: Float? {
    guard writtenScaling?.name == "longrope" else { return nil }
    return layers.lazy.compactMap(\.attention.rotary?.attentionFactor).first { $0 != 1 }
  }

  fileprivate func stated(_ parameter: Parameter) -> Float? {
    guard writtenScaling?.name == "yarn", parameters.isStated(parameter) else { return nil }
    return parameters[parameter]?.number.map { Float($0) }
  }
}
