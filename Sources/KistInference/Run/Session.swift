import Foundation
import KistArchitectures
import KistCore

/// Texts on their way through a model, side by side: what the layers remember of their tokens, and the steps that take
/// more. Weights are read once for all texts.
///
/// Not for several threads at a time; inside, work is spread over ``Parallelism``.
package final class Session {
  package let program: Program
  package let weights: WeightTable
  let parallelism: Parallelism
  let pool: TilePool
  /// For each layer and text.
  private let caches: [[KeyValueCache]]
  /// Tokens that were taken of each text.
  package private(set) var positions: [Int]

  /// Sees every step with what it read and wrote. Its matrices are valid during the call only.
  package typealias Observer = (_ step: Step, _ inputs: [Matrix], _ output: Matrix) throws(KistError) -> Void

  /// Sees what each weight is multiplied with, of experts too.
  package var inputObserver: ((_ weight: TensorKey, _ inputs: Matrix) -> Void)?

  /// A place in the program where a pass may begin.
  package struct Resumption {
    var layer: Int
    /// [tokens of all texts, width].
    var stream: Matrix

    package init(layer: Int, stream: Matrix) {
      self.layer = layer
      self.stream = stream
    }
  }

  /// - Throws: `missing` when OpenBLAS is not there; `damaged` for weights that hold a NaN or an infinity.
  package init(
    _ weights: WeightTable, program: Program? = nil, textCount: Int = 1, parallelism: Parallelism
  ) throws(KistError) {
    try BLAS.prepare()
    try weights.requireFinite(parallelism)
    self.weights = weights
    self.program = program ?? Program(weights.model)
    self.parallelism = parallelism
    pool = TilePool()
    caches = weights.model.layers.map { _ in (0..<textCount).map { _ in KeyValueCache() } }
    positions = [Int](repeating: 0, count: textCount)
  }

  /// Takes tokens of one text; see ``advance(texts:tokenTypes:observer:)``.
  package func advance(
    _ tokens: [Int], tokenTypes: [Int]? = nil, observer: Observer? = nil
  ) throws(KistError) -> Matrix {
    try advance(texts: [tokens], tokenTypes: tokenTypes.map { [$0] }, observer: observer)
  }

  /// Takes tokens of each text and gives the states that the head reads, [tokens of all texts, width], text after text.
  ///
  /// - Throws: `invalid` for a token outside the vocabulary or more tokens than the model reaches.
  ///
  /// - Parameter resumption: goes on from what the stream is before a layer, as if all before it had been done.
  package func advance(
    texts: [[Int]], tokenTypes: [[Int]]? = nil, resuming resumption: Resumption? = nil, observer: Observer? = nil
  ) throws(KistError) -> Matrix {
    precondition(texts.count == positions.count, "tokens of each text")
    for (index, tokens) in texts.enumerated() { try check(tokens, tokenTypes?[index], position: positions[index]) }
    let context = context(texts, tokenTypes)
    var slots: [Slot: Matrix] = [:]
    var first = 0
    if let resumption {
      slots[.stream] = resumption.stream.copy()
      first = program.body.firstIndex { $0.layer == resumption.layer } ?? 0
    }
    for (index, step) in program.body.enumerated().dropFirst(first) {
      try parallelism.cancellation.check()
      let inputs = step.inputs.compactMap { slots[$0] }
      let output = try evaluate(step, inputs, context, preservingInputs: observer != nil)
      try observer?(step, inputs, output)
      slots[step.output] = output
      // A layer's weights are not needed again before all others were.
      if index + 1 == program.body.count || program.body[index + 1].layer != step.layer {
        slots = slots.filter { $0.key == .stream }
      }
    }
    for (index, tokens) in texts.enumerated() { positions[index] += tokens.count }
    guard let states = slots[.stream] else { throw KistError(.unsupported, file: weights.file, "has no layers") }
    return states
  }

  /// Logits of states, [rows, vocabulary].
  package func logits(_ states: Matrix, rows: Range<Int>? = nil, observer: Observer? = nil) throws(KistError) -> Matrix
  {
    let context = context([])
    var slots = [Slot.stream: states.copy(ofRows: rows)]
    for step in program.head {
      let inputs = step.inputs.compactMap { slots[$0] }
      let output = try evaluate(step, inputs, context, preservingInputs: observer != nil)
      try observer?(step, inputs, output)
      slots[step.output] = output
    }
    guard let logits = slots[.logits] else {
      throw KistError(
        .unsupported, file: weights.file, "is an encoder: it has no logits", advice: "`kist embed` gives its vectors")
    }
    return logits
  }

  /// Computes one step.
  ///
  /// - Parameter preservingInputs: Leaves the inputs as they are; else the first becomes the output of a step that changes it.
  package func evaluate(
    _ step: Step, _ inputs: [Matrix], _ context: StepContext, preservingInputs: Bool
  ) throws(KistError) -> Matrix {
    switch step.operation {
    case .embed(let scale): return try embed(step, context, scale)
    case .linear: return try linear(inputs[0], step.tensors)
    case .attend(let attention):
      return try attend(attention, inputs, caches[step.layer ?? 0], sinks: step.tensors.first, context)
    case .takeRank(let rank): return takeColumns(inputs[0], 0..<rank)
    case .latentKeys(let attention): return latentKeys(attention, inputs[0], inputs[1])
    case .latentValues(let attention): return latentValues(attention, inputs[0])
    case .route(let experts): return try route(experts, inputs[0], correction: step.tensors.first)
    case .experts(let experts, let feedForward):
      return try runExperts(experts, feedForward, inputs[0], inputs[1], layer: step.layer ?? 0)
    default:
      let target = preservingInputs || step.output != step.inputs[0] ? inputs[0].copy() : inputs[0]
      try change(target, step, inputs, context)
      return target
    }
  }

  /// What the steps know of the next tokens.
  package func context(_ texts: [[Int]], _ tokenTypes: [[Int]]? = nil) -> StepContext {
    StepContext(texts, tokenTypes, positions, program)
  }

  private func check(_ tokens: [Int], _ tokenTypes: [Int]?, position: Int) throws(KistError) {
    let model = weights.model
    guard !tokens.isEmpty else { throw KistError(.invalid, file: weights.file, "no tokens to compute on") }
    if let index = tokens.firstIndex(where: { $0 < 0 || $0 >= model.vocabularySize }) {
      throw KistError(
        .invalid, file: weights.file, field: "token \(index)",
        "\(tokens[index]) is not in the vocabulary of \(model.vocabularySize)")
    }
    if let count = model.embedding.tokenTypeCount, let types = tokenTypes {
      guard types.count == tokens.count, types.allSatisfy({ 0..<count ~= $0 }) else {
        throw KistError(.invalid, file: weights.file, "token types are one for each token, below \(count)")
      }
    }
    if let most = model.mostTokens, position + tokens.count > most {
      throw KistError(
        .invalid, file: weights.file,
        "\(position + tokens.count) tokens are more than the \(most) that the model reaches",
        advice: "give it a shorter text")
    }
  }
}

