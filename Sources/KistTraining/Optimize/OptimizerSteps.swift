import CKernels
import Foundation
import KistCore
import KistInference

/// Changes parameters by their gradients, as PyTorch's optimizers do.
/// Source: torch 2.15, torch/optim/{sgd,adam,adamw}.py; torch/nn/utils/clip_grad.py.
package struct OptimizerSteps {
  private let settings: TrainingSettings
  private let store: ParameterStore
  private let workers: Workers
  /// Parts of the parameters that are done at a time.
  private let parts: [(range: Range<Int>, decays: Bool)]

  package init(_ settings: TrainingSettings, _ store: ParameterStore, _ workers: Workers) {
    self.settings = settings
    self.store = store
    self.workers = workers
    parts = store.layout.parameters.flatMap { parameter in
      stride(from: 0, to: parameter.count, by: 1 << 15).map { start in
        let end = min(start + 1 << 15, parameter.count)
        return (parameter.offset + start..<parameter.offset + end, parameter.isMatrix)
      }
    }
  }

  /// What is remembered of each parameter. PyTorch's names.
  package static func stateNames(_ optimizer: TrainingSettings.Optimizer) -> [String] {
    switch optimizer {
    case .sgd: ["momentum_buffer"]
    case .adam, .adamw: ["exp_avg", "exp_avg_sq"]
    }
  }

  /// √ of the sum of all gradients' squares.
  package func gradientNorm() throws(KistError) -> Double {
    let sums = Sums(count: parts.count)
    let (gradients, parts) = (store.gradients, parts)
    try workers.forEach(parts.count) { index in
      let range = parts[index].range
      unsafe sums.values[index] = kist_sum_of_squares(gradients.values + range.lowerBound, range.count)
    }
    return sums.total.squareRoot()
  }

  /// - Parameters:
  ///   - number: The step, from 1.
  ///   - norm: The gradients' norm.
  package func step(_ number: Int, rate: Double, norm: Double) throws(KistError) {
    let scale = settings.clip.map { min(1, $0 / (norm + 1e-6)) } ?? 1
    switch settings.optimizer {
    case .sgd: try descend(rate, scale)
    case .adam, .adamw: try adam(number, rate, scale)
    }
  }

  private func adam(_ number: Int, _ rate: Double, _ scale: Double) throws(KistError) {
    let settings = settings
    func rates(decays: Bool) -> kist_adam_step {
      let decay = decays ? settings.weightDecay : 0
      let isSeparate = settings.optimizer == .adamw
      return kist_adam_step(
        gradient_scale: Float(scale), decay: isSeparate ? 0 : Float(decay),
        shrink: isSeparate ? Float(1 - rate * decay) : 1, mean_weight: Float(1 - settings.beta1),
        square_kept: Float(settings.beta2), square_weight: Float(1 - settings.beta2),
        step: Float(rate / (1 - pow(settings.beta1, Double(number)))),
        root_correction: Float((1 - pow(settings.beta2, Double(number))).squareRoot()),
        epsilon: Float(settings.epsilon))
    }
    let (decaying, plain) = (rates(decays: true), rates(decays: false))
    let (values, gradients, parts) = (store.values, store.gradients, parts)
    let (mean, square) = (store.states[0].numbers, store.states[1].numbers)
    try workers.forEach(parts.count) { index in
      let start = parts[index].range.lowerBound
      var step = parts[index].decays ? decaying : plain
      unsafe kist_adam(
        values.values + start, gradients.values + start, mean.values + start, square.values + start,
        parts[index].range.count, &step)
    }
  }

  private func descend(_ rate: Double, _ scale: Double) throws(KistError) {
    let (values, gradients, parts, settings) = (store.values, store.gradients, parts, settings)
    let velocity = store.states[0].numbers
    try workers.forEach(parts.count) { index in
      let start = parts[index].range.lowerBound
      unsafe kist_descend(
        values.values + start, gradients.values + start, velocity.values + start, parts[index].range.count,
        Float(scale), parts[index].decays ? Float(settings.weightDecay) : 0, Float(settings.momentum), Float(rate))
    }
  }
}

/// Sums of parts, added up in their order.
@safe private final class Sums {
  @unsafe let values: UnsafeMutablePointer<Double>
  private let count: Int

  init(count: Int) {
    self.count = count
    unsafe values = .allocate(capacity: count)
    unsafe values.initialize(repeating: 0, count: count)
  }

  deinit { unsafe values.deallocate() }

  var total: Double { unsafe UnsafeBufferPointer(start: values, count: count).reduce(0, +) }
}
