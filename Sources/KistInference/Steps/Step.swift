import KistArchitectures

/// A place for activations between steps.
package enum Slot: String, Sendable, Hashable {
  /// The residual stream, [tokens, width].
  case stream
  /// What a branch begins with.
  case normed
  case query, key, value, attended
  /// Compressed queries, keys and values of latent attention.
  case queryRank, keyValueRank, keyValueParts, compressed
  case gate, up
  /// A weight for each expert, [tokens, experts].
  case routing
  case sharedGate, sharedUp, sharedSwitch
  /// What a branch adds to the stream.
  case branch
  /// The attention branch, where both branches are added at once.
  case attentionBranch
  case logits
}

/// One operation of a forward pass, with what it reads and writes: what bisecting names, and what a trace shows.
package struct Step: Sendable {
  /// `layers.3.query`.
  package var name: String
  package var layer: Int?
  package var operation: Operation
  package var inputs: [Slot]
  package var output: Slot
  /// Weights that it reads.
  package var tensors: [TensorKey]
}

/// What a step computes. Shapes are [tokens, …]; weights are those of the step's ``Step/tensors``, in order.
package enum Operation: Sendable {
  /// Rows of a table, by token; times a number.
  case embed(scale: Float)
  /// Adds rows of a table by position, from `offset` on.
  case addPositions(offset: Int)
  /// Adds rows of a table by token type.
  case addTokenTypes
  /// Normalizes each row, or each part of a row.
  case norm(NormKind, epsilon: Float, part: NormPart)
  /// x · Wᵀ + b.
  case linear
  case clip(Float)
  /// Turns heads of a row by position. The index is that of the program's frequencies.
  case rotate(table: Int, pairs: Attention.RotaryPairs, heads: HeadLayout)
  /// softmax(Q·Kᵀ)·V over the tokens so far; keys and values join the cache.
  case attend(AttentionDescription)
  /// Splits a compressed row: [rank | rotary] → rank. Input: keyValueRank.
  case takeRank(Int)
  /// Keys of latent attention: [head: plain | shared rotary]. Inputs: the expanded parts, the compressed row with its
  /// rotated end.
  case latentKeys(AttentionDescription)
  /// Values of latent attention. Input: the expanded parts.
  case latentValues(AttentionDescription)
  case activate(Activation)
  /// activation(first) · second.
  case gate(Activation)
  /// Scores of experts → their weights, 0 for those not taken.
  case route(ExpertsDescription)
  /// The weighted sum of the experts that each token takes. Inputs: states, weights.
  case experts(ExpertsDescription, FeedForwardDescription)
  /// First + second · σ(third), third a number for each token.
  case addSwitched
  /// First + second · scale.
  case add(scale: Float)
  case scale(Float)
  case softCap(Float)
}

/// Which numbers of a row a norm takes together.
package enum NormPart: Sendable, Equatable {
  case row
  /// Heads of that size, all with the same weights.
  case heads(size: Int)
  /// Heads of that size, each with its own weights.
  case eachHead(size: Int)
}

/// Where the numbers to rotate lie in a row.
package struct HeadLayout: Sendable, Equatable {
  package var count: Int
  /// Numbers from one head to the next.
  package var stride: Int
  /// Where the rotated numbers of a head begin.
  package var offset: Int
}
