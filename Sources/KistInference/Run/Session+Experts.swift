import CKernels
import KistArchitectures
import KistCore

extension Session {
  /// Turns scores [tokens, experts] into the weights of the experts that each token takes, 0 for the others.
  func route(
    _ experts: ExpertsDescription, _ scores: Matrix, correction: TensorKey?
  ) throws(KistError) -> Matrix {
    let correction = try correction.map { key throws(KistError) in try weights.vector(key) }
    let output = Matrix(rows: scores.rowCount, columns: experts.count)
    for row in 0..<scores.rowCount {
      for (expert, weight) in experts.choose(scores.numbers(ofRows: row..<row + 1), correction) {
        unsafe output.row(row)[expert] = weight
      }
    }
    return output
  }

  /// Σ weight · expert(x) over the experts that each token takes.
  func runExperts(
    _ experts: ExpertsDescription, _ feedForward: FeedForwardDescription, _ x: Matrix, _ routing: Matrix, layer: Int
  ) throws(KistError) -> Matrix {
    let output = Matrix(rows: x.rowCount, columns: x.columnCount)
    for expert in 0..<experts.count {
      let rows = (0..<x.rowCount).filter { routing[$0, expert] != 0 }
      guard !rows.isEmpty else { continue }
      let taken = Matrix(rows: rows.count, columns: x.columnCount)
      for (index, row) in rows.enumerated() { unsafe taken.row(index).update(from: x.row(row), count: x.columnCount) }
      let result = try runExpert(expert, feedForward, taken, layer: layer)
      for (index, row) in rows.enumerated() {
        unsafe kist_add_scaled(output.row(row), result.row(index), routing[row, expert], x.columnCount)
      }
    }
    return output
  }

  private func runExpert(
    _ expert: Int, _ feedForward: FeedForwardDescription, _ x: Matrix, layer: Int
  ) throws(KistError) -> Matrix {
    func tensors(_ role: TensorRole) -> [TensorKey] {
      let key = TensorKey(role, layer: layer, expert: expert)
      return weights.has(key.bias) ? [key, key.bias] : [key]
    }
    let gate = try linear(x, tensors(.expertGate))
    let up = try linear(x, tensors(.expertUp))
    if let limit = feedForward.swishLimit {
      clampedSwish(gate, up, limit)
    } else {
      unsafe feedForward.activation.gate(gate.values, up.values, gate.count)
    }
    return try linear(gate, tensors(.expertDown))
  }

  /// gate = (up + 1) · gate · σ(1.702 · gate), gate at most `limit`, up between −limit and limit.
  /// Source: transformers 5.23, modeling_gpt_oss.py.
  private func clampedSwish(_ gate: Matrix, _ up: Matrix, _ limit: Float) {
    for index in 0..<gate.count {
      unsafe gate.values[index] = min(gate.values[index], limit)
      unsafe up.values[index] = min(max(up.values[index], -limit), limit) + 1
    }
    unsafe kist_gelu_quick(gate.values, gate.count)
    unsafe kist_multiply(gate.values, up.values, gate.count)
  }
}

extension ExpertsDescription {
  /// The experts that a token takes, each with its weight.
  ///
  /// - Parameters:
  ///   - scores: the router's, one for each expert.
  ///   - correction: what is added to the scores that choose.
  func choose(_ scores: [Float], _ correction: [Float]?) -> [(expert: Int, weight: Float)] {
    var weights = scores
    unsafe weights.withUnsafeMutableBufferPointer { buffer in
      switch scoring {
      case .softmax: unsafe kist_softmax(buffer.baseAddress, buffer.count)
      case .sigmoid: unsafe kist_sigmoid(buffer.baseAddress, buffer.count)
      case .softmaxOfBest: break
      }
    }
    var choosing = weights
    if let correction { for index in choosing.indices { choosing[index] += correction[index] } }
    let allowed = groupsAllowed(choosing)
    let best = choosing.indices.filter { allowed[$0 / (count / groupCount)] }
      .sorted { (choosing[$0], $1) > (choosing[$1], $0) }.prefix(perToken)
    var chosen = best.map { (expert: $0, weight: weights[$0]) }
    if scoring == .softmaxOfBest {
      var own = chosen.map(\.weight)
      unsafe own.withUnsafeMutableBufferPointer { unsafe kist_softmax($0.baseAddress, $0.count) }
      for index in chosen.indices { chosen[index].weight = own[index] }
    }
    let sum = chosen.reduce(0) { $0 + $1.weight }
    let scale = normalizesWeights ? weightScale / (scoring == .sigmoid ? sum + 1e-20 : sum) : weightScale
    for index in chosen.indices { chosen[index].weight *= scale }
    return chosen
  }

  /// For each group of experts, whether a token may take them.
  private func groupsAllowed(_ scores: [Float]) -> [Bool] {
    guard groups != .none else { return [true] }
    let size = count / groupCount
    let strength = (0..<groupCount).map { group in
      let own = scores[group * size..<(group + 1) * size].sorted(by: >)
      return groups == .byBest ? own[0] : own[0] + own[1]
    }
    let best = strength.indices.sorted { (strength[$0], $1) > (strength[$1], $0) }.prefix(groupsPerToken)
    return strength.indices.map { best.contains($0) }
  }
}
