import Foundation
import KistConversion
import KistCore
import KistTraining
import Testing

/// Fits of runs that were made from known laws: constants that were published.
@Suite struct ScalingTests {
  /// Kaplan et al. 2020, equations 1.1 to 1.5; Hoffmann et al. 2022, approach 3.
  private static let published: [ScalingLaw] = [
    ScalingLaw(.additive, [8.8e13, 0.076, 5.4e13, 0.095]),
    ScalingLaw(.kaplan, [8.8e13, 0.076, 5.4e13, 0.095]),
    ScalingLaw(.chinchilla, [406.4, 0.34, 410.7, 0.28, 1.69]),
  ]

  /// A grid of runs of a law, with noise of so much.
  private func runs(_ law: ScalingLaw, noise: Double, seed: UInt64 = 1) -> [ScalingRun] {
    var random = RandomNumbers(seed: seed)
    var runs: [ScalingRun] = []
    for size in stride(from: 5.0, through: 10, by: 0.5) {
      for amount in stride(from: 7.0, through: 12, by: 0.5) {
        let (parameters, tokens) = (pow(10, size), pow(10, amount))
        let loss = law.loss(parameters: parameters, tokens: tokens) * exp(noise * random.normalPair().0)
        runs.append(ScalingRun(parameters: parameters, tokens: tokens, loss: loss))
      }
    }
    return runs
  }

  @Test(arguments: published) func `runs without noise give the constants back`(law: ScalingLaw) throws {
    let fit = try ScalingFit(law.form, runs: runs(law, noise: 0), file: "runs.csv", sampleCount: 10)
    for (value, expected) in zip(fit.law.constants, law.constants) {
      #expect(abs(log(value / expected)) < 0.01, "\(fit.law.constants)")
    }
    #expect(fit.meanError < 1e-5)
  }

