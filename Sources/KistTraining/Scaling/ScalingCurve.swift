import Foundation

/// A scaling law as the fit sees it: ln L as a function of ln N and ln D, with parameters of similar size around the middle of the runs,
/// and exponents that stay positive.
///
/// | form | ln L, with n = ln N − mean and d = ln D − mean |
/// |---|---|
/// | additive | LSE(a − αN n, b − αD d) |
/// | chinchilla | LSE(a − α n, b − β d, e) |
/// | kaplan | αD LSE(a − (αN/αD) n, b − d) |
///
/// LSE is ln Σ e^x; parameters are a, ln αN, b, ln αD and e.
struct ScalingCurve: Sendable {
  let form: ScalingForm
  let meanN: Double
  let meanD: Double
  let meanLoss: Double

  init(_ form: ScalingForm, _ runs: [ScalingRun]) {
    let count = Double(runs.count)
    self.form = form
    meanN = runs.reduce(0) { $0 + log($1.parameters) } / count
    meanD = runs.reduce(0) { $0 + log($1.tokens) } / count
    meanLoss = runs.reduce(0) { $0 + log($1.loss) } / count
  }

  /// ln L and its slopes by the parameters.
  func value(_ theta: [Double], _ run: ScalingRun) -> (logLoss: Double, slopes: [Double]) {
    let (n, d) = (log(run.parameters) - meanN, log(run.tokens) - meanD)
    let (alpha, beta) = (exp(theta[1]), exp(theta[3]))
    switch form {
    case .additive, .chinchilla:
      let terms = [theta[0] - alpha * n, theta[2] - beta * d] + theta.dropFirst(4)
      let (sum, shares) = Self.logSum(terms)
      let slopes = [shares[0], -shares[0] * alpha * n, shares[1], -shares[1] * beta * d]
      return (sum, slopes + shares.dropFirst(2))
    case .kaplan:
      let (sum, shares) = Self.logSum([theta[0] - alpha / beta * n, theta[2] - d])
      let slopes = [
        beta * shares[0], -shares[0] * alpha * n, beta * shares[1], beta * sum + shares[0] * alpha * n,
      ]
      return (beta * sum, slopes)
    }
  }

  /// ln Σ e^x, and each term's share.
  private static func logSum(_ terms: [Double]) -> (sum: Double, shares: [Double]) {
    let most = terms.max() ?? 0
    let parts = terms.map { exp($0 - most) }
    let total = parts.reduce(0, +)
    return (most + log(total), parts.map { $0 / total })
  }

  /// Where a search may begin: exponents small and large, terms that share the loss in several ways.
  var starts: [[Double]] {
    let exponents = [0.03, 0.08, 0.2, 0.5, 1]
    let shares = [(0.45, 0.45), (0.2, 0.2), (0.7, 0.2), (0.2, 0.7)]
    return exponents.flatMap { alpha in
      exponents.flatMap { beta in
        shares.map { first, second in start(alpha, beta, first, second) }
      }
    }
  }

  private func start(_ alpha: Double, _ beta: Double, _ first: Double, _ second: Double) -> [Double] {
    switch form {
    case .additive:
      let whole = first + second
      return [meanLoss + log(first / whole), log(alpha), meanLoss + log(second / whole), log(beta)]
    case .kaplan:
      let whole = first + second
      return [
        meanLoss / beta + log(first / whole), log(alpha), meanLoss / beta + log(second / whole), log(beta),
      ]
    case .chinchilla:
      return [
        meanLoss + log(first), log(alpha), meanLoss + log(second), log(beta),
        meanLoss + log(max(0.05, 1 - first - second)),
      ]
    }
  }

  /// The law with its constants as papers write them.
  func law(_ theta: [Double]) -> ScalingLaw {
    let (alpha, beta) = (exp(theta[1]), exp(theta[3]))
    switch form {
    case .additive:
      return ScalingLaw(form, [exp(meanN + theta[0] / alpha), alpha, exp(meanD + theta[2] / beta), beta])
    case .kaplan:
      return ScalingLaw(form, [exp(meanN + theta[0] * beta / alpha), alpha, exp(meanD + theta[2]), beta])
    case .chinchilla:
      // Runs that do not tell a floor send its logarithm towards minus infinity.
      let floor = exp(theta[4])
      return ScalingLaw(
        form,
        [
          exp(theta[0] + alpha * meanN), alpha, exp(theta[2] + beta * meanD), beta,
          floor < 1e-9 * exp(meanLoss) ? 0 : floor,
        ])
    }
  }
}
