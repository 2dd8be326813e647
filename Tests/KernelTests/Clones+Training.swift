import KernelClones
import Testing

extension Clone {
  enum Backward: CaseIterable { case silu, gelu, geluTanh, geluQuick, relu, reluSquared }

  /// activation′(x) · dy, written over dy.
  func backward(_ name: Backward, _ x: [Float], _ dy: [Float]) -> [Float] {
    let kernel =
      switch name {
      case .silu: unsafe kernels.silu_backward
      case .gelu: unsafe kernels.gelu_backward
      case .geluTanh: unsafe kernels.gelu_tanh_backward
      case .geluQuick: unsafe kernels.gelu_quick_backward
      case .relu: unsafe kernels.relu_backward
      case .reluSquared: unsafe kernels.relu_squared_backward
      }
    return unsafe changing(dy) { unsafe kernel?(x, $0, x.count, $0) }
  }

  func gateBackward(_ name: Gated, _ gate: [Float], _ up: [Float], _ dy: [Float]) -> (gate: [Float], up: [Float]) {
    let kernel =
      switch name {
      case .silu: unsafe kernels.silu_gate_backward
      case .gelu: unsafe kernels.gelu_gate_backward
      case .geluTanh: unsafe kernels.gelu_tanh_gate_backward
      }
    var dup: [Float] = []
    let dgate = unsafe changing(gate) { dgate in
      dup = unsafe changing(up) { unsafe kernel?(gate, up, dy, gate.count, dgate, $0) }
    }
    return (dgate, dup)
  }

  /// The gradient by x, added to `before` where there is one, and the row's statistics.
  func normBackward(
    centered: Bool, _ x: [Float], _ weight: [Float]?, _ dy: [Float], epsilon: Float, before: [Float]?
  ) -> (dx: [Float], statistics: [Float]) {
    let kernel = unsafe centered ? kernels.layer_norm_backward : kernels.rms_norm_backward
    var statistics: [Float] = []
    let dx = unsafe changing(before ?? dy) { dx in
      statistics = unsafe changing([0, 0]) { statistics in
        if let weight {
          unsafe kernel?(x, weight, dy, epsilon, x.count, before != nil, dx, statistics)
        } else {
          unsafe kernel?(x, nil, dy, epsilon, x.count, before != nil, dx, statistics)
        }
      }
    }
    return (dx, statistics)
  }

  /// Rows are `stride` apart; the gradients are added to ones.
  func normWeightsBackward(
    _ x: [Float], _ dy: [Float], _ statistics: [Float], rows: Int, stride: Int, count: Int
  ) -> (weight: [Float], bias: [Float]) {
    var bias: [Float] = []
    let weight = unsafe changing([Float](repeating: 1, count: count)) { dweight in
      bias = unsafe changing([Float](repeating: 1, count: count)) {
        unsafe kernels.norm_weights_backward(x, dy, statistics, rows, stride, count, dweight, $0)
      }
    }
    return (weight, bias)
  }

  func columnSums(_ rows: [Float], count: Int, stride: Int) -> [Float] {
    unsafe changing([Float](repeating: 1, count: count)) {
      unsafe kernels.add_column_sums(rows, stride == 0 ? 0 : rows.count / stride, stride, count, $0)
    }
  }

  func softCapBackward(_ y: [Float], cap: Float, _ dy: [Float]) -> [Float] {
    unsafe changing(dy) { unsafe kernels.soft_cap_backward(y, y.count, cap, $0) }
  }

  func softmaxBackward(_ weights: [Float], scale: Float, _ dy: [Float]) -> [Float] {
    unsafe changing(dy) { unsafe kernels.softmax_backward(weights, weights.count, scale, $0) }
  }

  func crossEntropy(_ logits: [Float], target: Int, scale: Float) -> (loss: Float, gradient: [Float]) {
    var loss: Float = 0
    let gradient = unsafe changing(logits) { values in
      loss = unsafe kernels.cross_entropy(values, logits.count, target, scale)
    }
    return (loss, gradient)
  }

  func sumOfSquares(_ x: [Float]) -> Double { unsafe kernels.sum_of_squares(x, x.count) }

  /// Parameters, average and average of squares after a step.
  func adam(
    _ parameters: [Float], _ gradients: [Float], _ mean: [Float], _ square: [Float], _ step: kist_adam_step
  ) -> [[Float]] {
    var step = step
    var (newMean, newSquare): ([Float], [Float]) = ([], [])
    let new = unsafe changing(parameters) { parameters in
      newMean = unsafe changing(mean) { mean in
        newSquare = unsafe changing(square) {
          unsafe kernels.adam(parameters, gradients, mean, $0, gradients.count, &step)
        }
      }
    }
    return [new, newMean, newSquare]
  }

  func descend(
    _ parameters: [Float], _ gradients: [Float], _ velocity: [Float], scale: Float, decay: Float, momentum: Float,
    rate: Float
  ) -> [[Float]] {
    var newVelocity: [Float] = []
    let new = unsafe changing(parameters) { parameters in
      newVelocity = unsafe changing(velocity) {
        unsafe kernels.descend(parameters, gradients, $0, gradients.count, scale, decay, momentum, rate)
      }
    }
    return [new, newVelocity]
  }

  private func changing(_ initial: [Float], _ body: (UnsafeMutablePointer<Float>?) -> Void?) -> [Float] {
    var result = initial + [12345]
    _ = unsafe result.withUnsafeMutableBufferPointer { unsafe body($0.baseAddress) }
    #expect(result.removeLast() == 12345)
    return result
  }
}
