import KistCore

extension ModelDescription {
  /// What a config.json says of the model: the family's rules read backwards.
  ///
  /// For descriptions that came from a GGUF, whose values the family's own rules and those of ``GGUFForm/configuration`` turn into keys.
  ///
  /// - Throws: `unsupported` for a family that no config.json names.
  public func configuration() throws(KistError) -> [String: ConfigValue] {
    guard let family = Architecture.all.first(where: { $0.name == architecture.name }),
      let className = family.classNames.first, let type = family.modelTypes.first
    else {
      throw KistError(
        .unsupported, file: parameters.file, field: "general.architecture", "no config.json can say what this is")
    }
    var config: [String: ConfigValue] = [
      "architectures": .value(.list([.text(className)])), "model_type": .value(.text(type)),
    ]
    let others = (GGUFForm.configuration + (family.gguf?.configuration ?? [])).latest
    for rule in family.parameters where !Parameter.rotaryScaling.contains(rule.parameter) {
      guard let key = rule.keys.first(where: { !$0.contains(".") }) else { continue }
      let value =
        try others.first { $0.parameter == rule.parameter }.map { other throws(KistError) in
          try parameters.resolved(other.default, for: rule.parameter)
        } ?? parameters[rule.parameter]
      if let value { config[key] = .value(value) } else if rule.null != nil { config[key] = .null }
    }
    for rule in others {
      guard let key = rule.keys.first else { continue }
      config[key] = try parameters.resolved(rule.default, for: rule.parameter).map(ConfigValue.value)
    }
    if let scaling = try rotaryScaling(parameters) {
      config["rope_scaling"] = .object(scaling.mapValues(ConfigValue.value))
      if scaling["rope_type"] == "longrope", let context = scaling["original_max_position_embeddings"] {
        config["original_max_position_embeddings"] = .value(context)
      }
    }
    return config
  }

  /// `rope_scaling` of the layers that see all; nil without scaling.
  private func rotaryScaling(_ parameters: Parameters) throws(KistError) -> [String: ParameterValue]? {
    guard let rotary = layers.lazy.compactMap(\.attention.rotary).first(where: { $0.isScaled }) else { return nil }
    if let factors = rotary.frequencyFactors { return rotary.scaling(factors, contextLength: contextLength) }
    func key(_ name: String, _ parameter: Parameter) -> (String, ParameterValue)? {
      parameters[parameter].map { (name, $0) }
    }
    let members: [(String, ParameterValue)?] =
      switch rotary.scaling {
      case .none: []
      case .linear(let factor): [("rope_type", "linear"), ("factor", .number(factor))]
      case .dynamic(let factor, _): [("rope_type", "dynamic"), ("factor", .number(factor))]
      case .llama3(let factor, let low, let high, let context):
        RotaryDescription.llama3(factor, low, high, context)
      case .yarn(let factor, let context, let fast, let slow, let truncates, _):
        [
          ("rope_type", "yarn"), ("factor", .number(factor)), ("original_max_position_embeddings", .integer(context)),
          ("beta_fast", .number(fast)), ("beta_slow", .number(slow)), ("truncate", .flag(truncates)),
          key("mscale", .ropeMScale), key("mscale_all_dim", .ropeMScaleAllSizes),
          key("attention_factor", .ropeAttentionFactor),
        ]
      case .longrope(let short, let long, let context, _):
        [
          ("rope_type", "longrope"), ("short_factor", .list(short.map { .number($0) })),
          ("long_factor", .list(long.map { .number($0) })), ("original_max_position_embeddings", .integer(context)),
          key("attention_factor", .ropeAttentionFactor),
        ]
      }
    return Dictionary(members.compactMap { $0 }) { first, _ in first }
  }
}

extension Parameter {
  /// What `rope_scaling` says.
  fileprivate static let rotaryScaling: Set<Parameter> = [
    .ropeType, .ropeFactor, .ropeOriginalContext, .ropeLowFrequencyFactor, .ropeHighFrequencyFactor, .ropeFastBeta,
    .ropeSlowBeta, .ropeMScale, .ropeMScaleAllSizes, .ropeAttentionFactor, .ropeShortFactors, .ropeLongFactors,
    .ropeTruncates,
  ]
}

extension GGUFForm {
  /// What config.json says otherwise than GGUF, in the same way for all families that have it.
  fileprivate static let configuration: [ParameterRule] = [
    .fixed(.rotaryFraction, .ratio(.rotarySize, .headSize))
  ]
}
