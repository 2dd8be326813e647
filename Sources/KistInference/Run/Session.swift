import KistArchitectures
import KistCore

/// A text on its way through a model: what the layers remember of its tokens, and the steps that take more.
///
/// Not for several threads at a time; inside, work is spread over ``Parallelism``.
package final class Session {
  package let program: Program
  package let weights: WeightTable
  let parallelism: Parallelism
  let pool: TilePool
  private var caches: [KeyValueCache]
  /// Tokens that were taken.
  package private(set) var position = 0

  /// Sees every step with what it read and wrote. Its matrices are valid during the call only.
  package typealias Observer = (_ step: Step, _ inputs: [Matrix], _ output: Matrix) throws(KistError) -> Void

  package init(_ weights: WeightTable, program: Program? = nil, parallelism: Parallelism) {
    self.weights = weights
    self.program = program ?? Program(weights.model)
    self.parallelism = parallelism
    pool = TilePool()
    caches = weights.model.layers.map { _ in KeyValueCache() }
    BLAS.useOneThread()
  }

  /// Takes tokens and gives the states that the head reads, [tokens, width].
  ///
  /// - Throws: `invalid` for a token outside the vocabulary or more tokens than the model reaches.
  package func advance(
    _ tokens: [Int], tokenTypes: [Int]? = nil, observer: Observer? = nil
  ) throws(KistError) -> Matrix {
    try check(tokens, tokenTypes)
    let context = StepContext(tokens, tokenTypes, position, program)
    var slots: [Slot: Matrix] = [:]
    for (index, step) in program.body.enumerated() {
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
    position += tokens.count
    guard let states = slots[.stream] else { throw KistError(.unsupported, file: weights.file, "has no layers") }
    return states
  }

  /// Logits of states, [rows, vocabulary].
  package func logits(_ states: Matrix, rows: Range<Int>? = nil, observer: Observer? = nil) throws(KistError) -> Matrix
  {
    let context = StepContext([], nil, position, program)
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
      return try attend(attention, inputs, cache: caches[step.layer ?? 0], sinks: step.tensors.first, context)
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

  private func check(_ tokens: [Int], _ tokenTypes: [Int]?) throws(KistError) {
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
  let tokens: [Int]
  let tokenTypes: [Int]?
  /// Place of the first token in the text.
  let position: Int
  /// For each kind of rotary embedding: cosines and sines, [tokens, pairs].
  let rotations: [(cosines: Matrix, sines: Matrix)]

  package init(_ tokens: [Int], _ tokenTypes: [Int]?, _ position: Int, _ program: Program) {
    self.tokens = tokens
    self.tokenTypes = tokenTypes
    self.position = position
    rotations = program.rotaries.map { rotary in
      let frequencies = rotary.frequencies(tokenCount: position + tokens.count)
      let cosines = Matrix(rows: tokens.count, columns: frequencies.count)
      let sines = Matrix(rows: tokens.count, columns: frequencies.count)
      for row in tokens.indices {
        for (pair, frequency) in frequencies.enumerated() {
          let angle = Double(Float(position + row) * frequency)
          unsafe cosines.row(row)[pair] = Float(angle.cosine) * rotary.attentionFactor
          unsafe sines.row(row)[pair] = Float(angle.sine) * rotary.attentionFactor
        }
      }
      return (cosines, sines)
    }
  }
}
