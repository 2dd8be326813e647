import CKernels
import KistArchitectures
import KistCore

extension Session {
  /// Rows of the embedding table, by token.
  func embed(_ step: Step, _ context: StepContext, _ scale: Float) throws(KistError) -> Matrix {
    let table = try weights.table(step.tensors[0])
    let output = Matrix(toFill: context.tokens.count, columns: table.columnCount)
    try lookUp(table, context.tokens, into: output)
    if scale != 1 { unsafe kist_scale(output.values, scale, output.count) }
    return output
  }

  private func lookUp(_ table: WeightMatrix, _ rows: [Int], into output: Matrix) throws(KistError) {
    for (index, row) in rows.enumerated() {
      for tile in table.tiles(most: 1, rows: row..<row + 1) { unsafe try table.decode(tile, into: output.row(index)) }
    }
    table.release()
  }

  /// Adds rows of a table.
  private func add(_ key: TensorKey, rows: [Int], to matrix: Matrix) throws(KistError) {
    let table = try weights.table(key)
    let looked = Matrix(toFill: rows.count, columns: table.columnCount)
    try lookUp(table, rows, into: looked)
    unsafe kist_add(matrix.values, looked.values, matrix.count)
  }

  /// Steps that change the first input in its place.
  func change(
    _ target: Matrix, _ step: Step, _ inputs: [Matrix], _ context: StepContext
  ) throws(KistError) {
    switch step.operation {
    case .addPositions(let offset):
      try add(step.tensors[0], rows: context.places.map { $0 + offset }, to: target)
    case .addTokenTypes:
      let types = context.tokenTypes ?? [Int](repeating: 0, count: context.tokens.count)
      try add(step.tensors[0], rows: types, to: target)
    case .norm(let kind, let epsilon, let part):
      try normalize(target, step, Norm(kind: kind, epsilon: epsilon, part: part))
    case .rotate(let table, let pairs, let heads): try rotate(target, context.rotations[table], pairs, heads)
    case .gate(let activation):
      unsafe try onRows(target, inputs[1]) { unsafe activation.gate($0, $1, $2) }
    case .activate(let activation): unsafe try onRows(target) { unsafe activation.apply($0, $1) }
    case .softCap(let cap): unsafe try onRows(target) { unsafe kist_soft_cap($0, $1, cap) }
    case .scale(let factor): unsafe try onRows(target) { unsafe kist_scale($0, factor, $1) }
    case .clip(let most):
      unsafe try onRows(target) { row, count in
        for index in 0..<count { unsafe row[index] = min(max(row[index], -most), most) }
      }
    case .add(let scale): unsafe try onRows(target, inputs[1]) { unsafe kist_add_scaled($0, $1, scale, $2) }
    case .addSwitched:
      let switches = inputs[2].copy()
      unsafe kist_sigmoid(switches.values, switches.count)
      for row in 0..<target.rowCount {
        unsafe kist_add_scaled(target.row(row), inputs[1].row(row), switches.values[row], target.columnCount)
      }
    default: preconditionFailure("\(step.name) changes nothing in its place")
    }
  }

  // MARK: - Row by row

  /// Spreads rows over threads when there is enough to do.
  func forRows(_ rowCount: Int, numbers: Int, _ body: @escaping (Range<Int>) -> Void) throws(KistError) {
    let jobs = numbers < 1 << 15 ? 1 : min(rowCount, 2 * parallelism.threadCount)
    guard jobs > 1 else { return body(0..<rowCount) }
    let part = (rowCount + jobs - 1) / jobs
    try parallelism.forEach(jobs) { job throws(KistError) in
      body(min(job * part, rowCount)..<min((job + 1) * part, rowCount))
    }
  }

  private func onRows(
    _ target: Matrix, _ body: @escaping (UnsafeMutablePointer<Float>, Int) -> Void
  ) throws(KistError) {
    try forRows(target.rowCount, numbers: target.count) { rows in
      unsafe body(target.row(rows.lowerBound), rows.count * target.columnCount)
    }
  }