  @Test(arguments: published) func `under noise the published constants lie within the error bars`(law: ScalingLaw)
    throws
  {
    let noisy = runs(law, noise: 0.005)
    let fit = try ScalingFit(law.form, runs: noisy, file: "runs.csv", sampleCount: 200, seed: 3)
    for (index, expected) in law.constants.enumerated() {
      let interval = fit.interval(ofConstant: index)
      #expect(
        interval.low <= expected && expected <= interval.high, "\(law.form) \(index): \(interval), not \(expected)")
      #expect(interval.low <= fit.law.constants[index] && fit.law.constants[index] <= interval.high)
    }
    #expect(fit.undetermined.isEmpty)
    // The bars are bars: exponents are told to a tenth.
    #expect(fit.interval(ofConstant: 1).high / fit.interval(ofConstant: 1).low < 1.3)
  }

  @Test func `a few bad runs do not pull a fit away`() throws {
    let law = Self.published[2]
    var table = runs(law, noise: 0.002)
    for index in [5, 40, 77] { table[index].loss *= 1.5 }
    let fit = try ScalingFit(.chinchilla, runs: table, file: "runs.csv", sampleCount: 10)
    for (value, expected) in zip(fit.law.constants, law.constants) { #expect(abs(log(value / expected)) < 0.2) }
  }

  @Test(arguments: published) func `a fit predicts a larger run than it saw`(law: ScalingLaw) throws {
    let small = runs(law, noise: 0.002).filter { $0.parameters < 1e8 && $0.tokens < 1e10 }
    let fit = try ScalingFit(law.form, runs: small, file: "runs.csv", sampleCount: 50)
    let (parameters, tokens) = (1e9, 1e11)
    let expected = law.loss(parameters: parameters, tokens: tokens)
    #expect(abs(fit.law.loss(parameters: parameters, tokens: tokens) / expected - 1) < 0.03)
  }

  @Test(arguments: published) func `sizes that are nearly the same do not tell what size does`(law: ScalingLaw) throws {
    var table: [ScalingRun] = []
    for (row, size) in [1e6, 1.1e6, 1.2e6].enumerated() {
      for (column, tokens) in [1e8, 3e8, 1e9, 3e9, 1e10].enumerated() {
        let noise = [0.02, -0.02, 0.01][(row + 2 * column) % 3]
        table.append(
          ScalingRun(
            parameters: size, tokens: tokens, loss: law.loss(parameters: size, tokens: tokens) * (1 + noise)))
      }
    }
    let fit = try ScalingFit(law.form, runs: table, file: "runs.csv", sampleCount: 100)
    let size = try #require(fit.undetermined.first)
    #expect(size.constant == law.form.constantNames[1] && size.high > 3 * size.low && size.missing.contains("sizes"))
    #expect(try JSONDecoder().decode(ScalingFit.self, from: Data(fit.json().utf8)) == fit)
    // One floor fits as well as another.
    #expect(law.form != .chinchilla || fit.undetermined.last?.constant == "E")
  }

  @Test func `the same runs and seed give the same fit, with any number of threads`() throws {
    let table = runs(Self.published[1], noise: 0.01)
    let fits = try [1, 3].map {
      try ScalingFit(.kaplan, runs: table, file: "", sampleCount: 20, parallelism: Parallelism(threads: $0))
    }
    #expect(fits[0] == fits[1])
    let path = FileManager.default.temporaryDirectory.path + "/kist-fit-\(UUID().uuidString).json"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try Data(try fits[0].json().utf8).write(to: URL(fileURLWithPath: path))
    #expect(try ScalingFit(path: path) == fits[0])
  }

  /// Hoffmann et al. 2022, equation 4.
  @Test(arguments: [1e18, 1e21, 5.76e23]) func `an allocation is the closed form's`(compute: Double) {
    let law = Self.published[2]
    let (a, alpha, b, beta) = (law.constants[0], law.constants[1], law.constants[2], law.constants[3])
    let ratio = pow(alpha * a / (beta * b), 1 / (alpha + beta))
    let best = law.allocation(compute: compute)
    #expect(abs(best.parameters / (ratio * pow(compute / 6, beta / (alpha + beta))) - 1) < 1e-5)
    #expect(abs(6 * best.parameters * best.tokens / compute - 1) < 1e-9)
    #expect(law.loss(parameters: best.parameters * 1.1, tokens: best.tokens / 1.1) > best.loss)
  }

  @Test func `runs that can't tell a law are refused in one line each`() throws {
    let law = Self.published[0]
    let table = runs(law, noise: 0.01)
    func problem(_ runs: [ScalingRun], _ form: ScalingForm = .additive) -> String? {
      let error = #expect(throws: KistError.self) { try ScalingFit(form, runs: runs, file: "runs.csv") }
      #expect(error?.kind == .invalid && error?.file == "runs.csv")
      return error.map { ($0.field ?? "") + " " + $0.problem }
    }
    #expect(problem([])?.contains("0 runs are too few") == true)
    #expect(problem(Array(table.prefix(5)))?.contains("too few") == true)
    #expect(problem(table.filter { $0.parameters == 1e5 })?.contains("params has one value") == true)
    #expect(problem(table.filter { $0.tokens < 5e7 })?.contains("tokens has two values") == true)
    let diagonal = (0..<12).map { step in
      let size = pow(10, 5 + Double(step) / 4)
      return ScalingRun(parameters: size, tokens: 20 * size, loss: law.loss(parameters: size, tokens: 20 * size))
    }
    #expect(problem(diagonal)?.contains("rise together") == true)
    #expect(problem(table.map { ScalingRun(parameters: $0.parameters, tokens: $0.tokens, loss: 3) }) != nil)
  }

  @Test func `a table names its columns in any order, and a bad cell by its line`() throws {
    let table = try [ScalingRun](csv: "loss,seconds,tokens,params\n2.5,9,1e9,1e6\n\n2.25,10,2e9,2e6\n", file: "a.csv")
    #expect(table.count == 2 && table[1] == ScalingRun(parameters: 2e6, tokens: 2e9, loss: 2.25))
    for (text, field) in [
      ("N,D,L\n1,2,3\n", "line 1"), ("params,tokens,loss\n1,2\n", "line 2: loss"), ("", "line 1"),
      ("params,tokens,loss\n1,2,3\n1,-2,3\n", "line 3: tokens"), ("params,tokens,loss\nx,2,3\n", "line 2: params"),
      ("params,tokens,loss\n1,2,nan\n", "line 2: loss"),
    ] {
      let error = #expect(throws: KistError.self) { try [ScalingRun](csv: text, file: "a.csv") }
      #expect(error?.field == field)
    }
  }

  @Test func `pictures are SVG of their own, with a colour for each amount of text`() throws {
    let fit = ScalingFit(law: Self.published[2], samples: [], runCount: 4, meanError: 0)
    let folder = FileManager.default.temporaryDirectory.path + "/kist-plot-\(UUID().uuidString).svg"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try ScalingChart(fit, runs: runs(Self.published[2], noise: 0.01)).write(to: folder, replacing: false)
    let svg = try String(contentsOfFile: folder, encoding: .utf8)
    #expect(svg.contains("<svg xmlns") && svg.contains("prefers-color-scheme:dark") && !svg.contains("nan"))
    #expect(svg.components(separatedBy: "<circle").count - 1 == 121 + 6)  // runs, and the legend
    #expect(svg.components(separatedBy: "<polyline").count - 1 == 6)
    #expect(!svg.contains("href") && !svg.contains("<script"))
  }
}
