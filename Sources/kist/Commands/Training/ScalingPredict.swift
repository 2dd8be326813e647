import ArgumentParser
import KistConversion
import KistCore
import KistTraining

struct ScalingPredict: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "predict",
    abstract: "The loss that a fitted law gives for a size and an amount of text.",
    discussion: """
      EXAMPLES
        kist scaling predict fit.json --params 7e9 --tokens 2e12
        kist scaling predict fit.json --params 124e6 --tokens 1e10 --json
      """)

  @Argument(help: "What `kist scaling fit -o fit.json` wrote.", completion: .file())
  var fit: String

  @Option(name: .customLong("params"), help: "Parameters N, such as 7e9; without embeddings where the runs are.")
  var parameters: Double

  @Option(help: "Training tokens D, such as 2e12.")
  var tokens: Double

  @OptionGroup var global: GlobalOptions

  func validate() throws {
    guard parameters >= 1, tokens >= 1, parameters.isFinite, tokens.isFinite else {
      throw ValidationError("--params and --tokens are numbers from 1 on.")
    }
  }

  func run() throws {
    let fit = try ScalingFit(path: fit)
    let interval = fit.interval { $0.loss(parameters: parameters, tokens: tokens) }
    let report = Report(
      form: fit.law.form, parameters: parameters, tokens: tokens,
      loss: fit.law.loss(parameters: parameters, tokens: tokens), low: interval.low, high: interval.high)
    if global.json { return try Output.json(report) }
    Output.line(
      "loss \(Quantity.number(report.loss)) nats a token (\(Quantity.number(report.low)) to "
        + "\(Quantity.number(report.high)))")
  }

  private struct Report: Encodable {
    var schema = 1
    var form: ScalingForm
    var parameters: Double
    var tokens: Double
    var loss: Double
    var low: Double
    var high: Double
  }
}

struct ScalingAllocate: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "allocate",
    abstract: "The size and the amount of text that spend a compute best.",
    discussion: """
      Compute is counted as C = 6ND floating-point operations. Beside the best N and D stand the loss that the law gives \
      for them, and 95 % of what the samples of the fit say.

      EXAMPLES
        kist scaling allocate fit.json --compute 1e21
        kist scaling allocate fit.json --compute 5.76e23 --json
      """)

  @Argument(help: "What `kist scaling fit -o fit.json` wrote.", completion: .file())
  var fit: String

  @Option(help: "Floating-point operations, such as 1e21.")
  var compute: Double

  @OptionGroup var global: GlobalOptions

  func validate() throws {
    guard compute >= 6, compute.isFinite else { throw ValidationError("--compute is a number from 6 on.") }
  }

  func run() throws {
    let fit = try ScalingFit(path: fit)
    let best = fit.law.allocation(compute: compute)
    let samples = ScalingFit.Allocations(fit, compute: compute)
    let report = Report(
      form: fit.law.form, compute: compute,
      parameters: Number(best.parameters, samples.interval(\.parameters)),
      tokens: Number(best.tokens, samples.interval(\.tokens)), loss: Number(best.loss, samples.interval(\.loss)))
    if global.json { return try Output.json(report) }
    var table = TextTable([.left, .right, .left], titles: ["", "best", "95 % of samples"])
    for (name, number) in [
      ("parameters N", report.parameters), ("tokens D", report.tokens), ("loss", report.loss),
    ] {
      table.add([
        name, Quantity.number(number.value), "\(Quantity.number(number.low)) to \(Quantity.number(number.high))",
      ])
    }
    Output.lines(table.lines(emphasis: Terminal.bold))
    Output.line("\(Quantity.number(best.tokens / best.parameters)) tokens a parameter")
  }

  private struct Number: Encodable {
    var value: Double
    var low: Double
    var high: Double

    init(_ value: Double, _ interval: ScalingFit.Interval) {
      (self.value, low, high) = (value, interval.low, interval.high)
    }
  }

  private struct Report: Encodable {
    var schema = 1
    var form: ScalingForm
    var compute: Double
    var parameters: Number
    var tokens: Number
    var loss: Number
  }
}
