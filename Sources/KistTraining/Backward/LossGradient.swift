import KistArchitectures
import KistCore
import KistInference

/// The loss of a model on texts, and its gradient by every parameter.
package final class LossGradient {
  package let store: ParameterStore
  private let body: Tape
  private let head: HeadLoss
  package let context: Int

  /// - Parameters:
  ///   - sequences: How many texts are taken at a time, at most.
  ///   - context: Tokens of each, as many as are predicted.
  /// - Throws: `unsupported`, naming what can't be trained; `invalid` for a context that the model does not reach; `missing` without OpenBLAS.
  package init(_ store: ParameterStore, sequences: Int, context: Int, workers: Workers) throws(KistError) {
    try BLAS.prepare()
    let model = store.layout.model
    guard model.head.hasLogits, model.architecture.kind == .decoder else {
      throw KistError(
        .unsupported, "\(model.architecture.name) models do not predict tokens, so they can't be trained here")
    }
    if let most = model.mostTokens, context > most {
      throw KistError(.invalid, field: "context", "\(context) tokens are more than the \(most) that the model reaches")
    }
    let program = Program(model)
    self.store = store
    self.context = context
    body = try Tape(
      program.body, rotaries: program.rotaries, store: store, sequences: sequences, context: context, workers: workers)
    head = try HeadLoss(program, store: store, rows: sequences * context, workers: workers)
  }

  /// The mean of −ln P(next token) over texts of one token more than ``context``.
  package func loss(of texts: [[Int]]) throws(KistError) -> Double {
    try body.forward(tokens: texts.flatMap { $0.dropLast() })
    let targets = texts.flatMap { $0.dropFirst() }
    return try head.loss(body.output, targets: targets) / Double(targets.count)
  }

  /// The same, and adds `share` times its gradient to the gradients in the store.
  package func addGradient(of texts: [[Int]], share: Double = 1) throws(KistError) -> Double {
    try body.forward(tokens: texts.flatMap { $0.dropLast() })
    let targets = texts.flatMap { $0.dropFirst() }
    let scale = Float(share / Double(targets.count))
    let gradient = body.spare(body.output.columnCount)
    let loss = try head.lossAndGradient(body.output, targets: targets, scale: scale, gradient: gradient)
    try body.backward(gradient)
    return loss / Double(targets.count)
  }
}
