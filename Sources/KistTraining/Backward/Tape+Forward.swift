import CKernels
import KistArchitectures
import KistCore
import KistInference

extension Tape {
  /// Writes a step's output.
  func forward(_ node: Node, _ index: Int) throws(KistError) {
    let y = values[node.output]
    switch node.step.operation {
    case .embed(let scale): try lookUp(node.parameters[0], scale, into: y)
    case .linear: try linear(node, into: y)
    case .norm(let kind, let epsilon, let part):
      try normalize(node, Norm(kind: kind, epsilon: epsilon, part: part, width: y.columnCount), into: y)
    case .attend(let attention):
      let inputs = node.inputs.map { values[$0] }
      guard let weights = attentionWeights[index] else { return }
      try attend(TapeAttention(attention, context: context), inputs, weights, into: y)
    case .gate(let activation):
      let (gate, up) = (values[node.inputs[0]], values[node.inputs[1]])
      try forNumbers(y) { range in
        let start = range.lowerBound
        unsafe activation.gate(gate.values + start, up.values + start, range.count, into: y.values + start)
      }
    case .add(let scale):
      let (first, second) = (values[node.inputs[0]], values[node.inputs[1]])
      try forNumbers(y) { range in
        let start = range.lowerBound
        unsafe (y.values + start).update(from: first.values + start, count: range.count)
        unsafe kist_add_scaled(y.values + start, second.values + start, scale, range.count)
      }
    default: try change(node, into: y)
    }
  }

  /// Steps of one input, number by number or row by row.
  private func change(_ node: Node, into y: Matrix) throws(KistError) {
    let x = values[node.inputs[0]]
    if x !== y {
      try forNumbers(y) { range in
        unsafe (y.values + range.lowerBound).update(from: x.values + range.lowerBound, count: range.count)
      }
    }
    switch node.step.operation {
    case .addPositions(let offset): try addPositions(node.parameters[0], offset, to: y)
    case .rotate(let table, let pairs, let heads):
      try rotate(y, rotations[table].cosines, rotations[table].sines, pairs, heads)
    case .activate(let activation):
      try forNumbers(y) { unsafe activation.apply(y.values + $0.lowerBound, $0.count) }
    case .scale(let factor): try forNumbers(y) { unsafe kist_scale(y.values + $0.lowerBound, factor, $0.count) }
    case .softCap(let cap): try forNumbers(y) { unsafe kist_soft_cap(y.values + $0.lowerBound, $0.count, cap) }
    case .clip(let most):
      try forNumbers(y) { range in
        for index in range { unsafe y.values[index] = min(max(y.values[index], -most), most) }
      }
    default: preconditionFailure("a tape has only steps that can be gone back over")
    }
  }

  /// Parts of the numbers in use.
  func forNumbers(_ matrix: Matrix, _ body: @escaping (Range<Int>) -> Void) throws(KistError) {
    try workers.forRows(rowCount * matrix.columnCount, width: 1, body)
  }

  private func lookUp(_ table: ParameterLayout.Parameter, _ scale: Float, into y: Matrix) throws(KistError) {
    let (rows, tokens, width) = unsafe (store.values(of: table), tokens, y.columnCount)
    try workers.forRows(rowCount, width: width) { range in
      for row in range { unsafe y.row(row).update(from: rows + tokens[row] * width, count: width) }
      if scale != 1 { unsafe kist_scale(y.row(range.lowerBound), scale, range.count * width) }
    }
  }

  private func addPositions(_ table: ParameterLayout.Parameter, _ offset: Int, to y: Matrix) throws(KistError) {
    let (rows, context, width) = unsafe (store.values(of: table), context, y.columnCount)
    try workers.forRows(rowCount, width: width) { range in
      for row in range { unsafe kist_add(y.row(row), rows + (row % context + offset) * width, width) }
    }
  }

  private func linear(_ node: Node, into y: Matrix) throws(KistError) {
    let weights = node.parameters[0]
    unsafe try workers.multiply(
      values[node.inputs[0]], rowCount: rowCount, byTransposed: store.values(of: weights), into: y)
    guard node.parameters.count > 1 else { return }
    let bias = unsafe store.values(of: node.parameters[1])
    try workers.forRows(rowCount, width: y.columnCount) { range in
      for row in range { unsafe kist_add(y.row(row), bias, y.columnCount) }
    }
  }

  func rotate(
    _ x: Matrix, _ cosines: Matrix, _ sines: Matrix, _ pairs: Attention.RotaryPairs, _ heads: HeadLayout
  ) throws(KistError) {
    let (context, count) = (context, cosines.columnCount)
    try workers.forRows(rowCount, width: x.columnCount) { range in
      for row in range {
        let place = row % context
        for head in 0..<heads.count {
          let numbers = unsafe x.row(row) + head * heads.stride + heads.offset
          switch pairs {
          case .halves: unsafe kist_rotate_half(numbers, cosines.row(place), sines.row(place), count)
          case .neighbours: unsafe kist_rotate_interleaved(numbers, cosines.row(place), sines.row(place), count)
          }
        }
      }
    }
  }
}

extension Activation {
  /// output = activation(gate) · up.
  fileprivate func gate(
    _ gate: UnsafePointer<Float>, _ up: UnsafePointer<Float>, _ count: Int, into output: UnsafeMutablePointer<Float>
  ) {
    switch self {
    case .silu: unsafe kist_silu_multiply(gate, up, count, output)
    case .gelu: unsafe kist_gelu_multiply(gate, up, count, output)
    case .geluTanh: unsafe kist_gelu_tanh_multiply(gate, up, count, output)
    default:
      unsafe output.update(from: gate, count: count)
      unsafe apply(output, count)
      unsafe kist_multiply(output, up, count)
    }
  }
}
