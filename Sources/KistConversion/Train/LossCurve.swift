import KistCore
import KistTraining

/// A training's losses as a picture.
public struct LossCurve: Sendable {
  private let losses: [Float]
  private let heldOut: [Trainer.HeldOutLoss]

  public init(_ trainer: Trainer) { (losses, heldOut) = (trainer.losses, trainer.heldOutLosses) }

  /// Each point is the mean of the steps around it, so that a curve of thousands can be read.
  private var smoothed: [Chart.Point] {
    let width = max(1, losses.count / 200)
    return stride(from: 0, to: losses.count, by: width).map { start in
      let part = losses[start..<min(start + width, losses.count)]
      return Chart.Point(x: Double(start) + Double(part.count) / 2, y: Double(part.reduce(0, +)) / Double(part.count))
    }
  }

  private var chart: Chart {
    let last = losses.last.map { "; the last is \(Quantity.number(Double($0)))" } ?? ""
    return Chart(
      title: "Loss", summary: "The loss of each of \(losses.count) steps of a training\(last).",
      x: Chart.Axis(title: "step"), y: Chart.Axis(title: "nats a token"),
      series: [
        Chart.Series(name: "trained on", points: smoothed, style: .line, colour: 0),
        Chart.Series(
          name: "held out", points: heldOut.map { Chart.Point(x: Double($0.step), y: Double($0.loss)) },
          style: .marks, colour: 3),
      ])
  }

  /// - Throws: `conflict` when there is a file and it is not replaced.
  public func write(to path: String, replacing: Bool) throws(KistError) {
    try chart.picture.write(to: path, replacingExisting: replacing)
  }
}
