import Foundation
import KistCore

/// How a model is trained: everything that the result depends on, with the configuration, the tokens and the held-out part.
public struct TrainingSettings: Sendable, Equatable, Codable {
  public enum Optimizer: String, Sendable, Codable, CaseIterable {
    /// Gradient descent with momentum.
    case sgd
    /// Source: Kingma and Ba 2015. Weight decay is part of the gradient.
    case adam
    /// Source: Loshchilov and Hutter 2019. Weight decay shrinks the weights themselves.
    case adamw
  }

  public var steps = 1000
  /// Sequences of a step, times ``accumulation``.
  public var batch = 8
  /// Tokens of a sequence.
  public var context = 256
  /// Batches whose gradients are added up before a step.
  public var accumulation = 1
  public var optimizer = Optimizer.adamw
  /// Learning rate: its peak, and what the cosine ends at.
  public var rate = 1e-3
  public var minimumRate = 1e-4
  /// Steps in which the rate rises from 0.
  public var warmUp = 100
  /// Of matrices and tables; norms and biases do not decay.
  public var weightDecay = 0.1
  /// What the gradient's norm is cut to; nil for never.
  public var clip: Double? = 1
  public var beta1 = 0.9
  public var beta2 = 0.95
  public var epsilon = 1e-8
  public var momentum = 0.9
  public var seed: UInt64 = 0
  /// Part of the tokens, at their end, that is not trained on.
  public var heldOut = 0.05
  /// Steps from one held-out loss to the next.
  public var evaluationInterval = 250

  public init() {}

  public var tokensPerStep: Int { batch * context * accumulation }

  /// The learning rate of a step, from 0: a line up, then a cosine down. Source: Loshchilov and Hutter 2017.
  public func rate(at step: Int) -> Double {
    if step < warmUp { return rate * Double(step + 1) / Double(warmUp) }
    let progress = Double(step - warmUp) / Double(max(1, steps - warmUp))
    return minimumRate + (rate - minimumRate) * (1 + cos(.pi * min(1, progress))) / 2
  }

  /// - Throws: `invalid`, naming the setting.
  package func check() throws(KistError) {
    func require(_ condition: Bool, _ name: String, _ problem: String) throws(KistError) {
      if !condition { throw KistError(.invalid, field: name, problem) }
    }
    for (name, value) in [
      ("steps", steps), ("batch", batch), ("context", context), ("accumulate", accumulation),
      ("eval-every", evaluationInterval),
    ] { try require(value > 0, name, "is a number from 1 on, not \(value)") }
    try require(batch <= 1 << 20 && context <= 1 << 20 && accumulation <= 1 << 20, "batch", "is too large")
    try require(warmUp >= 0, "warmup", "is not negative")
    try require(rate > 0 && rate.isFinite, "lr", "is a positive number")
    try require(minimumRate >= 0 && minimumRate <= rate, "min-lr", "lies between 0 and the learning rate")
    try require(weightDecay >= 0 && weightDecay.isFinite, "weight-decay", "is not negative")
    try require(clip ?? 1 > 0, "clip", "is a positive number")
    try require((0..<1).contains(beta1) && (0..<1).contains(beta2), "beta1, beta2", "lie from 0 to below 1")
    try require(epsilon > 0, "epsilon", "is a positive number")
    try require((0..<1).contains(momentum), "momentum", "lies from 0 to below 1")
    try require((0..<1).contains(heldOut), "held-out", "is a part of the text, from 0 to below 1")
  }
}