/// What all steps of one call know.
package struct StepContext: Sendable {
  /// Of all texts, one after the other: a row each.
  let tokens: [Int]
  let tokenTypes: [Int]?
  /// Place of each token in its text.
  let places: [Int]
  /// Rows of each text.
  let texts: [Range<Int>]
  /// For each kind of rotary embedding: cosines and sines, [tokens, pairs].
  let rotations: [(cosines: Matrix, sines: Matrix)]

  init(_ texts: [[Int]], _ tokenTypes: [[Int]]?, _ positions: [Int], _ program: Program) {
    tokens = texts.flatMap { $0 }
    self.tokenTypes = tokenTypes.map { $0.flatMap { $0 } }
    var ranges: [Range<Int>] = []
    var places: [Int] = []
    for (tokens, position) in zip(texts, positions) {
      ranges.append(places.count..<places.count + tokens.count)
      places += position..<position + tokens.count
    }
    self.texts = ranges
    self.places = places
    rotations = program.rotaries.map { StepContext.rotation($0, ranges, places) }
  }

  private static func rotation(
    _ rotary: RotaryDescription, _ texts: [Range<Int>], _ places: [Int]
  ) -> (cosines: Matrix, sines: Matrix) {
    let pairs = rotary.pairCount
    let (cosines, sines) = (
      Matrix(rows: places.count, columns: pairs), Matrix(rows: places.count, columns: pairs)
    )
    for text in texts where !text.isEmpty {
      let frequencies = rotary.frequencies(tokenCount: places[text.upperBound - 1] + 1)
      for row in text {
        for (pair, frequency) in frequencies.enumerated() {
          // As transformers: the angle is rounded to f32.
          let angle = Double(Float(places[row]) * frequency)
          unsafe cosines.row(row)[pair] = Float(cos(angle)) * rotary.attentionFactor
          unsafe sines.row(row)[pair] = Float(sin(angle)) * rotary.attentionFactor
        }
      }
    }
    return (cosines, sines)
  }
}
