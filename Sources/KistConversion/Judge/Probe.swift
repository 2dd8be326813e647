import KistCore
import KistInference

/// What a model computed on one prompt when it was recorded.
public struct Probe: Sendable, Equatable {
  /// The prompt as text, where it was one.
  public var text: String?
  public var tokens: [Int]
  /// Positions whose logits are kept whole.
  public var positions: [Int]
  /// [positions, vocabulary].
  public var logits: [Float]
  /// For every position, the tokens of the highest logits, [tokens, best].
  public var bestTokens: [Int]
  public var bestLogits: [Float]
  /// log Σ e^logit of every position.
  public var logSumExp: [Float]
  /// An encoder's sentence vector instead of logits.
  public var pooled: [Float]

  /// How many logits are kept at a position that is not kept whole.
  static let bestCount = 64
}

/// A container's record `kist:probes`: what the model computes, and who says so. Written when the container is made, checked by
/// `kist verify` from then on.
public struct ProbeSet: Sendable, Equatable {
  /// The engine and version that computed them: `kist 0.1.0`, `transformers 5.23.0`.
  public var engine: String
  /// Dtypes of the weights that they were computed from.
  public var dtypes: [String]
  public var vocabularySize: Int
  public var probes: [Probe]
}

extension ProbeSet {
  /// Runs a model on the usual prompts.
  public init(of model: LoadedModel, parallelism: Parallelism) throws(KistError) {
    engine = KistVersion.name
    dtypes = model.dtypes
    vocabularySize = model.model.vocabularySize
    let prompts = VerificationTexts.tokens(for: model)
    let session = Session(model.weights, textCount: prompts.count, parallelism: parallelism)
    let states = try session.advance(texts: prompts.map(\.tokens))
    probes = []
    var row = 0
    for prompt in prompts {
      let rows = row..<row + prompt.tokens.count
      row = rows.upperBound
      var probe = Probe(
        text: prompt.text, tokens: prompt.tokens, positions: [], logits: [], bestTokens: [], bestLogits: [],
        logSumExp: [], pooled: [])
      if model.model.head.hasLogits {
        probe.record(try session.logits(states, rows: rows).numbers(), vocabularySize)
      } else {
        probe.pooled = try model.pooling().pool(states, rows: rows)
      }
      probes.append(probe)
    }
  }

  /// What another program recorded.
  public init(_ golden: LogitFile, of model: LoadedModel) throws(KistError) {
    guard golden.vocabularySize == model.model.vocabularySize else {
      throw KistError(
        .invalid, file: golden.path,
        "has logits of \(golden.vocabularySize) tokens, and the model a vocabulary of \(model.model.vocabularySize)")
    }
    engine = golden.reference ?? "an unnamed program"
    dtypes = model.dtypes
    vocabularySize = golden.vocabularySize
    var probe = Probe(
      text: nil, tokens: golden.tokens, positions: [], logits: [], bestTokens: [], bestLogits: [], logSumExp: [],
      pooled: [])
    probe.record(golden.logits, vocabularySize)
    probes = [probe]
  }
}

extension Probe {
  /// Keeps the logits of all positions: three whole, of the others the highest.
  fileprivate mutating func record(_ all: [Float], _ size: Int) {
    let count = tokens.count
    positions = Array(Set([count / 4, count / 2, count - 1])).sorted()
    for position in 0..<count {
      let own = Array(all[position * size..<(position + 1) * size])
      if positions.contains(position) { logits += own }
      let best = LogitComparison.best(own, min(Probe.bestCount, size))
      bestTokens += best
      bestLogits += best.map { own[$0] }
      logSumExp.append(Float(LogitComparison.logSumExp(own.map(Double.init))))
    }
  }
}

extension LoadedModel {
  /// Dtypes of the weights that the forward pass reads.
  var dtypes: [String] { Set(model.tensorKeys.compactMap { weights.dtype(of: $0)?.name }).sorted() }
}
