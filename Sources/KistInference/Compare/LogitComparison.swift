import Foundation

/// How far logits are from a reference's, position by position.
///
/// KL(reference ‖ candidate) is in nats; perplexities are of the tokens that follow. All sums are f64.
public struct LogitComparison: Sendable {
  public private(set) var positionCount = 0
  public private(set) var largestDifference = 0.0
  /// Where the largest difference is.
  public private(set) var worstPosition: Int?
  /// The reference's largest logit less its smallest.
  public var range: Double { highest - lowest }
  /// KL divergence of each position.
  public private(set) var divergences: [Double] = []
  public private(set) var sameTopOne = 0
  /// Positions at which the two best of the reference are closer than the tolerance, so that another best is no error.
  public private(set) var tiedTopOne = 0
  /// Mean part of the reference's five best that are among the candidate's.
  public var topFiveAgreement: Double { positionCount == 0 ? 1 : topFive / Double(positionCount) }
  public var hasNonfinite: Bool { nonfinite > 0 }

  private var lowest = Double.infinity
  private var highest = -Double.infinity
  private var count = 0
  private var squaredDifference = 0.0
  private var squaredReference = 0.0
  private var squaredCandidate = 0.0
  private var product = 0.0
  private var topFive = 0.0
  private var nonfinite = 0
  private var scored = 0
  private var loss = 0.0
  private var referenceLoss = 0.0

  public init() {}

  public var rootMeanSquare: Double { count == 0 ? 0 : (squaredDifference / Double(count)).squareRoot() }
  /// Σ(a − b)² / Σb².
  public var normalizedError: Double { squaredReference == 0 ? 0 : squaredDifference / squaredReference }
  public var cosine: Double {
    let norms = (squaredReference * squaredCandidate).squareRoot()
    return norms == 0 ? 1 : product / norms
  }
  public var meanDivergence: Double { divergences.isEmpty ? 0 : divergences.reduce(0, +) / Double(divergences.count) }
  public var largestDivergence: Double { divergences.max() ?? 0 }
  public var worstDivergencePosition: Int? { divergences.indices.max { divergences[$0] < divergences[$1] } }
  /// The divergence that 99 of 100 positions stay below.
  public var divergence99: Double {
    guard !divergences.isEmpty else { return 0 }
    return divergences.sorted()[min(divergences.count - 1, Int(0.99 * Double(divergences.count)))]
  }
  /// Nil when no position has a next token.
  public var perplexity: Double? { scored == 0 ? nil : exp(loss / Double(scored)) }
  public var referencePerplexity: Double? { scored == 0 ? nil : exp(referenceLoss / Double(scored)) }

  /// Takes one position's logits of the whole vocabulary.
  ///
  /// - Parameters:
  ///   - next: The token that follows in the text.
  ///   - tie: How close the reference's two best must be to count as equal.
  public mutating func add(_ candidate: ArraySlice<Float>, reference: ArraySlice<Float>, next: Int?, tie: Double = 0) {
    let (a, b) = (candidate.map(Double.init), reference.map(Double.init))
    addDifferences(a, b)
    let (sumA, sumB) = (LogitComparison.logSumExp(a), LogitComparison.logSumExp(b))
    var divergence = 0.0
    for index in b.indices {
      let logReference = b[index] - sumB
      let probability = exp(logReference)
      if probability > 0 { divergence += probability * (logReference - (a[index] - sumA)) }
    }
    divergences.append(divergence.isFinite ? max(0, divergence) : .infinity)
    addRanks(a, b, tie: tie)
    if let next {
      scored += 1
      loss += sumA - a[next]
      referenceLoss += sumB - b[next]
    }
    positionCount += 1
  }

  private mutating func addDifferences(_ a: [Double], _ b: [Double]) {
    for index in b.indices {
      guard a[index].isFinite, b[index].isFinite else {
        nonfinite += 1
        largestDifference = .infinity
        continue
      }
      let difference = a[index] - b[index]
      squaredDifference += difference * difference
      squaredReference += b[index] * b[index]
      squaredCandidate += a[index] * a[index]
      product += a[index] * b[index]
      lowest = min(lowest, b[index])
      highest = max(highest, b[index])
      if abs(difference) > largestDifference {
        largestDifference = abs(difference)
        worstPosition = positionCount
      }
    }
    count += b.count
  }

  private mutating func addRanks(_ a: [Double], _ b: [Double], tie: Double) {
    let (best, reference) = (LogitComparison.best(a, 5), LogitComparison.best(b, 5))
    guard let first = best.first, let expected = reference.first else { return }
    if first == expected {
      sameTopOne += 1
    } else if reference.count > 1, b[expected] - b[first] <= tie {
      tiedTopOne += 1
    }
    topFive += Double(Set(best).intersection(reference).count) / Double(reference.count)
  }

  /// log Σ e^x.
  public static func logSumExp(_ values: [Double]) -> Double {
    guard let largest = values.max(), largest.isFinite else { return .nan }
    return largest + log(values.reduce(0) { $0 + exp($1 - largest) })
  }

  /// Indices of the largest values, best first; of equal ones the lower.
  public static func best<Number: Comparable>(_ values: [Number], _ count: Int) -> [Int] {
    var best: [Int] = []
    for index in values.indices {
      guard best.count < count || values[index] > values[best[best.count - 1]] else { continue }
      let place = best.firstIndex { values[$0] < values[index] } ?? best.count
      best.insert(index, at: place)
      if best.count > count { best.removeLast() }
    }
    return best
  }
}
