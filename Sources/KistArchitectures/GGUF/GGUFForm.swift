/// How a family's checkpoints look as GGUF, where that is not what ``TensorRole/ggufName`` and ``Parameter/ggufKeys`` say.
/// Source: llama.cpp, convert_hf_to_gguf.py and gguf-py/gguf/constants.py.
public struct GGUFForm: Sendable {
  /// `general.architecture`.
  public var name: String
  /// What tells the family from others of that name; nil for the one that is left.
  public var mark: Mark?
  /// Rules in place of those that the family and the table of keys give.
  public var parameters: [ParameterRule]
  /// What the metadata of such files says, as llama.cpp's converter writes it.
  public var keys: [GGUFKey]
  /// Rules in place of those that the table of names gives for their roles.
  public var tensors: [TensorRule]
  /// How config.json says what such files say otherwise: values of parameters that only config.json has, made of those that are in the
  /// file; those with keys are written beside the family's own.
  public var configuration: [ParameterRule]
  /// Tensors that are made of the configuration.
  public var factors: [GGUFFactors]
  public var vocabulary: GGUFVocabulary

  /// A key of the metadata, after the architecture's name.
  public enum Mark: Sendable {
    case has(String)
    case value(String, ParameterValue)
  }

  public init(
    _ name: String, vocabulary: GGUFVocabulary, mark: Mark? = nil, keys: [GGUFKey], parameters: [ParameterRule] = [],
    tensors: [TensorRule] = [],
    configuration: [ParameterRule] = [], factors: [GGUFFactors] = []
  ) {
    self.name = name
    self.mark = mark
    self.keys = keys
    self.parameters = parameters
    self.tensors = tensors
    self.configuration = configuration
    self.factors = factors
    self.vocabulary = vocabulary
  }
}

extension Architecture {
  /// The same family with the names, forms and keys of its GGUF files; nil when GGUF has no such family.
  ///
  /// What GGUF does not say keeps the family's own default: an activation, the number of layers between two of another kind.
  public var inGGUF: Architecture? {
    guard let form = gguf else { return nil }
    var family = self
    let fromKeys = parameters.map { rule in
      var rule = rule
      rule.keys = rule.parameter.ggufKeys
      rule.null = nil
      return rule
    }
    family.parameters = (fromKeys + GGUFForm.parameters + form.parameters).latest
    family.requirements = []
    family.ignoredKeys = []
    family.tensors = tensors.ggufStandard(replacedBy: form.tensors)
    family.optionalPrefixes = []
    family.longerPrefixes = []
    family.olderEndings = [:]
    family.ignoredTensors = ["rope_freqs.weight", "rope_factors_long.weight", "rope_factors_short.weight"]
    return family
  }
}

extension GGUFForm {
  /// What GGUF says in the same way for all families.
  fileprivate static let parameters: [ParameterRule] = [
    .key(.queryRank, "attention.q_lora_rank", or: .absent),
    .key(.tiesEmbeddings, GGUFSource.lacks("output.weight")),
    .key(.hasRopeFactors, GGUFSource.has("rope_factors_long.weight")),
    .key(
      .ropeType, "rope.scaling.type",
      or: .when(.hasRopeFactors, .value("longrope"), otherwise: .value("default"))),
    .key(.ropeFrequencyFactors, GGUFSource.values("rope_freqs.weight"), or: .absent),
  ]
}

extension [TensorRule] {
  /// The rules of the same roles under GGUF's names, each tensor in its plain form.
  fileprivate func ggufStandard(replacedBy others: [TensorRule]) -> [TensorRule] {
    var rules: [TensorRule] = others
    let replaced = Set(others.map { TensorKey($0.role, $0.part) })
    var done: Set<TensorKey> = []
    for rule in self where !replaced.contains(TensorKey(rule.role, rule.part)) {
      guard let name = rule.role.ggufName, done.insert(TensorKey(rule.role, rule.part)).inserted else { continue }
      // Of rules that a flag chooses between, one is left, always.
      let alternatives = filter { $0.role == rule.role && $0.part == rule.part }.count
      rules.append(
        TensorRule(
          rule.role, "\(name).\(rule.part.rawValue)", part: rule.part, form: rule.role.isOfExpert ? .stacked : .plain,
          presence: alternatives > 1 ? .always : rule.presence))
    }
    return rules
  }
}
