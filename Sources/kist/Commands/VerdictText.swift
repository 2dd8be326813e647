import Foundation
import KistConversion
import KistCore

/// A verdict as lines for a person.
struct VerdictText {
  private let verdict: Verdict

  init(_ verdict: Verdict) { self.verdict = verdict }

  func lines(indent: Int) -> [String] {
    let space = String(repeating: " ", count: indent)
    let word = verdict.matches ? Terminal.good(verdict.summary) : Terminal.bad(verdict.summary)
    var table = TextTable([.left, .left])
    for (title, value) in rows { table.add([title, value]) }
    return ["\(space)\(word), by the word of \(verdict.reference.escapedForTerminal)"]
      + table.lines(indent: indent + 2)
      + verdict.differences.map { "\(space)  \(Terminal.bad("differs")): \($0.escapedForTerminal)" }
  }

  private var rows: [(String, String)] {
    let divergence = verdict.divergence
    var rows = [
      (
        "max |Δ|",
        "\(number(verdict.largestDifference))" + place(verdict.worstPosition)
          + ", \(number(verdict.range > 0 ? verdict.largestDifference / verdict.range : 0)) of the range \(number(verdict.range))"
      ),
      (
        "RMSE, NMSE, cosine",
        "\(number(verdict.rootMeanSquare)), \(number(verdict.normalizedError)), \(String(format: "%.7f", verdict.cosine))"
      ),
      (
        "KL",
        "mean \(number(divergence.mean)), 99 % \(number(divergence.percentile99)), max \(number(divergence.largest))"
          + place(divergence.worstPosition) + " nats"
      ),
      (
        "top-1, top-5",
        "\(Quantity.percentage(verdict.topOneAgreement)), \(Quantity.percentage(verdict.topFiveAgreement)) of "
          + "\(verdict.positionCount) positions"
      ),
    ]
    if let own = verdict.perplexity, let reference = verdict.referencePerplexity {
      rows.append(("perplexity", "\(number(own)), reference \(number(reference))"))
    }
    rows.append(("tolerance", verdict.tolerance))
    return rows
  }

  private func place(_ position: Int?) -> String { position.map { " (position \($0))" } ?? "" }

  private func number(_ value: Double) -> String {
    value.isFinite ? String(format: "%.4g", value) : value.isNaN ? "nan" : "inf"
  }
}

/// The result of comparing two models as lines for a person.
struct JudgmentText {
  private let report: JudgmentReport

  init(_ report: JudgmentReport) { self.report = report }

  var lines: [String] {
    ["\(report.path.escapedForTerminal): in \(Quantity.seconds(report.seconds))"]
      + VerdictText(report.verdict).lines(indent: 2) + bisection
  }

  private var bisection: [String] {
    guard let bisection = report.bisection else { return [] }
    guard let first = bisection.first else {
      let worst = bisection.worst.map { ", at most \(String(format: "%.2g", $0.error)) (\($0.step))" } ?? ""
      return ["  bisect: all \(bisection.stepCount) steps agree within what their dtypes explain\(worst)"]
    }
    let error = String(format: "%.2g, where its dtype explains %.2g", first.error, first.explained)
    let tensors = first.tensors.isEmpty ? "no tensor: its configuration" : first.tensors.joined(separator: ", ")
    return [
      "  bisect: the first step that computes something else is \(Terminal.bad(first.step))",
      "    " + (first.problem ?? "relative error \(error)"), "    \(tensors.escapedForTerminal)",
    ]
  }
}
