import CKernels
import KistArchitectures
import KistCore
import KistInference

extension Tape {
  /// How a norm goes over a row: whole, or in equal parts.
  struct Norm: Sendable {
    var kind: NormKind
    var epsilon: Float
    /// Numbers that are normalized together.
    var size: Int
    /// Parts of a row, and numbers of the weights from one part to the next: 0 where they share them.
    var parts: Int
    var weightStep: Int

    init(kind: NormKind, epsilon: Float, part: NormPart, width: Int) {
      self.kind = kind
      self.epsilon = epsilon
      switch part {
      case .row: (size, weightStep) = (width, 0)
      case .heads(let head): (size, weightStep) = (head, 0)
      case .eachHead(let head): (size, weightStep) = (head, head)
      }
      parts = width / size
    }

    func apply(
      _ x: UnsafePointer<Float>, _ weight: UnsafePointer<Float>?, _ bias: UnsafePointer<Float>?,
      _ y: UnsafeMutablePointer<Float>
    ) {
      if kind == .rms {
        unsafe kist_rms_norm(x, weight, epsilon, size, y)
      } else {
        unsafe kist_layer_norm(x, weight, bias, epsilon, size, y)
      }
    }
  }

  /// The numbers of a norm's weights, with their addend.
  private func weights(_ parameter: ParameterLayout.Parameter) -> [Float] {
    let numbers = unsafe UnsafeBufferPointer(start: store.values(of: parameter), count: parameter.count)
    return unsafe parameter.addend == 0 ? Array(numbers) : numbers.map { $0 + parameter.addend }
  }

  func normalize(_ node: Node, _ norm: Norm, into y: Matrix) throws(KistError) {
    let x = values[node.inputs[0]]
    let weight = norm.kind.hasWeight ? weights(node.parameters[0]) : nil
    let bias = norm.kind.hasBias ? weights(node.parameters[1]) : nil
    try workers.forRows(rowCount, width: y.columnCount) { rows in
      unsafe weight.withPointer { weight in
        unsafe bias.withPointer { bias in
          for row in rows {
            for part in 0..<norm.parts {
              let (start, offset) = (part * norm.size, part * norm.weightStep)
              unsafe norm.apply(
                x.row(row) + start, weight.map { unsafe $0 + offset }, bias.map { unsafe $0 + offset },
                y.row(row) + start)
            }
          }
        }
      }
    }
  }

  func normBackward(_ node: Node, _ norm: Norm, _ dy: Matrix) throws(KistError) {
    let (x, rowCount) = (values[node.inputs[0]], rowCount)
    let weight = norm.kind.hasWeight ? weights(node.parameters[0]) : nil
    // Mean and scale of each part of each row.
    let statistics = spare(2 * norm.parts)
    try contribute(to: node.inputs[0]) { dx, adds throws(KistError) in
      try workers.forRows(rowCount, width: dy.columnCount) { rows in
        unsafe weight.withPointer { weight in
          for row in rows {
            for part in 0..<norm.parts {
              let start = part * norm.size
              let kernel = unsafe norm.kind == .rms ? kist_rms_norm_backward : kist_layer_norm_backward
              unsafe kernel(
                x.row(row) + start, weight.map { unsafe $0 + part * norm.weightStep }, dy.row(row) + start,
                norm.epsilon, norm.size, adds, dx.row(row) + start, statistics.row(row) + 2 * part)
            }
          }
        }
      }
    }
    if norm.kind.hasWeight { try normWeightsBackward(node, norm, x, dy, statistics) }
    give(statistics)
  }

  private func normWeightsBackward(
    _ node: Node, _ norm: Norm, _ x: Matrix, _ dy: Matrix, _ statistics: Matrix
  ) throws(KistError) {
    let weights = unsafe store.gradients(of: node.parameters[0])
    let biases = unsafe norm.kind.hasBias ? store.gradients(of: node.parameters[1]) : nil
    // Parts that share weights follow each other as rows of their own; else each part is a column of rows.
    let isShared = norm.weightStep == 0
    let (rows, stride) = isShared ? (rowCount * norm.parts, norm.size) : (rowCount, dy.columnCount)
    for part in 0..<(isShared ? 1 : norm.parts) {
      let ownStatistics = isShared ? statistics : column(part, of: statistics, parts: norm.parts)
      let start = part * norm.size
      try workers.forRows(norm.size, width: rows) { columns in
        let first = start + columns.lowerBound
        unsafe kist_norm_weights_backward(
          x.values + first, dy.values + first, ownStatistics.values, rows, stride, columns.count, weights + first,
          biases.map { unsafe $0 + first })
      }
    }
  }

  private func column(_ part: Int, of statistics: Matrix, parts: Int) -> Matrix {
    let column = Matrix(rows: rowCount, columns: 2)
    for row in 0..<rowCount { unsafe column.row(row).update(from: statistics.row(row) + 2 * part, count: 2) }
    return column
  }
}

extension [Float]? {
  fileprivate func withPointer(_ body: (UnsafePointer<Float>?) -> Void) {
    guard let self else { return body(nil) }
    unsafe self.withUnsafeBufferPointer { unsafe body($0.baseAddress) }
  }
}
