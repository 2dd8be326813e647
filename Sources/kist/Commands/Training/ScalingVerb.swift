import ArgumentParser
import KistConversion
import KistCore
import KistTraining

struct ScalingVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "scaling",
    abstract: "How loss falls with parameters and tokens: train a grid, fit a law, predict, allocate.",
    discussion: """
      EXAMPLES
        kist scaling sweep --corpus corpus.txt -o runs.csv
        kist scaling fit runs.csv --form chinchilla -o plot.svg -o fit.json
        kist scaling predict fit.json --params 7e9 --tokens 2e12
        kist scaling allocate fit.json --compute 1e21
      """,
    subcommands: [ScalingSweep.self, ScalingFitting.self, ScalingPredict.self, ScalingAllocate.self])
}

struct ScalingFitting: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fit",
    abstract: "Fit a scaling law to runs.",
    discussion: """
      The table has the columns params, tokens and loss. Forms: additive, L = (Nc/N)^αN + (Dc/D)^αD; kaplan, \
      L = [(Nc/N)^(αN/αD) + Dc/D]^αD; chinchilla, L = E + A/N^α + B/D^β. The constants have the least Huber loss of ln L \
      (δ = 0.001), as in Chinchilla's paper, found from many starts; intervals are of 95 %, from runs drawn again with \
      replacement. The same runs give the same constants.

      EXAMPLES
        kist scaling fit runs.csv --form additive -o plot.svg
        kist scaling fit runs.csv --form chinchilla -o fit.json
        kist scaling fit runs.csv --json
      """)

  @Argument(help: "A table of runs.", completion: .file())
  var runs: String

  @Option(help: "additive, kaplan or chinchilla.")
  var form: ScalingForm = .additive

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("A picture (.svg) or the fit itself (.json); repeat for both.", valueName: "file"),
    completion: .file())
  var output: [String] = []

  @Option(help: "How many times runs are drawn again for the intervals.")
  var bootstrap = 400

  @Option(help: "Makes the drawing repeatable.")
  var seed: UInt64 = 0

  @OptionGroup var global: GlobalOptions

  func validate() throws {
    guard output.allSatisfy({ $0.hasSuffix(".svg") || $0.hasSuffix(".json") }) else {
      throw ValidationError("-o names an .svg or a .json file.")
    }
    guard (1...100_000).contains(bootstrap) else { throw ValidationError("--bootstrap is a number from 1 to 100000.") }
  }

  func run() throws {
    if !global.force { for path in output { try requireAbsent(path) } }
    let table = try [ScalingRun](csv: readWholeText(runs), file: runs)
    let fit = try ScalingFit(
      form, runs: table, file: runs, sampleCount: bootstrap, seed: seed, parallelism: global.parallelism)
    for path in output {
      if path.hasSuffix(".svg") {
        try ScalingChart(fit, runs: table).write(to: path, replacing: global.force)
      } else {
        try fit.write(to: path, replacing: global.force)
      }
    }
    if global.json { return Output.text(try fit.json()) }
    show(fit)
  }

  private func show(_ fit: ScalingFit) {
    Output.line(form.formula)
    var text = TextTable([.left, .right, .left], titles: ["constant", "value", "95 % of samples"])
    for (index, name) in form.constantNames.enumerated() {
      let interval = fit.interval(ofConstant: index)
      text.add([
        name, Quantity.number(fit.law.constants[index]),
        "\(Quantity.number(interval.low)) to \(Quantity.number(interval.high))",
      ])
    }
    Output.lines(text.lines(emphasis: Terminal.bold))
    Output.line(
      "\(fit.runCount) runs, which it misses by \(Quantity.percentage(fit.meanError)) on average"
        + (output.isEmpty ? "" : "; wrote \(output.map(\.escapedForTerminal).joined(separator: ", "))"))
  }
}

extension ScalingForm: ExpressibleByArgument {}

extension ScalingFit {
  fileprivate func write(to path: String, replacing: Bool) throws(KistError) {
    let file = try NewFile(target: path)
    try file.output.write(Array(json().utf8), at: 0)
    try file.commit(replacing: replacing)
  }
}
