import Foundation

/// Finds the parameters of a curve with the least sum of Huber's losses of ln L, which a few bad runs do not pull away.
///
/// Levenberg and Marquardt's method, with each run weighed by what Huber's loss makes of its residual. The same runs give the same result.
/// Sources: Levenberg 1944; Marquardt 1963; Huber 1964; the loss and its δ: Hoffmann et al. 2022, appendix D.2.
struct ScalingSearch: Sendable {
  let curve: ScalingCurve
  let runs: [ScalingRun]
  /// Where Huber's loss turns from square to line.
  static let delta = 1e-3

  struct Result {
    var theta: [Double]
    var objective: Double
  }

  /// The best from many starts.
  func fromAnywhere() -> Result? {
    let short = curve.starts.map { descend(from: $0, iterations: 25) }.filter(\.objective.isFinite)
    let best = short.sorted { $0.objective < $1.objective }.prefix(6)
    return best.map { descend(from: $0.theta, iterations: 400) }.min { $0.objective < $1.objective }
  }

  func descend(from start: [Double], iterations: Int) -> Result {
    var result = Result(theta: start, objective: objective(start))
    var damping = 1e-2
    for _ in 0..<iterations {
      let (matrix, vector) = normalEquations(result.theta)
      guard let next = step(matrix, vector, &damping, result) else { break }
      let gain = result.objective - next.objective
      result = next
      if gain <= 1e-13 * max(result.objective, 1e-12) { break }
    }
    return result
  }

  /// A step that makes it better; nil when there is none.
  private func step(_ matrix: [[Double]], _ vector: [Double], _ damping: inout Double, _ now: Result) -> Result? {
    for _ in 0..<30 {
      var damped = matrix
      for index in vector.indices { damped[index][index] += damping * max(matrix[index][index], 1e-9) }
      if let change = Self.solve(damped, vector) {
        // Far from the solution the curve's linear picture is not to be trusted.
        let longest = change.map(abs).max() ?? 0
        let scale = longest > 2 ? 2 / longest : 1
        let theta = zip(now.theta, change).map { $0 - $1 * scale }
        let next = objective(theta)
        if next < now.objective {
          damping = max(damping / 5, 1e-12)
          return Result(theta: theta, objective: next)
        }
      }
      damping *= 4
    }
    return nil
  }

  private func objective(_ theta: [Double]) -> Double {
    runs.reduce(0) { sum, run in
      let residual = abs(curve.value(theta, run).logLoss - log(run.loss))
      let delta = Self.delta
      return sum + (residual <= delta ? residual * residual / 2 : delta * (residual - delta / 2))
    }
  }

  /// JᵀWJ and JᵀWr.
  private func normalEquations(_ theta: [Double]) -> ([[Double]], [Double]) {
    var matrix = [[Double]](repeating: [Double](repeating: 0, count: theta.count), count: theta.count)
    var vector = [Double](repeating: 0, count: theta.count)
    for run in runs {
      let (logLoss, slopes) = curve.value(theta, run)
      let residual = logLoss - log(run.loss)
      let weight = abs(residual) <= Self.delta ? 1 : Self.delta / abs(residual)
      for row in theta.indices {
        vector[row] += weight * slopes[row] * residual
        for column in theta.indices { matrix[row][column] += weight * slopes[row] * slopes[column] }
      }
    }
    return (matrix, vector)
  }

  /// Gauss's elimination with pivots; nil for a matrix without an inverse.
  private static func solve(_ matrix: [[Double]], _ vector: [Double]) -> [Double]? {
    var (a, b) = (matrix, vector)
    for column in b.indices {
      let pivot = (column..<b.count).max { abs(a[$0][column]) < abs(a[$1][column]) } ?? column
      guard abs(a[pivot][column]) > 1e-300 else { return nil }
      a.swapAt(column, pivot)
      b.swapAt(column, pivot)
      for row in column + 1..<b.count {
        let factor = a[row][column] / a[column][column]
        for index in column..<b.count { a[row][index] -= factor * a[column][index] }
        b[row] -= factor * b[column]
      }
    }
    for row in b.indices.reversed() {
      for column in row + 1..<b.count { b[row] -= a[row][column] * b[column] }
      b[row] /= a[row][row]
    }
    return b.allSatisfy(\.isFinite) ? b : nil
  }
}
