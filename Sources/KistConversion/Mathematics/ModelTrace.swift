import Foundation
import KistArchitectures
import KistCore
import KistInference

/// A text's way through a model: what every step gives, and what each layer would predict.
public struct ModelTrace: Sendable {
  /// One step's output.
  public struct StepRow: Sendable, Codable, Equatable {
    public var step: String
    /// Names of the weights that it reads, as the file has them.
    public var tensors: [String]
    /// [tokens, …]
    public var shape: [Int]
    /// The mean length of a token's row.
    public var norm: Double
    /// √ of the mean square of all numbers, and the largest without its sign.
    public var rms: Double
    public var max: Double
  }

  /// The residual stream after the embedding or a layer.
  public struct StreamRow: Sendable, Codable, Equatable {
    /// Nil after the embedding.
    public var layer: Int?
    /// The length of each token's state.
    public var norms: [Double]
    /// The likeliest next tokens if this were the last layer, at the position that is looked at; empty for an encoder.
    public var lens: [TokenProbability]
  }

  public private(set) var tokens: [Int]
  public private(set) var labels: [String]
  /// The token whose next is predicted.
  public private(set) var position: Int
  public private(set) var steps: [StepRow] = []
  public private(set) var stream: [StreamRow] = []

  /// Runs a model over tokens.
  ///
  /// - Parameters:
  ///   - position: The token at which the lens looks; the last when nil.
  ///   - count: How many of the likeliest tokens a lens keeps.
  public init(
    _ model: LoadedModel, tokens: [Int], position: Int? = nil, count: Int = 3, parallelism: Parallelism
  ) throws(KistError) {
    let position = position ?? tokens.count - 1
    guard tokens.indices.contains(position) else {
      throw KistError(.invalid, field: "--position", "\(position): the text has tokens 0 to \(tokens.count - 1)")
    }
    self.tokens = tokens
    labels = model.labels(of: tokens)
    self.position = position
    let session = try Session(model.weights, parallelism: parallelism)
    let record = TraceRecord(model.weights)
    let states = try session.advance(tokens) { step, _, output throws(KistError) in record.add(step, output) }
    if model.model.head.hasLogits {
      _ = try session.logits(states, rows: tokens.count - 1..<tokens.count) { step, _, output throws(KistError) in
        record.add(step, output)
      }
    }
    steps = record.steps
    for (layer, state) in record.streams {
      var lens: [TokenProbability] = []
      if model.model.head.hasLogits {
        lens = try model.likeliest(session.lens(state.copy(ofRows: position..<position + 1)).numbers(), count)
      }
      stream.append(StreamRow(layer: layer, norms: (0..<state.rowCount).map { state.length(ofRow: $0) }, lens: lens))
    }
  }
}

extension LoadedModel {
  /// The likeliest tokens by logits.
  func likeliest(_ logits: [Float], _ count: Int) -> [TokenProbability] {
    let values = logits.map(Double.init)
    let sum = LogitComparison.logSumExp(values)
    return LogitComparison.best(values, count).map { token in
      TokenProbability(token: token, text: labels(of: [token])[0], probability: exp(values[token] - sum))
    }
  }
}

/// What a trace keeps while a model runs: a step's matrices are gone after it.
private final class TraceRecord {
  private let weights: WeightTable
  private(set) var steps: [ModelTrace.StepRow] = []
  /// The stream after the embedding and after each layer.
  private(set) var streams: [(layer: Int?, state: Matrix)] = []

  init(_ weights: WeightTable) { self.weights = weights }

  func add(_ step: Step, _ output: Matrix) {
    let numbers = output.numbers()
    let squares = numbers.reduce(0) { $0 + Double($1) * Double($1) }
    let lengths = (0..<output.rowCount).reduce(0) { $0 + output.length(ofRow: $1) }
    steps.append(
      ModelTrace.StepRow(
        step: step.name, tensors: step.operation.readsManyTensors ? [] : step.tensors.compactMap(weights.fileName),
        shape: [output.rowCount, output.columnCount], norm: lengths / Double(max(1, output.rowCount)),
        rms: (squares / Double(max(1, numbers.count))).squareRoot(),
        max: numbers.reduce(0) { Swift.max($0, Double(abs($1))) }))
    guard step.output == .stream, step.layer != nil || streams.allSatisfy({ $0.layer == nil }) else { return }
    if let last = streams.last, last.layer == step.layer { streams.removeLast() }
    streams.append((step.layer, output.copy()))
  }
}

extension KistInference.Operation {
  /// Experts have a tensor for each: too many to name.
  fileprivate var readsManyTensors: Bool { if case .experts = self { true } else { false } }
}

extension Matrix {
  fileprivate func length(ofRow row: Int) -> Double {
    numbers(ofRows: row..<row + 1).reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
  }
}