  private func onRows(
    _ target: Matrix, _ other: Matrix,
    _ body: @escaping (UnsafeMutablePointer<Float>, UnsafePointer<Float>, Int) -> Void
  ) throws(KistError) {
    try forRows(target.rowCount, numbers: target.count) { rows in
      unsafe body(target.row(rows.lowerBound), other.row(rows.lowerBound), rows.count * target.columnCount)
    }
  }

  struct Norm: Sendable {
    var kind: NormKind
    var epsilon: Float
    var part: NormPart
  }

  private func normalize(_ target: Matrix, _ step: Step, _ norm: Norm) throws(KistError) {
    let weight = norm.kind.hasWeight ? try weights.vector(step.tensors[0]) : nil
    let bias = norm.kind.hasBias ? try weights.vector(step.tensors[1]) : nil
    let size: Int
    switch norm.part {
    case .row: size = target.columnCount
    case .heads(let head), .eachHead(let head): size = head
    }
    let weightStep = if case .eachHead = norm.part { size } else { 0 }
    try forRows(target.rowCount, numbers: target.count) { rows in
      for row in rows {
        for (index, start) in stride(from: 0, to: target.columnCount, by: size).enumerated() {
          unsafe norm.apply(target.row(row) + start, size, weight, bias, at: index * weightStep)
        }
      }
    }
  }

  private func rotate(
    _ target: Matrix, _ rotation: (cosines: Matrix, sines: Matrix), _ pairs: Attention.RotaryPairs, _ heads: HeadLayout
  ) throws(KistError) {
    let (cosines, sines) = rotation
    let count = cosines.columnCount
    try forRows(target.rowCount, numbers: target.count) { rows in
      for row in rows {
        for head in 0..<heads.count {
          let values = unsafe target.row(row) + head * heads.stride + heads.offset
          switch pairs {
          case .halves: unsafe kist_rotate_half(values, cosines.row(row), sines.row(row), count)
          case .neighbours: unsafe kist_rotate_interleaved(values, cosines.row(row), sines.row(row), count)
          }
        }
      }
    }
  }

  func takeColumns(_ matrix: Matrix, _ columns: Range<Int>) -> Matrix {
    let output = Matrix(toFill: matrix.rowCount, columns: columns.count)
    for row in 0..<matrix.rowCount {
      unsafe output.row(row).update(from: matrix.row(row) + columns.lowerBound, count: columns.count)
    }
    return output
  }
}

extension Session.Norm {
  func apply(
    _ values: UnsafeMutablePointer<Float>, _ count: Int, _ weight: [Float]?, _ bias: [Float]?, at offset: Int
  ) {
    func withPointer(_ numbers: [Float]?, _ body: (UnsafePointer<Float>?) -> Void) {
      guard let numbers else { return body(nil) }
      unsafe numbers.withUnsafeBufferPointer { unsafe body($0.baseAddress.map { unsafe $0 + offset }) }
    }
    unsafe withPointer(weight) { weight in
      unsafe withPointer(bias) { bias in
        if kind == .rms {
          unsafe kist_rms_norm(values, weight, epsilon, count, values)
        } else {
          unsafe kist_layer_norm(values, weight, bias, epsilon, count, values)
        }
      }
    }
  }
}

extension Activation {
  package func apply(_ values: UnsafeMutablePointer<Float>, _ count: Int) {
    switch self {
    case .silu: unsafe kist_silu(values, count)
    case .gelu: unsafe kist_gelu(values, count)
    case .geluTanh: unsafe kist_gelu_tanh(values, count)
    case .geluQuick: unsafe kist_gelu_quick(values, count)
    case .relu: unsafe kist_relu(values, count)
    case .reluSquared: unsafe kist_relu_squared(values, count)
    }
  }

  /// gate = activation(gate) · up.
  func gate(_ gate: UnsafeMutablePointer<Float>, _ up: UnsafePointer<Float>, _ count: Int) {
    switch self {
    case .silu: unsafe kist_silu_multiply(gate, up, count, gate)
    case .gelu: unsafe kist_gelu_multiply(gate, up, count, gate)
    case .geluTanh: unsafe kist_gelu_tanh_multiply(gate, up, count, gate)
    default:
      unsafe apply(gate, count)
      unsafe kist_multiply(gate, up, count)
    }
  }
}
