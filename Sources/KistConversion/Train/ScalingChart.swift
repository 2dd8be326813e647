import Foundation
import KistCore
import KistTraining

/// Runs and the law that was fitted to them, as a picture: loss by parameters, a colour for each amount of text.
public struct ScalingChart: Sendable {
  private let fit: ScalingFit
  private let runs: [ScalingRun]

  public init(_ fit: ScalingFit, runs: [ScalingRun]) { (self.fit, self.runs) = (fit, runs) }

  /// At most six amounts of text, from the least to the most.
  private var amounts: [Double] {
    let all = Set(runs.map(\.tokens)).sorted()
    guard all.count > 6 else { return all }
    return (0..<6).map { all[$0 * (all.count - 1) / 5] }
  }

  private var chart: Chart {
    let sizes = runs.map(\.parameters)
    let (low, high) = (log(sizes.min() ?? 1), log(sizes.max() ?? 1))
    let amounts = amounts
    let series = amounts.enumerated().flatMap { index, amount in
      let own = runs.filter { run in amounts.min { abs(log($0 / run.tokens)) < abs(log($1 / run.tokens)) } == amount }
      let curve = (0...60).map { step in
        let size = exp(low + (high - low) * Double(step) / 60)
        return Chart.Point(x: size, y: fit.law.loss(parameters: size, tokens: amount))
      }
      return [
        Chart.Series(
          name: "\(String(format: "%.3g", amount)) tokens",
          points: own.map { Chart.Point(x: $0.parameters, y: $0.loss) }, style: .marks, colour: index),
        Chart.Series(name: "", points: curve, style: .line, colour: index),
      ]
    }
    return Chart(
      title: fit.law.form.formula, summary: "Losses of \(runs.count) runs by parameters, with the law fitted to them.",
      x: Chart.Axis(title: "parameters N", isLogarithmic: true),
      y: Chart.Axis(title: "loss L, nats a token", isLogarithmic: true), series: series)
  }

  public func write(to path: String, replacing: Bool) throws(KistError) {
    try chart.picture.write(to: path, replacingExisting: replacing)
  }
}
