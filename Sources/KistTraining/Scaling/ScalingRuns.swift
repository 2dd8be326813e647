import Foundation
import KistCore

/// A model that was trained: its parameters, the tokens that it saw, the loss that it reached.
public struct ScalingRun: Sendable, Equatable {
  public var parameters: Double
  public var tokens: Double
  public var loss: Double

  public init(parameters: Double, tokens: Double, loss: Double) {
    (self.parameters, self.tokens, self.loss) = (parameters, tokens, loss)
  }
}

extension [ScalingRun] {
  /// Reads a table with a heading: columns `params`, `tokens` and `loss` among others, separated by commas.
  ///
  /// - Throws: `invalid`, naming the line, for what is no positive number.
  public init(csv text: String, file: String) throws(KistError) {
    let lines = text.split(omittingEmptySubsequences: false) { $0.isNewline }.map { line in
      line.split(separator: ",", omittingEmptySubsequences: false).map {
        $0.trimmingCharacters(in: .whitespaces.union(["\"", "\u{FEFF}"]))
      }
    }
    let names = lines.first ?? []
    let columns = ["params", "tokens", "loss"].map { name in names.firstIndex { $0.lowercased() == name } }
    guard let parameters = columns[0], let tokens = columns[1], let loss = columns[2] else {
      throw KistError(
        .invalid, file: file, field: "line 1", "does not name the columns params, tokens and loss",
        advice: "`kist scaling sweep` writes such a table")
    }
    self = []
    for (index, cells) in lines.enumerated().dropFirst() where cells != [""] {
      func number(_ column: Int, _ name: String) throws(KistError) -> Double {
        guard cells.indices.contains(column), let value = Double(cells[column]), value > 0, value.isFinite else {
          let cell = cells.indices.contains(column) ? "'\(cells[column])'" : "nothing"
          throw KistError(.invalid, file: file, field: "line \(index + 1): \(name)", "\(cell) is no positive number")
        }
        return value
      }
      append(
        ScalingRun(
          parameters: try number(parameters, "params"), tokens: try number(tokens, "tokens"),
          loss: try number(loss, "loss")))
    }
  }

  /// Throws when no law of a form follows from these runs.
  func checkEnough(for form: ScalingForm, file: String) throws(KistError) {
    let needed = form.constantNames.count + 2
    guard count >= needed else {
      throw KistError(
        .invalid, file: file,
        "\(count) runs are too few for the \(form.constantNames.count) constants of the "
          + "\(form.rawValue) form: it takes \(needed)", advice: "train more sizes, or on more amounts of text")
    }
    for (name, values) in [("params", map(\.parameters)), ("tokens", map(\.tokens))] {
      let different = Set(values).count
      guard different >= 3 else {
        throw KistError(
          .invalid, file: file, field: name,
          "has \(different == 1 ? "one value" : "two values") in all runs, "
            + "and how the loss falls with it takes three", advice: "train more sizes, or on more amounts of text")
      }
    }
    // N and D that rise together can't be told apart.
    let (x, y) = (map { log($0.parameters) }, map { log($0.tokens) })
    guard abs(Self.correlation(x, y)) < 0.999 else {
      throw KistError(
        .invalid, file: file, "params and tokens rise together in all runs, so that their effects can't be told apart",
        advice: "train some sizes on less and on more text")
    }
    guard Set(map(\.loss)).count >= 3 else {
      throw KistError(.invalid, file: file, field: "loss", "is the same in nearly all runs: there is nothing to fit")
    }
  }

  private static func correlation(_ x: [Double], _ y: [Double]) -> Double {
    let count = Double(x.count)
    let (meanX, meanY) = (x.reduce(0, +) / count, y.reduce(0, +) / count)
    let (a, b) = (x.map { $0 - meanX }, y.map { $0 - meanY })
    func product(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
    return product(a, b) / (product(a, a) * product(b, b)).squareRoot()
  }
}
