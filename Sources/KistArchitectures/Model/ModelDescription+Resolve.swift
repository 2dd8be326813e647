import Foundation
import KistCore

extension ModelDescription {
  /// Puts a configuration's numbers into an architecture.
  ///
  /// - Throws: `unsupported` or `damaged`, naming the key, when the configuration says something that is not computed here or
  ///   contradicts itself.
  public init(_ architecture: Architecture, _ parameters: Parameters) throws(KistError) {
    self.architecture = architecture
    self.parameters = parameters
    vocabularySize = try parameters.integer(.vocabularySize)
    width = try parameters.integer(.width)
    contextLength = try parameters.optionalInteger(.contextLength)
    norm = try architecture.norm.value(parameters)
    normEpsilon = Float(try parameters.number(.normEpsilon))
    embedding = try EmbeddingDescription(architecture, parameters, width: width)
    let count = try parameters.integer(.layerCount, atMost: ModelDescription.mostLayers)
    var layers: [LayerDescription] = []
    for index in 0..<count { layers.append(try LayerDescription(architecture, parameters, layer: index)) }
    self.layers = layers
    head = try HeadDescription(architecture, parameters, width: width)
  }

  // No model has more; a configuration that says so is not believed, before lists of that length are made.
  static let mostLayers = 4096
  static let mostHeads = 4096
  static let mostExperts = 4096
  /// Of all layers together.
  static let mostExpertsInAll = 1 << 18
}

extension EmbeddingDescription {
  init(_ architecture: Architecture, _ parameters: Parameters, width: Int) throws(KistError) {
    let rule = architecture.embedding
    tableWidth = try parameters.optionalInteger(.embeddingWidth) ?? width
    positionOffset = parameters[.positionOffset] == nil ? 0 : try parameters.index(.positionOffset)
    positionCount = rule.hasLearnedPositions ? try parameters.integer(.contextLength) : nil
    tokenTypeCount = rule.hasTokenTypes ? try parameters.integer(.tokenTypeCount) : nil
    hasNorm = rule.hasNorm
    // transformers rounds Gemma's scale to the dtype of the model; in f32 that is f32.
    scale =
      rule.scalesBySquareRootOfWidth
      ? Float(Double(width).squareRoot()) : Float(try parameters.optionalNumber(.embeddingScale) ?? 1)
  }
}

extension HeadDescription {
  init(_ architecture: Architecture, _ parameters: Parameters, width: Int) throws(KistError) {
    hasNorm = try architecture.head.hasNorm.value(parameters)
    hasLogits = architecture.head.hasLogits
    isTied = try parameters.flag(.tiesEmbeddings)
    let tableWidth = try parameters.optionalInteger(.embeddingWidth) ?? width
    projectedWidth = tableWidth == width ? nil : tableWidth
    softCap = try parameters.optionalNumber(.logitSoftCap).map { Float($0) }
    var scale = try parameters.optionalNumber(.logitScale) ?? 1
    if architecture.head.dividesByLogitScale { scale = 1 / scale }
    // MiniCPM: states are divided by width / base before the head.
    if let base = try parameters.optionalNumber(.headWidthBase) { scale *= base / Double(width) }
    self.scale = Float(scale)
  }
}

extension LayerDescription {
  init(_ architecture: Architecture, _ parameters: Parameters, layer: Int) throws(KistError) {
    residual = try architecture.residual.value(parameters)
    var scale = try parameters.optionalNumber(.residualScale) ?? 1
    // MiniCPM: depth scale / √layers.
    if let depth = try parameters.optionalNumber(.residualDepthScale) {
      scale = depth / Double(try parameters.integer(.layerCount)).squareRoot()
    }
    residualScale = Float(scale)
    attention = try AttentionDescription(architecture, parameters, layer: layer)
    feedForward = try FeedForwardDescription(architecture, parameters, layer: layer)
  }
}

