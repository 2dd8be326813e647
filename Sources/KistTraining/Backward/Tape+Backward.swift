import CKernels
import KistArchitectures
import KistCore
import KistInference

extension Tape {
  /// Takes the gradient by a step's output to its inputs and parameters.
  func backward(_ node: Node, _ index: Int) throws(KistError) {
    guard var dy = gradients[node.output] else { return }
    gradients[node.output] = nil
    switch node.step.operation {
    case .embed(let scale): scatter(dy, to: node.parameters[0], scale)
    case .addPositions(let offset):
      scatterPositions(dy, to: node.parameters[0], offset)
      try pass(dy, to: node.inputs[0])
    case .linear: try linearBackward(node, dy)
    case .norm(let kind, let epsilon, let part):
      try normBackward(node, Norm(kind: kind, epsilon: epsilon, part: part, width: dy.columnCount), dy)
    case .attend(let attention):
      guard let weights = attentionWeights[index] else { return }
      try attendBackward(TapeAttention(attention, context: context), node, weights, dy)
    case .gate(let activation): try gateBackward(activation, node, dy)
    case .add(let scale):
      try pass(dy, to: node.inputs[0])
      if scale == 1 { try pass(dy, to: node.inputs[1]) } else { try passScaled(dy, scale, to: node.inputs[1]) }
    default:
      try changeBackward(node, own(&dy))
      try pass(dy, to: node.inputs[0])
    }
    if isKnownUniquelyReferenced(&dy) { give(dy) }
  }

  // MARK: - Gradients of values

  /// Whoever computes a part of a value's gradient writes it, or adds it to what others gave.
  func contribute(
    to value: Int, _ body: (_ gradient: Matrix, _ adds: Bool) throws(KistError) -> Void
  ) throws(KistError) {
    guard gradients[value] != nil else {
      let gradient = spare(values[value].columnCount)
      try body(gradient, false)
      gradients[value] = gradient
      return
    }
    // Steps pass gradients on as they are: another value may have the same matrix.
    if !isKnownUniquelyReferenced(&gradients[value]), let shared = gradients[value] {
      gradients[value] = try copy(shared)
    }
    if let gradient = gradients[value] { try body(gradient, true) }
  }

  /// Gives a value the gradient as it is.
  func pass(_ dy: Matrix, to value: Int) throws(KistError) {
    guard gradients[value] != nil else { return gradients[value] = dy }
    try contribute(to: value) { gradient, _ throws(KistError) in
      try forNumbers(dy) { unsafe kist_add(gradient.values + $0.lowerBound, dy.values + $0.lowerBound, $0.count) }
    }
  }

  private func passScaled(_ dy: Matrix, _ scale: Float, to value: Int) throws(KistError) {
    try contribute(to: value) { gradient, adds throws(KistError) in
      try forNumbers(dy) { range in
        let start = range.lowerBound
        if !adds { unsafe (gradient.values + start).update(repeating: 0, count: range.count) }
        unsafe kist_add_scaled(gradient.values + start, dy.values + start, scale, range.count)
      }
    }
  }

  /// A gradient that may be written over.
  private func own(_ dy: inout Matrix) throws(KistError) -> Matrix {
    if !isKnownUniquelyReferenced(&dy) { dy = try copy(dy) }
    return dy
  }

  private func copy(_ matrix: Matrix) throws(KistError) -> Matrix {
    let copy = spare(matrix.columnCount)
    try forNumbers(matrix) { range in
      unsafe (copy.values + range.lowerBound).update(from: matrix.values + range.lowerBound, count: range.count)
    }
    return copy
  }

  // MARK: - Steps

  private func changeBackward(_ node: Node, _ dy: Matrix) throws(KistError) {
    let (x, y) = (values[node.inputs[0]], values[node.output])
    switch node.step.operation {
    case .rotate(let table, let pairs, let heads):
      try rotate(dy, rotations[table].cosines, rotations[table].oppositeSines, pairs, heads)
    case .activate(let activation):
      try forNumbers(dy) { range in
        let start = range.lowerBound
        unsafe activation.backward(x.values + start, dy.values + start, range.count)
      }
    case .scale(let factor): try forNumbers(dy) { unsafe kist_scale(dy.values + $0.lowerBound, factor, $0.count) }
    case .softCap(let cap):
      try forNumbers(dy) { range in
        unsafe kist_soft_cap_backward(y.values + range.lowerBound, range.count, cap, dy.values + range.lowerBound)
      }
    case .clip(let most):
      // As PyTorch: the edge itself lets through.
      try forNumbers(dy) { range in
        for index in range where unsafe abs(x.values[index]) > most { unsafe dy.values[index] = 0 }
      }
    default: preconditionFailure("a tape has only steps that can be gone back over")
    }
  }

