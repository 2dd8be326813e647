import Foundation
import KistCheckpoints
import KistCore
import KistInference

/// What each head of a model looks at over a text: softmax(Q·Kᵀ ÷ √d), a row of weights for each token.
public struct AttentionMaps: Sendable {
  public let tokens: [Int]
  public let labels: [String]
  /// The number of each layer that is here.
  public let layers: Range<Int>
  public let headCount: Int
  /// [layers, heads, queries, keys]
  public let weights: [Float]

  public var tokenCount: Int { tokens.count }

  /// Runs a model over tokens.
  ///
  /// - Parameter layers: Whose weights are kept; all when nil.
  /// - Throws: `invalid` for a layer that there is not, or more weights than memory should hold.
  public init(
    _ model: LoadedModel, tokens: [Int], layers: Range<Int>? = nil, parallelism: Parallelism
  ) throws(KistError) {
    let all = model.model.layers
    let layers = layers ?? all.indices
    guard all.indices.contains(layers), let first = layers.first else {
      throw KistError(.invalid, field: "--layer", "the model has layers 0 to \(all.count - 1)")
    }
    let headCount = all[first].attention.headCount
    guard all[layers].allSatisfy({ $0.attention.headCount == headCount }) else {
      throw KistError(
        .unsupported, file: model.path, "has layers of different numbers of heads", advice: "take one with --layer")
    }
    let (count, overflows) = (layers.count * headCount * tokens.count)
      .multipliedReportingOverflow(by: tokens.count)
    guard !overflows, count <= AttentionMaps.mostWeights else {
      throw KistError(
        .invalid, field: "text",
        "\(tokens.count) tokens have \(Quantity.count(count)) weights in these layers, too many to keep",
        advice: "take a shorter text, or one layer with --layer")
    }
    self.tokens = tokens
    labels = model.labels(of: tokens)
    self.layers = layers
    self.headCount = headCount
    let kept = WeightList(capacity: count)
    let session = try Session(model.weights, parallelism: parallelism)
    try session.attentionWeights(tokens, layers: layers) { layer throws(KistError) in kept.weights += layer.weights }
    weights = kept.weights
  }

  /// 2 GiB of them.
  private static let mostWeights = 1 << 29

  private final class WeightList {
    var weights: [Float] = []

    init(capacity: Int) { weights.reserveCapacity(capacity) }
  }

  /// What one head's queries look at: [queries, keys].
  public func head(_ head: Int, layer: Int) -> ArraySlice<Float> {
    let size = tokenCount * tokenCount
    let start = ((layer - layers.lowerBound) * headCount + head) * size
    return weights[start..<start + size]
  }

  /// The mean over some heads of some layers: [queries, keys].
  public func mean(layers: Range<Int>) -> [Float] {
    var sums = [Double](repeating: 0, count: tokenCount * tokenCount)
    for layer in layers {
      for head in 0..<headCount {
        for (index, weight) in self.head(head, layer: layer).enumerated() { sums[index] += Double(weight) }
      }
    }
    return sums.map { Float($0 / Double(layers.count * headCount)) }
  }

  /// Writes a .npy file, F32 [layers, heads, queries, keys].
  ///
  /// - Throws: `conflict` when the target exists and is not to be replaced.
  public func writeArray(to path: String, replacingExisting: Bool) throws(KistError) {
    if !replacingExisting { try requireAbsent(path) }
    let shape = Shape([layers.count, headCount, tokenCount, tokenCount])
    let target = try NewFile(target: path)
    let header = try NpyFile.header(dtype: .f32, shape: shape)
    try target.output.write(header, at: 0)
    try target.output.write(weights.littleEndianBytes, at: header.count)
    try target.commit(replacing: replacingExisting)
  }
}

extension AttentionMaps {
  /// What one head mostly does, in numbers: parts of its weight, means over the text's tokens.
  public struct HeadSummary: Sendable, Codable, Equatable {
    public var layer: Int
    public var head: Int
    /// On the token itself, on the one before it, and on the first.
    public var own: Double
    public var previous: Double
    public var first: Double
    /// −Σ w log w, in nats: 0 looks at one token, log n at n tokens alike.
    public var entropy: Double

    enum CodingKeys: String, CodingKey {
      case layer, head, previous, first, entropy
      case own = "self"
    }
  }

  public var summaries: [HeadSummary] {
    layers.flatMap { layer in (0..<headCount).map { summary(of: $0, layer: layer) } }
  }

  func summary(of head: Int, layer: Int) -> HeadSummary {
    let weights = Array(self.head(head, layer: layer))
    let count = tokenCount
    func mean(_ rows: Range<Int>, _ value: (Int) -> Double) -> Double {
      rows.isEmpty ? 0 : rows.reduce(0) { $0 + value($1) } / Double(rows.count)
    }
    let entropy = mean(0..<count) { row in
      weights[row * count..<(row + 1) * count].reduce(0) { $1 > 0 ? $0 - Double($1) * log(Double($1)) : $0 }
    }
    return HeadSummary(
      layer: layer, head: head, own: mean(0..<count) { Double(weights[$0 * count + $0]) },
      previous: mean(1..<max(1, count)) { Double(weights[$0 * count + $0 - 1]) },
      first: mean(1..<max(1, count)) { Double(weights[$0 * count]) }, entropy: entropy)
  }
}
