import KistArchitectures
import KistCore

/// The weights of one layer's attention over a text: softmax(Q·Kᵀ·scale) of each head.
package struct LayerAttention: Sendable {
  package var layer: Int
  package var headCount: Int
  package var tokenCount: Int
  /// [heads, queries, keys]; 0 for keys that a query does not see.
  package var weights: [Float]
}

extension Session {
  /// Takes a text's tokens, and hands over the weights of each layer's attention, layer after layer.
  ///
  /// The weights are those that the step itself computes with: the same function makes them.
  /// - Throws: As ``advance(_:tokenTypes:observer:)``; and what `body` throws.
  package func attentionWeights(
    _ tokens: [Int], tokenTypes: [Int]? = nil, layers: Range<Int>,
    _ body: @escaping (LayerAttention) throws(KistError) -> Void
  ) throws(KistError) {
    precondition(positions.allSatisfy { $0 == 0 }, "a text from its beginning")
    _ = try advance(tokens, tokenTypes: tokenTypes) { step, inputs, _ throws(KistError) in
      guard case .attend(let attention) = step.operation, let layer = step.layer, layers.contains(layer) else { return }
      try body(
        LayerAttention(
          layer: layer, headCount: attention.headCount, tokenCount: tokens.count,
          weights: try self.weights(of: attention, query: inputs[0], keys: inputs[1], sinks: step.tensors.first)))
    }
  }

  private func weights(
    of attention: AttentionDescription, query: Matrix, keys: Matrix, sinks: TensorKey?
  ) throws(KistError) -> [Float] {
    let sinkValues = try sinks.map { key throws(KistError) in try weights.vector(key) }
    let count = query.rowCount
    let output = Matrix(rows: attention.headCount, columns: count * count)
    try parallelism.forEach(attention.headCount) { head throws(KistError) in
      let part = HeadAttention(
        attention: attention, head: head, rows: 0..<count, firstPlace: 0, keyCount: count, sink: sinkValues?[head])
      // Seen together, the queries of a whole text see every key.
      unsafe part.score(query, keys, output.row(head))
    }
    return output.numbers()
  }
}
