/// A number or word of a model's configuration, as Kist calls it in every format.
public enum Parameter: String, Sendable, CaseIterable {
  // Sizes.
  case vocabularySize, width, layerCount, contextLength, positionCount, positionOffset, paddingToken, tokenTypeCount
  case embeddingWidth
  // Attention.
  case headCount, keyValueHeadCount, sharedHeadCount, headSize, valueHeadSize, window, usesWindow, firstWindowLayer,
    windowPattern
  case queryScalar, attentionScale, attentionSoftCap, clipsQueryKeyValue, scalesAttention, dividesAttentionByLayer
  case normalizesQueryKey, layerTypes, rotaryLayers, rotaryLayerInterval, usesALiBi
  // Latent attention.
  case queryRank, keyValueRank, rotaryHeadSize, plainHeadSize, latentNormEpsilon
  // Rotary.
  case ropeBase, localRopeBase, rotaryFraction, rotarySize, ropeType, ropeFactor, ropeOriginalContext
  case ropeLowFrequencyFactor, ropeHighFrequencyFactor, ropeFastBeta, ropeSlowBeta, ropeMScale, ropeMScaleAllSizes
  case ropeAttentionFactor, ropeShortFactors, ropeLongFactors, ropeFrequencyFactors, ropeTruncates, interleavesRotary
  case hasRopeFactors, ropeLogMultiplier
  // Feed-forward and experts.
  case feedForwardSize, activation, isGated
  case expertCount, expertsPerToken, expertSize, sharedExpertCount, sharedExpertSize, expertGroupCount
  case expertGroupsPerToken, normalizesExpertWeights, expertWeightScale, denseLayers, firstExpertLayer
  case expertLayerInterval, swishLimit, expertScoring, expertSelection, limitsExpertGroups, takesAllGroups
  // Norms and residuals.
  case normEpsilon, hasNormWeights, isParallel, parallelNormCount, hasTwoNorms, normalizesBefore, removesFinalNorm
  case addsAfterNorm
  // Biases.
  case attentionBias, queryKeyValueBias, attentionOutputBias, feedForwardBias, headBias
  // Scales.
  case embeddingScale, residualScale, residualDepthScale, logitScale, headWidthBase, logitSoftCap
  case tiesEmbeddings
  // Layouts that a flag chooses.
  case isMultiQuery, isNewDecoder
  // How weights are stored.
  case quantization, isMXFP4
}

/// A value of a configuration.
public enum ParameterValue: Sendable, Equatable {
  case flag(Bool)
  case integer(Int)
  case number(Double)
  case text(String)
  case list([ParameterValue])

  public var flag: Bool? { if case .flag(let value) = self { value } else { nil } }
  public var integer: Int? {
    switch self {
    case .integer(let value): value
    case .number(let value): Int(exactly: value)
    default: nil
    }
  }
  public var number: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .number(let value): value
    default: nil
    }
  }
  public var text: String? { if case .text(let value) = self { value } else { nil } }
  public var list: [ParameterValue]? { if case .list(let values) = self { values } else { nil } }

  /// The value for a person.
  public var description: String {
    switch self {
    case .flag(let value): "\(value)"
    case .integer(let value): "\(value)"
    case .number(let value): "\(value)"
    case .text(let value): "'\(value)'"
    case .list(let values): "[\(values.map(\.description).joined(separator: ", "))]"
    }
  }
}

extension ParameterValue: ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
  ExpressibleByStringLiteral
{
  public init(booleanLiteral value: Bool) { self = .flag(value) }
  public init(integerLiteral value: Int) { self = .integer(value) }
  public init(floatLiteral value: Double) { self = .number(value) }
  public init(stringLiteral value: String) { self = .text(value) }
}
