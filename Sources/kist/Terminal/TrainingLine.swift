import Foundation
import KistConversion
import KistTraining

/// Shows how a training goes, on standard error: a line that is redrawn on a terminal; elsewhere a line now and then. Held-out losses
/// get lines of their own.
final class TrainingLine: TrainingObserver {
  private let settings: TrainingSettings
  private let isQuiet: Bool
  private let clock = ContinuousClock()
  private var drawn: ContinuousClock.Instant?
  private var isDrawn = false
  /// The mean loss of the steps since the last line, and when it was written.
  private var sum = 0.0
  private var count = 0
  private var since: ContinuousClock.Instant

  init(_ settings: TrainingSettings, isQuiet: Bool) {
    self.settings = settings
    self.isQuiet = isQuiet
    since = clock.now
  }

  static func loss(_ loss: Double) -> String { String(format: "%.4f", loss) }

  func advanced(_ report: Trainer.StepReport) {
    sum += report.loss
    count += 1
    guard !isQuiet else { return }
    if Terminal.errorIsTerminal {
      if let drawn, clock.now - drawn < .milliseconds(100), report.step != settings.steps { return }
      Output.standardError("\r\u{1B}[2K" + text(report).prefix(Terminal.columns(STDERR_FILENO) - 1))
      (drawn, isDrawn) = (clock.now, true)
      // The mean follows the last seconds.
      if clock.now - since > .seconds(3) { restart() }
    } else if report.step % max(1, min(100, settings.steps / 10)) == 0 || report.step == settings.steps {
      Output.standardError("kist: \(text(report))\n")
      restart()
    }
  }

  private func restart() { (sum, count, since) = (0, 0, clock.now) }

  private func text(_ report: Trainer.StepReport) -> String {
    let seconds = (clock.now - since) / .seconds(1)
    let rate = seconds > 0 ? Double(count * settings.tokensPerStep) / seconds : 0
    let left = rate > 0 ? Double((settings.steps - report.step) * settings.tokensPerStep) / rate : 0
    return "step \(report.step) of \(settings.steps), loss \(Self.loss(sum / Double(max(1, count)))), "
      + "gradient \(String(format: "%.3g", report.gradientNorm)), rate \(String(format: "%.3g", report.rate)), "
      + "\(Quantity.count(Int(rate))) tokens/s, \(Quantity.seconds(left)) left"
  }

  func evaluated(step: Int, heldOutLoss: Double) {
    say("step \(step): held-out loss \(Self.loss(heldOutLoss))")
    restart()
  }

  func saved(_ step: Int, _ path: String) {
    if step < settings.steps { say("step \(step): saved \(path.escapedForTerminal)") }
  }

  private func say(_ text: String) {
    guard !isQuiet else { return }
    end()
    Output.standardError("kist: \(text)\n")
  }

  /// Takes the line away.
  func end() {
    if isDrawn { Output.standardError("\r\u{1B}[2K") }
    isDrawn = false
  }
}
