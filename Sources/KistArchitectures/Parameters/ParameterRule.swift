/// Where a configuration says a parameter. Of two rules for a parameter the later one counts.
public struct ParameterRule: Sendable {
  /// What holds where no key says it. What is made of a parameter without a value has none either.
  public enum Default: Sendable {
    /// The configuration must say it.
    case required
    /// It has no value.
    case absent
    case value(ParameterValue)
    /// Another parameter's value.
    case same(Parameter)
    /// One parameter over another, in whole numbers.
    case quotient(Parameter, Parameter)
    /// A parameter times a number.
    case multiple(Int, Parameter)
    /// The sum of two parameters.
    case sum(Parameter, Parameter)
    /// One parameter less another.
    case difference(Parameter, Parameter)
    /// The product of two parameters.
    case product(Parameter, Parameter)
    /// The number after a parameter's, which may be 0.
    case next(Parameter)
    /// A parameter times a fraction, rounded down.
    case fraction(Parameter, Parameter)
    /// A number times a parameter, in any numbers.
    case scaled(Double, Parameter)
    /// One parameter over another, in any numbers.
    case ratio(Parameter, Parameter)
    /// A parameter times the square root of another.
    case timesSquareRoot(Parameter, Parameter)
    /// True when a parameter has that value.
    case equals(Parameter, ParameterValue)
    /// The first when the parameter is true.
    indirect case when(Parameter, Default, otherwise: Default)
  }

  public var parameter: Parameter
  /// Paths of keys in config.json, `.` between levels; the first that is there and not null counts.
  public var keys: [String]
  public var `default`: Default
  /// What a key that is there and null means, where that is another thing than no key.
  public var null: Default?
  /// Words that mean another word in this family.
  public var words: [String: String] = [:]

  init(_ parameter: Parameter, _ keys: [String], _ fallback: Default) {
    self.parameter = parameter
    self.keys = keys
    self.default = fallback
  }

  /// A parameter that keys say.
  public static func key(
    _ parameter: Parameter, _ keys: String..., or fallback: Default = .required, null: Default? = nil,
    words: [String: String] = [:]
  ) -> ParameterRule {
    var rule = ParameterRule(parameter, keys, fallback)
    rule.null = null
    rule.words = words
    return rule
  }

  /// A parameter that the family fixes.
  public static func fixed(_ parameter: Parameter, _ value: Default) -> ParameterRule {
    ParameterRule(parameter, [], value)
  }
}

/// A key that must have one of some values; absent and null count as the first.
public struct Requirement: Sendable {
  public var key: String
  public var values: [ParameterValue]

  public init(_ key: String, _ values: ParameterValue...) {
    self.key = key
    self.values = values
  }
}

extension [ParameterRule] {
  /// The keys that most families since Llama share.
  public static let modern: [ParameterRule] = [
    .key(.vocabularySize, "vocab_size"),
    .key(.width, "hidden_size"),
    .key(.layerCount, "num_hidden_layers"),
    .key(.headCount, "num_attention_heads"),
    .key(.keyValueHeadCount, "num_key_value_heads", or: .same(.headCount)),
    .key(.headSize, "head_dim", or: .quotient(.width, .headCount)),
    .key(.feedForwardSize, "intermediate_size"),
    .key(.contextLength, "max_position_embeddings", or: .absent),
    .key(.activation, "hidden_act", or: .value("silu")),
    .key(.normEpsilon, "rms_norm_eps", or: .value(1e-6)),
    .key(.tiesEmbeddings, "tie_word_embeddings", or: .value(false)),
  ]

  /// Which layers see only a window.
  static let layerTypes: [ParameterRule] = [.key(.layerTypes, "layer_types", or: .absent)]

  /// Rotary embeddings, in the forms that transformers wrote over the years.
  /// Source: transformers 5.23, modeling_rope_utils.py.
  ///
  /// - Parameters:
  ///   - base: What holds where no key says it.
  ///   - fraction: The same, of each head's rotated part; nil for families that always rotate whole heads.
  ///   - places: Where the settings lie, the first that is there first.
  static func rotary(
    base: Double = 10000, fraction: Double? = nil, at places: [String] = ["rope_scaling", "rope_parameters"]
  ) -> [ParameterRule] {
    func key(_ parameter: Parameter, _ name: String, _ fallback: ParameterRule.Default, top: [String] = [])
      -> ParameterRule
    {
      ParameterRule(parameter, places.map { "\($0).\(name)" } + top, fallback)
    }
    let part: [ParameterRule] =
      fraction.map {
        [
          key(
            .rotaryFraction, "partial_rotary_factor", .value(.number($0)),
            top: ["partial_rotary_factor", "rotary_pct", "rope_pct"]),
          .fixed(.rotarySize, .fraction(.headSize, .rotaryFraction)),
        ]
      } ?? [.fixed(.rotarySize, .same(.headSize))]
    return [
      key(.ropeBase, "rope_theta", .value(.number(base)), top: ["rope_theta", "rotary_emb_base"]),
      ParameterRule(.ropeType, places.flatMap { ["\($0).rope_type", "\($0).type"] }, .value("default")),
      key(.ropeFactor, "factor", .absent),
      ParameterRule(
        .ropeOriginalContext,
        ["original_max_position_embeddings"] + places.map { "\($0).original_max_position_embeddings" },
        .same(.contextLength)),
      key(.ropeLowFrequencyFactor, "low_freq_factor", .absent),
      key(.ropeHighFrequencyFactor, "high_freq_factor", .absent),
      key(.ropeFastBeta, "beta_fast", .value(32.0)), key(.ropeSlowBeta, "beta_slow", .value(1.0)),
      key(.ropeMScale, "mscale", .absent), key(.ropeMScaleAllSizes, "mscale_all_dim", .absent),
      key(.ropeAttentionFactor, "attention_factor", .absent),
      key(.ropeShortFactors, "short_factor", .absent), key(.ropeLongFactors, "long_factor", .absent),
      key(.ropeTruncates, "truncate", .value(true)),
    ] + part
  }

  /// Without the rules that a later one replaces.
  var latest: [ParameterRule] {
    var rules: [ParameterRule] = []
    for rule in self {
      if let place = rules.firstIndex(where: { $0.parameter == rule.parameter }) {
        rules[place] = rule
      } else {
        rules.append(rule)
      }
    }
    return rules
  }
}