  private func linearBackward(_ node: Node, _ dy: Matrix) throws(KistError) {
    let (weights, x, rowCount) = (node.parameters[0], values[node.inputs[0]], rowCount)
    unsafe try workers.addProduct(ofTransposed: dy, x, rowCount: rowCount, to: store.gradients(of: weights))
    if node.parameters.count > 1 {
      let sums = unsafe store.gradients(of: node.parameters[1])
      try workers.forRows(dy.columnCount, width: rowCount) { columns in
        unsafe kist_add_column_sums(
          dy.values + columns.lowerBound, rowCount, dy.columnCount, columns.count, sums + columns.lowerBound)
      }
    }
    try contribute(to: node.inputs[0]) { gradient, adds throws(KistError) in
      unsafe try workers.multiply(dy, rowCount: rowCount, by: store.values(of: weights), into: gradient, adds: adds)
    }
  }

  private func gateBackward(_ activation: Activation, _ node: Node, _ dy: Matrix) throws(KistError) {
    let (gate, up) = (values[node.inputs[0]], values[node.inputs[1]])
    let (dgate, dup) = (spare(gate.columnCount), spare(up.columnCount))
    try forNumbers(dy) { range in
      let start = range.lowerBound
      unsafe activation.gateBackward(
        gate.values + start, up.values + start, dy.values + start, range.count, dgate.values + start,
        dup.values + start)
    }
    try pass(dgate, to: node.inputs[0])
    try pass(dup, to: node.inputs[1])
  }

  private func scatter(_ dy: Matrix, to table: ParameterLayout.Parameter, _ scale: Float) {
    let sums = unsafe store.gradients(of: table)
    for (row, token) in tokens.enumerated() {
      unsafe kist_add_scaled(sums + token * dy.columnCount, dy.row(row), scale, dy.columnCount)
    }
  }

  private func scatterPositions(_ dy: Matrix, to table: ParameterLayout.Parameter, _ offset: Int) {
    let sums = unsafe store.gradients(of: table)
    for row in 0..<rowCount {
      unsafe kist_add(sums + (row % context + offset) * dy.columnCount, dy.row(row), dy.columnCount)
    }
  }
}

extension Activation {
  /// dy becomes activation′(x) · dy.
  fileprivate func backward(_ x: UnsafePointer<Float>, _ dy: UnsafeMutablePointer<Float>, _ count: Int) {
    switch self {
    case .silu: unsafe kist_silu_backward(x, dy, count, dy)
    case .gelu: unsafe kist_gelu_backward(x, dy, count, dy)
    case .geluTanh: unsafe kist_gelu_tanh_backward(x, dy, count, dy)
    case .geluQuick: unsafe kist_gelu_quick_backward(x, dy, count, dy)
    case .relu: unsafe kist_relu_backward(x, dy, count, dy)
    case .reluSquared: unsafe kist_relu_squared_backward(x, dy, count, dy)
    }
  }

  fileprivate func gateBackward(
    _ gate: UnsafePointer<Float>, _ up: UnsafePointer<Float>, _ dy: UnsafePointer<Float>, _ count: Int,
    _ dgate: UnsafeMutablePointer<Float>, _ dup: UnsafeMutablePointer<Float>
  ) {
    switch self {
    case .silu: unsafe kist_silu_gate_backward(gate, up, dy, count, dgate, dup)
    case .gelu: unsafe kist_gelu_gate_backward(gate, up, dy, count, dgate, dup)
    case .geluTanh: unsafe kist_gelu_tanh_gate_backward(gate, up, dy, count, dgate, dup)
    default:
      unsafe dup.update(from: gate, count: count)
      unsafe apply(dup, count)
      unsafe kist_multiply(dup, dy, count)
      unsafe dgate.update(from: dy, count: count)
      unsafe kist_multiply(dgate, up, count)
      unsafe backward(gate, dgate, count)
    }
  }
}