extension AttentionDescription {
  init(_ architecture: Architecture, _ parameters: Parameters, layer: Int) throws(KistError) {
    let rule = architecture.attention
    headCount = try parameters.integer(.headCount, atMost: ModelDescription.mostHeads)
    keyValueHeadCount = try parameters.integer(.keyValueHeadCount)
    headSize = try parameters.integer(.headSize)
    valueHeadSize = try parameters.optionalInteger(.valueHeadSize) ?? headSize
    guard headCount % keyValueHeadCount == 0 else {
      throw parameters.unsupported(
        .keyValueHeadCount, "\(headCount) heads can't share \(keyValueHeadCount) key heads evenly")
    }
    isCausal = architecture.kind == .decoder
    window = try rule.windowLayers.contains(layer, parameters) ? try parameters.optionalInteger(.window) : nil
    softCap = try parameters.optionalNumber(.attentionSoftCap).map { Float($0) }
    clip = try parameters.optionalNumber(.clipsQueryKeyValue).map { Float($0) }
    queryKeyNorm = try rule.queryKeyNorm.value(parameters)
    let norm = try architecture.norm.value(parameters)
    queryKeyNormKind = rule.queryKeyNormKind ?? norm
    hasSinks = rule.hasSinks
    roundsAndScalesSlopes = false
    latent = rule.isLatent ? try LatentDescription(parameters) : nil
    switch try rule.positions.value(parameters) {
    case .none: break
    case .alibi: slopes = AttentionDescription.slopes(headCount)
    case .roundedALiBi:
      slopes = AttentionDescription.slopes(headCount).map(AttentionDescription.roundedToBF16)
      roundsAndScalesSlopes = true
    case .rotary(let pairs) where try rule.rotaryLayers.contains(layer, parameters):
      let isLocal = try rule.localRotaryLayers.contains(layer, parameters)
      rotary = try RotaryDescription(pairs, parameters, isLocal: isLocal)
      if let size = rotary?.size, size > (latent?.rotarySize ?? headSize) {
        throw parameters.unsupported(.rotarySize, "rotates \(size) numbers of a head of \(headSize)")
      }
    case .rotary: break
    }
    scale = 1
    scale = try Float(scale(rule, parameters, layer: layer))
  }

  private func scale(_ rule: Attention, _ parameters: Parameters, layer: Int) throws(KistError) -> Double {
    var scale =
      switch try rule.scale.value(parameters) {
      case .headSize: 1 / Double(headSize).squareRoot()
      case .inverseSquareRoot(let parameter): 1 / (try parameters.positive(parameter)).squareRoot()
      case .parameter(let parameter): try parameters.number(parameter)
      case .headSizeAndContext: 1 / Double(headSize).squareRoot() * (try squaredContextScale(parameters))
      }
    if try rule.dividesByLayer.value(parameters) { scale /= Double(layer + 1) }
    return scale
  }

  private func squaredContextScale(_ parameters: Parameters) throws(KistError) -> Double {
    guard case .yarn(let factor, _, _, _, _, _) = rotary?.scaling,
      let allSizes = try parameters.optionalNumber(.ropeMScaleAllSizes), allSizes != 0
    else { return 1 }
    let scale = RotaryDescription.Scaling.yarnScale(factor, allSizes)
    return scale * scale
  }

  /// The nearest bf16, ties to even.
  static func roundedToBF16(_ value: Float) -> Float {
    let bits = value.bitPattern
    return Float(bitPattern: (bits &+ 0x7FFF &+ (bits >> 16 & 1)) & 0xFFFF_0000)
  }

  /// Slopes of ALiBi: powers of 2^(−8/n), and for the heads past a power of two every other of the next series.
  /// Source: Press, Smith and Lewis 2022; transformers 5.23, modeling_bloom.py.
  static func slopes(_ headCount: Int) -> [Float] {
    let power = 1 << (Int.bitWidth - 1 - headCount.leadingZeroBitCount)
    func series(_ count: Int, _ exponents: [Int]) -> [Float] {
      let base = Float(pow(2, -pow(2, -(log2(Double(count)) - 3))))
      return exponents.map { powf(base, Float($0)) }
    }
    return series(power, Array(1...power)) + series(2 * power, (0..<headCount - power).map { 2 * $0 + 1 })
  }
}

extension LatentDescription {
  init(_ parameters: Parameters) throws(KistError) {
    queryRank = try parameters.optionalInteger(.queryRank)
    keyValueRank = try parameters.integer(.keyValueRank)
    rotarySize = try parameters.integer(.rotaryHeadSize)
    plainSize = try parameters.integer(.plainHeadSize)
    normEpsilon = Float(try parameters.number(.latentNormEpsilon))
  }
}
