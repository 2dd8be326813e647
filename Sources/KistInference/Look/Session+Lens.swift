import KistArchitectures
import KistCore

extension Session {
  /// The logits of a state from between the layers, as if it were the last: the final norm and the head on it.
  ///
  /// Source: nostalgebraist, "interpreting GPT: the logit lens", 2020.
  /// - Parameter states: [rows, width].
  package func lens(_ states: Matrix) throws(KistError) -> Matrix {
    let afterLayers = program.body.lastIndex { $0.layer != nil }.map { $0 + 1 } ?? program.body.count
    let context = context([])
    var stream = states
    for step in program.body[afterLayers...] {
      stream = try evaluate(step, [stream], context, preservingInputs: true)
    }
    return try logits(stream)
  }
}
