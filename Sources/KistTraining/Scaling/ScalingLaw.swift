import Foundation

/// How the loss falls with parameters N and training tokens D.
public enum ScalingForm: String, Sendable, Codable, CaseIterable {
  /// L = (Nc/N)^αN + (Dc/D)^αD.
  case additive
  /// L = [(Nc/N)^(αN/αD) + Dc/D]^αD. Source: Kaplan et al. 2020, equation 1.5.
  case kaplan
  /// L = E + A/N^α + B/D^β. Source: Hoffmann et al. 2022, equation 2.
  case chinchilla

  /// What the constants are called, in the order of ``ScalingLaw/constants``.
  public var constantNames: [String] {
    switch self {
    case .additive, .kaplan: ["Nc", "alpha_N", "Dc", "alpha_D"]
    case .chinchilla: ["A", "alpha", "B", "beta", "E"]
    }
  }

  public var formula: String {
    switch self {
    case .additive: "L = (Nc/N)^αN + (Dc/D)^αD"
    case .kaplan: "L = [(Nc/N)^(αN/αD) + Dc/D]^αD"
    case .chinchilla: "L = E + A/N^α + B/D^β"
    }
  }
}

/// One of the forms with its constants.
public struct ScalingLaw: Sendable, Equatable {
  public var form: ScalingForm
  /// As ``ScalingForm/constantNames`` says.
  public var constants: [Double]

  public init(_ form: ScalingForm, _ constants: [Double]) {
    precondition(constants.count == form.constantNames.count, "as many constants as the form has")
    self.form = form
    self.constants = constants
  }

  /// The loss of N parameters and D tokens, in nats a token.
  public func loss(parameters: Double, tokens: Double) -> Double {
    let c = constants
    switch form {
    case .additive: return pow(c[0] / parameters, c[1]) + pow(c[2] / tokens, c[3])
    case .kaplan: return pow(pow(c[0] / parameters, c[1] / c[3]) + c[2] / tokens, c[3])
    case .chinchilla: return c[4] + c[0] / pow(parameters, c[1]) + c[2] / pow(tokens, c[3])
    }
  }

  /// The N and D that spend a compute of C = 6ND best, and the loss that they reach.
  ///
  /// For sizes below one parameter or one token there is no model. The loss has one minimum along ln N, found by golden section.
  public func allocation(compute: Double) -> Allocation {
    let product = compute / 6
    func loss(_ logarithm: Double) -> Double {
      self.loss(parameters: exp(logarithm), tokens: product / exp(logarithm))
    }
    let ratio = (5.0.squareRoot() - 1) / 2
    var (low, high) = (0.0, log(max(product, 1)))
    for _ in 0..<200 where high - low > 1e-12 {
      let (left, right) = (high - ratio * (high - low), low + ratio * (high - low))
      if loss(left) <= loss(right) { high = right } else { low = left }
    }
    let parameters = exp((low + high) / 2)
    return Allocation(
      parameters: parameters, tokens: product / parameters,
      loss: self.loss(parameters: parameters, tokens: product / parameters))
  }

  public struct Allocation: Sendable, Equatable {
    public var parameters: Double
    public var tokens: Double
    public var loss: Double
  }
}
