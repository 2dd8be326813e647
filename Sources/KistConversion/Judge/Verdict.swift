import KistCore
import KistInference

/// Whether a model computes what a reference says, with the evidence: a part of what `kist verify --json` prints.
public struct Verdict: Sendable, Codable, Equatable {
  /// Whether the model stays within the tolerance.
  public var matches: Bool
  /// Whose word it is checked against: `transformers 5.23.0`, the path of another model as computed by Kist.
  public var reference: String
  public var positionCount: Int
  public var largestDifference: Double
  public var worstPosition: Int?
  /// The reference's largest logit less its smallest.
  public var range: Double
  public var rootMeanSquare: Double
  public var normalizedError: Double
  public var cosine: Double
  public var divergence: Divergence
  public var topOneAgreement: Double
  public var topFiveAgreement: Double
  public var perplexity: Double?
  public var referencePerplexity: Double?
  /// The tolerance that decided, for a person.
  public var tolerance: String
  /// Where tokenizers or chat templates differ; that alone is no match.
  public var differences: [String]

  /// KL(reference ‖ candidate), nats.
  public struct Divergence: Sendable, Codable, Equatable {
    public var mean: Double
    public var percentile99: Double
    public var largest: Double
    public var worstPosition: Int?

    enum CodingKeys: String, CodingKey {
      case mean
      case percentile99 = "p99"
      case largest = "max"
      case worstPosition = "worst_position"
    }
  }

  enum CodingKeys: String, CodingKey {
    case matches, reference, range, cosine, tolerance, differences, perplexity
    case positionCount = "positions"
    case largestDifference = "max_difference"
    case worstPosition = "worst_position"
    case rootMeanSquare = "rmse"
    case normalizedError = "nmse"
    case divergence = "kl"
    case topOneAgreement = "top1"
    case topFiveAgreement = "top5"
    case referencePerplexity = "reference_perplexity"
  }

  public init(
    _ comparison: LogitComparison, reference: String, tolerance: Tolerance, differences: [String] = []
  ) {
    matches = tolerance.allows(comparison) && differences.isEmpty
    self.reference = reference
    positionCount = comparison.positionCount
    largestDifference = comparison.largestDifference
    worstPosition = comparison.worstPosition
    range = comparison.range
    rootMeanSquare = comparison.rootMeanSquare
    normalizedError = comparison.normalizedError
    cosine = comparison.cosine
    divergence = Divergence(
      mean: comparison.meanDivergence, percentile99: comparison.divergence99, largest: comparison.largestDivergence,
      worstPosition: comparison.worstDivergencePosition)
    let count = Double(max(1, comparison.positionCount))
    topOneAgreement = Double(comparison.sameTopOne + comparison.tiedTopOne) / count
    topFiveAgreement = comparison.topFiveAgreement
    perplexity = comparison.perplexity
    referencePerplexity = comparison.referencePerplexity
    self.tolerance = tolerance.description
    self.differences = differences
  }
}

extension Verdict {
  /// What it comes to, in words. A quantized model may stay within what its types explain and yet prefer other tokens.
  public var summary: String {
    guard matches else { return "computes something else" }
    return topOneAgreement < 1 ? "computes nearly the same" : "computes the same"
  }
}

extension Tolerance: CustomStringConvertible {
  public var description: String {
    if let difference { return "\(reason): max |Δ| ≤ \(difference) of the range, top-1 equal save for ties" }
    if let meanDivergence { return "\(reason): mean KL ≤ \(meanDivergence)" }
    return "\(reason): reported, not judged"
  }
}
