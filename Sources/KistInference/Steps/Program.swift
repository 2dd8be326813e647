import KistArchitectures

/// A model's forward pass as a list of steps.
///
/// There is one builder for all families: what differs stands in the ``ModelDescription``.
package struct Program: Sendable {
  package let model: ModelDescription
  /// From tokens to the states that the head reads, [tokens, width] in ``Slot/stream``.
  package private(set) var body: [Step] = []
  /// From states to logits, [tokens, vocabulary]; empty for encoders.
  package private(set) var head: [Step] = []
  /// Kinds of rotary embedding that occur.
  package private(set) var rotaries: [RotaryDescription] = []

  package init(_ model: ModelDescription) {
    self.model = model
    embed()
    for index in model.layers.indices { layer(index) }
    if model.head.hasNorm { norm("final_norm", .finalNorm, model.norm, from: .stream, to: .stream, layer: nil) }
    if model.head.hasLogits { logits() }
  }

  // MARK: - Ends

  private mutating func embed() {
    let table = model.embedding.tableWidth == model.width ? Slot.stream : .normed
    add("embedding", .embed(scale: model.embedding.scale), [], table, [TensorKey(.tokenEmbedding)])
    if table == .normed { linear("embedding_projection", .embeddingProjection, from: table, to: .stream, layer: nil) }
    if model.embedding.positionCount != nil {
      add(
        "position_embedding", .addPositions(offset: model.embedding.positionOffset), [.stream], .stream,
        [TensorKey(.positionEmbedding)])
    }
    if model.embedding.tokenTypeCount != nil {
      add("token_type_embedding", .addTokenTypes, [.stream], .stream, [TensorKey(.tokenTypeEmbedding)])
    }
    if model.embedding.hasNorm {
      norm("embedding_norm", .embeddingNorm, model.norm, from: .stream, to: .stream, layer: nil)
    }
  }

  private mutating func logits() {
    var states = Slot.stream
    func key(_ role: TensorRole) -> [TensorKey] { [TensorKey(role)] }
    if model.head.projectedWidth != nil {
      head.append(
        Step(
          name: "output_projection", layer: nil, operation: .linear, inputs: [.stream], output: .branch,
          tensors: key(.outputProjection)))
      states = .branch
    }
    let bias = model.hasBias(.head) ? [TensorKey(.head, .bias)] : []
    head.append(
      Step(
        name: "head", layer: nil, operation: .linear, inputs: [states], output: .logits,
        tensors: key(model.head.isTied ? .tokenEmbedding : .head) + bias))
    if model.head.scale != 1 { headStep("logit_scale", .scale(model.head.scale)) }
    if let cap = model.head.softCap { headStep("logit_cap", .softCap(cap)) }
  }

  private mutating func headStep(_ name: String, _ operation: Operation) {
    head.append(
      Step(name: name, layer: nil, operation: operation, inputs: [.logits], output: .logits, tensors: []))
  }

  // MARK: - Layers

  private mutating func layer(_ index: Int) {
    let layer = model.layers[index]
    func norm(_ role: TensorRole, from: Slot, to: Slot) {
      self.norm(role.rawValue, role, model.norm, from: from, to: to, layer: index)
    }
    func attention(from: Slot, to: Slot) { attend(layer.attention, from: from, to: to, layer: index) }
    func feedForward(from: Slot, to: Slot) { feed(layer.feedForward, from: from, to: to, layer: index) }
    func join(_ name: String, _ branch: Slot) {
      add(name, .add(scale: layer.residualScale), [.stream, branch], .stream, [], layer: index)
    }

    switch layer.residual {
    case .preNorm:
      norm(.attentionNorm, from: .stream, to: .normed)
      attention(from: .normed, to: .branch)
      join("attention_residual", .branch)
      norm(.feedForwardNorm, from: .stream, to: .normed)
      feedForward(from: .normed, to: .branch)
      join("feed_forward_residual", .branch)
    case .postNorm:
      attention(from: .stream, to: .branch)
      join("attention_residual", .branch)
      norm(.attentionPostNorm, from: .stream, to: .stream)
      feedForward(from: .stream, to: .branch)
      join("feed_forward_residual", .branch)
      norm(.feedForwardPostNorm, from: .stream, to: .stream)
    case .branchNorm:
      attention(from: .stream, to: .branch)
      norm(.attentionPostNorm, from: .branch, to: .branch)
      join("attention_residual", .branch)
      feedForward(from: .stream, to: .branch)
      norm(.feedForwardPostNorm, from: .branch, to: .branch)
      join("feed_forward_residual", .branch)
    case .sandwich:
      norm(.attentionNorm, from: .stream, to: .normed)
      attention(from: .normed, to: .branch)
      norm(.attentionPostNorm, from: .branch, to: .branch)
      join("attention_residual", .branch)
      norm(.feedForwardNorm, from: .stream, to: .normed)
      feedForward(from: .normed, to: .branch)
      norm(.feedForwardPostNorm, from: .branch, to: .branch)
      join("feed_forward_residual", .branch)
    case .parallel, .parallelTwoNorms:
      norm(.attentionNorm, from: .stream, to: .normed)
      attention(from: .normed, to: .attentionBranch)
      if layer.residual == .parallelTwoNorms { norm(.feedForwardNorm, from: .stream, to: .normed) }
      feedForward(from: .normed, to: .branch)
      join("attention_residual", .attentionBranch)
      join("feed_forward_residual", .branch)
    case .residualAfterNorm:
      norm(.attentionNorm, from: .stream, to: .stream)
      attention(from: .stream, to: .branch)
      join("attention_residual", .branch)
      norm(.feedForwardNorm, from: .stream, to: .stream)
      feedForward(from: .stream, to: .branch)
      join("feed_forward_residual", .branch)
    }
  }

  // MARK: - Adding steps

  mutating func add(
    _ name: String, _ operation: Operation, _ inputs: [Slot], _ output: Slot, _ tensors: [TensorKey], layer: Int? = nil
  ) {
    body.append(
      Step(
        name: layer.map { "layers.\($0).\(name)" } ?? name, layer: layer, operation: operation, inputs: inputs,
        output: output, tensors: tensors))
  }

  mutating func linear(_ name: String, _ role: TensorRole, from: Slot, to: Slot, layer: Int?) {
    let weight = TensorKey(role, layer: layer)
    add(name, .linear, [from], to, [weight] + (model.hasBias(role) ? [weight.bias] : []), layer: layer)
  }

  mutating func norm(
    _ name: String, _ role: TensorRole, _ kind: NormKind, from: Slot, to: Slot, layer: Int?, part: NormPart = .row,
    epsilon: Float? = nil
  ) {
    let weight = TensorKey(role, layer: layer)
    let tensors = (kind.hasWeight ? [weight] : []) + (kind.hasBias ? [weight.bias] : [])
    add(
      name, .norm(kind, epsilon: epsilon ?? model.normEpsilon, part: part), [from], to, tensors, layer: layer)
  }

  /// The index of a kind of rotary embedding among those that occur.
  mutating func table(of rotary: RotaryDescription) -> Int {
    if let known = rotaries.firstIndex(of: rotary) { return known }
    rotaries.append(rotary)
    return rotaries.count - 1
  }
}
