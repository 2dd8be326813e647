import KistCore

extension FeedForwardDescription {
  init(_ architecture: Architecture, _ parameters: Parameters, layer: Int) throws(KistError) {
    let rule = architecture.feedForward
    size = try parameters.integer(.feedForwardSize)
    isGated = try rule.isGated.value(parameters)
    swishLimit = rule.isClampedSwish ? Float(try parameters.number(.swishLimit)) : nil
    let name = try parameters.text(.activation)
    guard let activation = Activation.named[name] else {
      throw parameters.unsupported(.activation, "'\(name)' is no activation that this version knows")
    }
    self.activation = activation
    if try rule.expertLayers.contains(layer, parameters) { experts = try ExpertsDescription(rule, parameters) }
  }
}

extension Activation {
  /// As configurations write them. Source: transformers 5.23, activations.py, ACT2FN.
  static let named: [String: Activation] = [
    "silu": .silu, "swish": .silu, "gelu": .gelu, "gelu_python": .gelu, "gelu_new": .geluTanh,
    "gelu_pytorch_tanh": .geluTanh, "gelu_fast": .geluTanh, "gelu_accurate": .geluTanh, "quick_gelu": .geluQuick,
    "relu": .relu, "relu2": .reluSquared,
  ]
}

extension ExpertsDescription {
  init(_ rule: FeedForward, _ parameters: Parameters) throws(KistError) {
    count = try parameters.integer(.expertCount, atMost: ModelDescription.mostExperts)
    guard count * (try parameters.integer(.layerCount)) <= ModelDescription.mostExpertsInAll else {
      throw parameters.unsupported(.expertCount, "\(count) experts in each layer are too many")
    }
    perToken = try parameters.integer(.expertsPerToken)
    size = try parameters.integer(parameters[.expertSize] == nil ? .feedForwardSize : .expertSize)
    scoring = try rule.routing.scoring.value(parameters)
    groups = try rule.routing.groups.value(parameters)
    groupCount = try groups == .none ? 1 : parameters.integer(.expertGroupCount)
    groupsPerToken = try groups == .none ? 1 : parameters.integer(.expertGroupsPerToken)
    normalizesWeights = try parameters.flag(.normalizesExpertWeights)
    weightScale = Float(try parameters.optionalNumber(.expertWeightScale) ?? 1)
    hasCorrection = rule.routing.hasCorrection
    hasRouterBias = rule.routing.hasBias
    gatesShared = rule.gatesSharedExpert
    sharedSize = try parameters.optionalInteger(.sharedExpertSize)
    guard perToken <= count else {
      throw parameters.unsupported(.expertsPerToken, "\(perToken) of \(count) experts can't be taken")
    }
    guard count % groupCount == 0, groupsPerToken <= groupCount,
      count / groupCount * groupsPerToken >= perToken, groups != .byBestTwo || count / groupCount >= 2
    else { throw parameters.unsupported(.expertGroupCount, "does not go with \(count) experts, \(perToken) a token") }
  }
}
