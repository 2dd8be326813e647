import Foundation
import KistArchitectures
import KistCore
import KistInference

/// The steps of a forward pass with everything that they wrote, to go back over.
///
/// It reads the steps that the forward pass of KistInference runs. There, steps write over slots; here, each writes a value of its own, so
/// that the steps can be gone through backwards: the gradient of the loss by each value comes from the steps that read it.
///
/// Rows are tokens: sequences of `context` tokens, one after the other.
package final class Tape {
  struct Node {
    var step: Step
    /// Values that it reads and writes.
    var inputs: [Int]
    var output: Int
    var parameters: [ParameterLayout.Parameter]
  }

  let nodes: [Node]
  /// By value. Where a step works in its place, two have the same matrix.
  let values: [Matrix]
  /// The value that comes from outside, and the last.
  let inputValue: Int?
  let outputValue: Int
  let store: ParameterStore
  let workers: Workers
  /// Tokens of a sequence, and most rows.
  let context: Int
  let capacity: Int
  let rotations: [Rotation]
  /// By node: weights of attention, [sequences × heads × context, context].
  let attentionWeights: [Int: Matrix]

  /// Rows that are in use, and their tokens.
  private(set) var rowCount = 0
  private(set) var tokens: [Int] = []
  /// By value, while going backwards.
  var gradients: [Matrix?]
  var spares: [Int: [Matrix]] = [:]

  /// Cosines and sines by place and pair.
  struct Rotation {
    var cosines: Matrix
    var sines: Matrix
    /// For turning back.
    var oppositeSines: Matrix

    init(_ rotary: RotaryDescription, context: Int) {
      let frequencies = rotary.frequencies(tokenCount: context)
      let matrices = (0..<3).map { _ in Matrix(rows: context, columns: rotary.pairCount) }
      (cosines, sines, oppositeSines) = (matrices[0], matrices[1], matrices[2])
      for place in 0..<context {
        for (pair, frequency) in frequencies.enumerated() {
          let angle = Double(Float(place) * frequency)
          unsafe cosines.row(place)[pair] = Float(cos(angle)) * rotary.attentionFactor
          unsafe sines.row(place)[pair] = Float(sin(angle)) * rotary.attentionFactor
          unsafe oppositeSines.row(place)[pair] = -sines.row(place)[pair]
        }
      }
    }
  }

  /// - Parameters:
  ///   - input: The slot that comes from outside; nil when steps begin with tokens.
  ///   - sequences: How many there are at most.
  /// - Throws: `unsupported`, naming the step, for what has no backward pass here.
  package init(
    _ steps: [Step], input: Slot? = nil, rotaries: [RotaryDescription], store: ParameterStore, sequences: Int,
    context: Int, workers: Workers
  ) throws(KistError) {
    let plan = try TapePlan(steps, input: input, store.layout)
    self.store = store
    self.workers = workers
    self.context = context
    capacity = sequences * context
    let rows = capacity
    let buffers = plan.bufferWidths.map { Matrix(rows: rows, columns: $0) }
    values = plan.buffers.map { buffers[$0] }
    nodes = plan.nodes
    inputValue = input == nil ? nil : 0
    outputValue = plan.nodes.last?.output ?? 0
    gradients = values.map { _ in nil }
    rotations = rotaries.map { Rotation($0, context: context) }
    var weights: [Int: Matrix] = [:]
    for (index, node) in plan.nodes.enumerated() {
      if case .attend(let attention) = node.step.operation {
        weights[index] = Matrix(rows: rows * attention.headCount, columns: context)
      }
    }
    attentionWeights = weights
  }

  /// What the last step wrote.
  package var output: Matrix { values[outputValue] }

  /// Computes the steps on tokens: sequences of ``context`` of them.
  package func forward(tokens: [Int]) throws(KistError) {
    precondition(tokens.count <= capacity && tokens.count % context == 0, "whole sequences that there is room for")
    self.tokens = tokens
    rowCount = tokens.count
    for (index, node) in nodes.enumerated() { try forward(node, index) }
  }

  /// Computes the steps on rows of another tape's output.
  func forward(rows: Range<Int>, of states: Matrix) throws(KistError) {
    guard let inputValue else { return }
    precondition(rows.count <= capacity && states.columnCount == values[inputValue].columnCount, "rows that fit")
    rowCount = rows.count
    unsafe values[inputValue].values.update(from: states.row(rows.lowerBound), count: rows.count * states.columnCount)
    for (index, node) in nodes.enumerated() { try forward(node, index) }
  }

  /// Goes back from the gradient of the loss by the last value, and adds to the gradients of the parameters.
  ///
  /// - Parameter gradient: Is written over.
  /// - Returns: the gradient by the value from outside, if there is one.
  @discardableResult
  package func backward(_ gradient: consuming Matrix) throws(KistError) -> Matrix? {
    gradients[outputValue] = gradient
    for (index, node) in nodes.enumerated().reversed() { try backward(node, index) }
    guard let inputValue else { return nil }
    defer { gradients[inputValue] = nil }
    return gradients[inputValue]
  }

  // MARK: - Matrices for gradients

  /// A matrix of whatever was there.
  func spare(_ columns: Int) -> Matrix {
    spares[columns]?.popLast() ?? Matrix(rows: capacity, columns: columns)
  }

  func give(_ matrix: Matrix) { spares[matrix.columnCount, default: []].append(matrix) }
}

