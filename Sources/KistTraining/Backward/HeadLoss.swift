import CKernels
import KistArchitectures
import KistCore
import KistInference

/// From states to the loss, and back: the head and the cross-entropy, some rows at a time, so that the logits of a large vocabulary are
/// never all there.
final class HeadLoss {
  private let tape: Tape
  private let workers: Workers

  init(_ program: Program, store: ParameterStore, rows: Int, workers: Workers) throws(KistError) {
    self.workers = workers
    let vocabulary = program.model.vocabularySize
    // At most 16 MiB of logits.
    let chunk = min(rows, max(16, (1 << 22) / vocabulary))
    tape = try Tape(
      program.head, input: .stream, rotaries: [], store: store, sequences: chunk, context: 1, workers: workers)
  }

  /// Rows that are taken at a time.
  private var chunk: Int { tape.capacity }

  /// Σ −ln P(target).
  func loss(_ states: Matrix, targets: [Int]) throws(KistError) -> Double {
    try forChunks(targets.count) { rows throws(KistError) in
      try tape.forward(rows: rows, of: states)
      let logits = tape.output
      return try sum(rows, width: logits.columnCount) { index in
        let row = unsafe logits.row(index)
        return unsafe kist_log_sum_exp(row, logits.columnCount) - row[targets[rows.lowerBound + index]]
      }
    }
  }

  /// The same, and adds `scale` times its gradient to the gradients of the head's parameters.
  ///
  /// - Parameter gradient: Written: the gradient by the states, times `scale`.
  func lossAndGradient(
    _ states: Matrix, targets: [Int], scale: Float, gradient: Matrix
  ) throws(KistError) -> Double {
    try forChunks(targets.count) { rows throws(KistError) in
      try tape.forward(rows: rows, of: states)
      let logits = try gradientOfLogits(rows.count)
      let loss = try sum(rows, width: logits.columnCount) { index in
        unsafe kist_cross_entropy(logits.row(index), logits.columnCount, targets[rows.lowerBound + index], scale)
      }
      guard let part = try tape.backward(logits) else { return loss }
      unsafe gradient.row(rows.lowerBound).update(from: part.values, count: rows.count * part.columnCount)
      tape.give(part)
      return loss
    }
  }

  /// The logits, to become their gradient: where they lie, unless the way back needs them.
  private func gradientOfLogits(_ rowCount: Int) throws(KistError) -> Matrix {
    let logits = tape.output
    guard tape.nodes.last?.step.operation.needsOutput == true else { return logits }
    let copy = tape.spare(logits.columnCount)
    unsafe copy.values.update(from: logits.values, count: rowCount * logits.columnCount)
    return copy
  }

  private func forChunks(
    _ count: Int, _ body: (Range<Int>) throws(KistError) -> Double
  ) throws(KistError) -> Double {
    var sum = 0.0
    for start in stride(from: 0, to: count, by: chunk) { sum += try body(start..<min(start + chunk, count)) }
    return sum
  }

  /// Σ of what each row gives, in their order.
  private func sum(_ rows: Range<Int>, width: Int, _ body: @escaping (Int) -> Float) throws(KistError) -> Double {
    let losses = Matrix(rows: 1, columns: rows.count)
    try workers.forRows(rows.count, width: width) { part in
      for index in part { unsafe losses.values[index] = body(index) }
    }
    return losses.numbers().reduce(0) { $0 + Double($1) }
  }
}
