import Foundation
import KistArchitectures
import KistCore
import KistInference

/// What a model computes on some texts, kept to be compared with what it computes when some of its tensors are others.
final class DivergenceMeter {
  private let model: LoadedModel
  private let texts: [[Int]]
  private let parallelism: Parallelism
  /// The stream before each layer, so that only what comes after a change is computed again.
  private var streams: [Int: Matrix] = [:]
  private let states: Matrix
  private let reference: Session
  /// Kept where they are few.
  private var expected: [PositionExpectation] = []

  /// Positions whose logits are in memory at a time.
  private static let blockSize = 32
  /// More probabilities than these are computed anew each time.
  private static let mostKept = 1 << 25
  /// Positions that show how much a tensor matters.
  static let fewPositions = 256

  var positionCount: Int { states.rowCount }

  /// - Parameter most: positions that are taken of the texts.
  init(
    _ model: LoadedModel, texts: [[Int]], most: Int = .max, parallelism: Parallelism
  ) throws(KistError) {
    self.model = model
    self.parallelism = parallelism
    self.texts = DivergenceMeter.prefix(of: texts, most)
    let session = try Session(model.weights, textCount: self.texts.count, parallelism: parallelism)
    reference = session
    let keepsStreams = self.texts.reduce(0) { $0 + $1.count } <= Self.fewPositions
    var streams: [Int: Matrix] = [:]
    states = try session.advance(texts: self.texts) { step, inputs, _ in
      if keepsStreams, let layer = step.layer, streams[layer] == nil, step.inputs.first == .stream {
        streams[layer] = inputs[0].copy()
      }
    }
    self.streams = streams
    guard model.model.head.hasLogits, states.rowCount * model.model.vocabularySize <= Self.mostKept else { return }
    for start in stride(from: 0, to: states.rowCount, by: Self.blockSize) {
      expected += try expectations(start..<min(start + Self.blockSize, states.rowCount))
    }
  }

  private func expectations(_ rows: Range<Int>) throws(KistError) -> [PositionExpectation] {
    guard expected.count < rows.upperBound else { return Array(expected[rows]) }
    return PositionExpectation.all(in: try reference.logits(states, rows: rows))
  }

  private static func prefix(of texts: [[Int]], _ count: Int) -> [[Int]] {
    var left = count
    var taken: [[Int]] = []
    for text in texts where left > 0 {
      taken.append(Array(text.prefix(left)))
      left -= text.count
    }
    return taken
  }

  /// How far the model is from itself when some tensors are others: the mean KL divergence in nats; of an encoder, the part of the
  /// states' energy that is error.
  ///
  /// - Parameter layer: the first whose tensors are among them; nil when others are.
  func divergence(replacing tensors: [CheckpointTensor], from layer: Int?) throws(KistError) -> Double {
    let weights = try WeightTable(model.weights, replacing: tensors.map(\.weight))
    let session = try Session(weights, textCount: texts.count, parallelism: parallelism)
    let resumption = layer.flatMap { layer in streams[layer].map { Session.Resumption(layer: layer, stream: $0) } }
    let own = try session.advance(texts: texts, resuming: resumption)
    guard model.model.head.hasLogits else { return energy(of: own) }
    var sum = 0.0
    for start in stride(from: 0, to: own.rowCount, by: Self.blockSize) {
      let rows = start..<min(start + Self.blockSize, own.rowCount)
      let expected = try expectations(rows)
      let logits = try session.logits(own, rows: rows)
      let results = Divergences(count: rows.count)
      try parallelism.forEach(rows.count) { row throws(KistError) in
        results[row] = expected[row].divergence(of: logits, row: row)
      }
      sum += results.sum
    }
    return sum / Double(max(1, own.rowCount))
  }

  private func energy(of own: Matrix) -> Double {
    var (error, energy) = (0.0, 0.0)
    for row in 0..<own.rowCount {
      for column in 0..<own.columnCount {
        let (value, wanted) = (Double(own[row, column]), Double(states[row, column]))
        error += (value - wanted) * (value - wanted)
        energy += wanted * wanted
      }
    }
    return energy > 0 ? error / energy : 0
  }
}

/// Results that threads write side by side, each its own.
@safe private final class Divergences: @unchecked Sendable {
  private let values: UnsafeMutablePointer<Double>
  private let count: Int

  init(count: Int) {
    self.count = count
    unsafe values = .allocate(capacity: count)
    unsafe values.initialize(repeating: 0, count: count)
  }

  deinit { unsafe values.deallocate() }

  subscript(index: Int) -> Double {
    get { unsafe values[index] }
    set { unsafe values[index] = newValue }
  }

  var sum: Double { (0..<count).reduce(0) { $0 + self[$1] } }
}

/// The distribution that a model gives at a position.
private struct PositionExpectation: Sendable {
  var probabilities: [Float]
  /// Σ p · log p.
  var negativeEntropy: Double

  static func all(in logits: Matrix) -> [PositionExpectation] {
    (0..<logits.rowCount).map { row in
      let values = logits.numbers(ofRows: row..<row + 1)
      let total = LogitComparison.logSumExp(values.map(Double.init))
      let probabilities = values.map { Float(exp(Double($0) - total)) }
      // Of the rounded probabilities, so that the same logits give no divergence.
      let entropy = zip(probabilities, values).reduce(0) { $0 + Double($1.0) * (Double($1.1) - total) }
      return PositionExpectation(probabilities: probabilities, negativeEntropy: entropy)
    }
  }

  /// KL(this ‖ softmax of a row).
  func divergence(of logits: Matrix, row: Int) -> Double {
    let values = unsafe logits.row(row)
    let count = logits.columnCount
    var (largest, expected, mass) = (-Float.infinity, 0.0, 0.0)
    for index in 0..<count {
      largest = max(largest, unsafe values[index])
      mass += Double(probabilities[index])
      expected += unsafe Double(probabilities[index]) * Double(values[index])
    }
    guard largest.isFinite else { return .infinity }
    var sum = 0.0
    for index in 0..<count { sum += unsafe exp(Double(values[index]) - Double(largest)) }
    let divergence = negativeEntropy - (expected - mass * (Double(largest) + log(sum)))
    return divergence.isFinite ? max(0, divergence) : .infinity
  }
}