/// Which values steps read and write, and where these lie.
private struct TapePlan {
  private(set) var nodes: [Tape.Node] = []
  /// By value.
  private(set) var buffers: [Int] = []
  private(set) var bufferWidths: [Int] = []

  init(_ steps: [Step], input: Slot?, _ layout: ParameterLayout) throws(KistError) {
    var current: [Slot: Int] = [:]
    var widths: [Int] = []
    var producers: [Step?] = []
    if let input {
      current[input] = 0
      widths.append(layout.model.width)
      producers.append(nil)
    }
    for step in steps {
      guard step.operation.canGoBack else {
        throw KistError(
          .unsupported, field: step.name, "has no backward pass in this version",
          advice: "decoders of norms, attention with rotary or learned positions, and feed-forward can be trained")
      }
      let parameters = try step.tensors.map { key throws(KistError) in try layout.parameter(key) }
      let inputs = step.inputs.compactMap { current[$0] }
      let width = step.operation.width(inputs: inputs.map { widths[$0] }, parameters)
      nodes.append(Tape.Node(step: step, inputs: inputs, output: widths.count, parameters: parameters))
      current[step.output] = widths.count
      widths.append(width)
      producers.append(step)
    }
    place(widths, producers)
  }

  /// A step that needs neither its input nor its output to go back may work in its input's place, when nobody else reads that.
  private mutating func place(_ widths: [Int], _ producers: [Step?]) {
    var readers = [Int](repeating: 0, count: widths.count)
    for node in nodes { for input in node.inputs { readers[input] += 1 } }
    buffers = [Int](repeating: -1, count: widths.count)
    for value in widths.indices where producers[value] == nil { buffers[value] = newBuffer(widths[value]) }
    for node in nodes {
      if let input = node.inputs.first, node.step.operation.worksInPlace, readers[input] == 1,
        producers[input]?.operation.needsOutput == false
      {
        buffers[node.output] = buffers[input]
      } else {
        buffers[node.output] = newBuffer(widths[node.output])
      }
    }
  }

  private mutating func newBuffer(_ width: Int) -> Int {
    bufferWidths.append(width)
    return bufferWidths.count - 1
  }
}

extension KistInference.Operation {
  fileprivate var canGoBack: Bool {
    switch self {
    case .embed, .addPositions, .norm, .linear, .clip, .rotate, .activate, .gate, .add, .scale, .softCap: true
    case .attend(let attention):
      attention.isCausal && attention.softCap == nil && !attention.hasSinks && !attention.roundsAndScalesSlopes
    case .addTokenTypes, .takeRank, .latentKeys, .latentValues, .route, .experts, .addSwitched: false
    }
  }

  fileprivate var worksInPlace: Bool {
    switch self {
    case .rotate, .addPositions, .scale: true
    default: false
    }
  }

  /// Whether going back over it needs what it wrote.
  var needsOutput: Bool { if case .softCap = self { true } else { false } }

  fileprivate func width(inputs: [Int], _ parameters: [ParameterLayout.Parameter]) -> Int {
    switch self {
    case .embed: parameters[0].columnCount
    case .linear: parameters[0].rowCount
    case .attend(let attention): attention.outputWidth
    default: inputs[0]
    }
  }
}
