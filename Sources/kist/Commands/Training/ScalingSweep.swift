import ArgumentParser
import Foundation
import KistConversion
import KistCore
import KistTokenizers
import KistTraining

struct ScalingSweep: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sweep",
    abstract: "Train a grid of small models, and table their losses.",
    discussion: """
      Each width is trained anew on each number of tokens: small Llamas with a layer for each 32 of width, AdamW, a cosine \
      over the run's own tokens. The loss is that of the twentieth of the text, at its end, that is not trained on. \
      params counts without embeddings, as scaling laws do, unless --with-embeddings.

      The table is written anew after each run; Ctrl-C keeps the runs that are done, and --resume skips them.

      EXAMPLES
        kist scaling sweep --corpus corpus.txt -o runs.csv
        kist scaling sweep --corpus corpus.txt -o runs.csv --widths 32,64,128 --tokens 1e5,3e5,1e6
      """)

  @Option(help: ArgumentHelp("A text to train on; repeat for several.", valueName: "file"), completion: .file())
  var corpus: [String]

  @Option(name: .shortAndLong, help: ArgumentHelp("The table to write.", valueName: "file.csv"), completion: .file())
  var output: String

  @Option(help: "Widths of the models, multiples of 16.")
  var widths: NumberList = NumberList([16, 32, 48, 64, 96])

  @Option(help: "Tokens that each is trained on.")
  var tokens: NumberList = NumberList([50_000, 100_000, 200_000, 400_000])

  @Option(
    help: ArgumentHelp("A tokenizer.json; without, one of --vocab-size is learned.", valueName: "file"),
    completion: .file())
  var tokenizer: String?

  @Option(help: "Tokens of a learned tokenizer.")
  var vocabSize = 512

  @Option(help: "Sequences of a step.")
  var batch = 8

  @Option(help: "Tokens of a sequence.")
  var context = 64

  @Option(name: .customLong("lr"), help: "Peak learning rate of a model 64 wide; others take it by 1/√width.")
  var rate = 0.005

  @Option(help: "Makes weights and batches repeatable.")
  var seed: UInt64 = 0

  @Flag(help: "Count embeddings among params.")
  var withEmbeddings = false

  @Flag(help: "Go on with the table that is there.")
  var resume = false

  @OptionGroup var global: GlobalOptions

  func validate() throws {
    guard !corpus.isEmpty else { throw ValidationError("Give a --corpus.") }
    guard vocabSize > 256, batch > 0, context > 0, rate > 0 else {
      throw ValidationError("--vocab-size is at least 257; --batch, --context and --lr are positive.")
    }
  }

  func run() throws {
    if !resume, !global.force { try requireAbsent(output) }
    let files: [(name: String, bytes: [UInt8])]
    if let tokenizer {
      files = try TrainingSetup.read(tokenizer)
    } else {
      files = try TrainingSetup.learn(corpus, vocabSize, global)
    }
    let container = TrainingContainer(config: [], tokenizer: files)
    let opened = try container.openTokenizer()
    let size = tokenizer == nil ? vocabSize : opened.idCount
    let plan = SweepPlan(
      widths: widths.numbers, tokens: tokens.numbers, vocabularySize: size, batch: batch, context: context, rate: rate,
      seed: seed)
    try plan.check()
    let text = try TokenCorpus.tokenize(
      files: corpus, opened, vocabularySize: size, parallelism: global.parallelism, progress: global.progress)
    try train(plan, text)
  }

  private func train(_ plan: SweepPlan, _ text: TokenCorpus) throws(KistError) {
    var table = SweepTable(path: output, countsEmbeddings: withEmbeddings)
    if resume { try table.read() }
    let cancellation = Interruption.shared.stoppable()
    let models = plan.models.filter { !table.has($0, plan) }
    for (index, model) in models.enumerated() {
      let outcome = try plan.train(model, on: text, threads: global.threads, cancellation: cancellation)
      try table.add(outcome)
      global.notice(
        "\(index + 1) of \(models.count): \(model.width) wide, \(Quantity.count(outcome.parametersWithoutEmbeddings)) "
          + "parameters, \(Quantity.count(outcome.tokens)) tokens: loss \(TrainingLine.loss(outcome.loss)), "
          + "\(Quantity.seconds(outcome.seconds))")
    }
    if global.json {
      try Output.json(Report(output: output, runs: table.rows.count))
    } else {
      Output.line("\(output.escapedForTerminal): \(table.rows.count) runs")
    }
  }

  private struct Report: Encodable {
    var schema = 1
    var output: String
    var runs: Int
  }
}

/// The table that a sweep writes.
private struct SweepTable {
  let path: String
  let countsEmbeddings: Bool
  private(set) var rows: [String] = []

  private static let heading = "params,tokens,loss,width,layers,seconds"

  init(path: String, countsEmbeddings: Bool) { (self.path, self.countsEmbeddings) = (path, countsEmbeddings) }

  mutating func read() throws(KistError) {
    let lines = try readWholeText(path).split { $0.isNewline }.map(String.init)
    guard lines.first == Self.heading else {
      throw KistError(.invalid, file: path, field: "line 1", "is not the heading of a sweep's table: \(Self.heading)")
    }
    rows = Array(lines.dropFirst())
  }

  func has(_ model: SweepPlan.Model, _ plan: SweepPlan) -> Bool {
    let tokens = plan.settings(of: model).steps * plan.batch * plan.context
    return rows.contains { row in
      let cells = row.split(separator: ",")
      return cells.count == 6 && cells[1] == "\(tokens)" && cells[3] == "\(model.width)"
    }
  }

  mutating func add(_ outcome: SweepPlan.Outcome) throws(KistError) {
    let parameters = countsEmbeddings ? outcome.parameters : outcome.parametersWithoutEmbeddings
    let numbers = String(
      format: "%.6f,%d,%d,%.1f", outcome.loss, outcome.model.width, outcome.model.layerCount, outcome.seconds)
    rows.append("\(parameters),\(outcome.tokens),\(numbers)")
    let file = try NewFile(target: path)
    try file.output.write(Array((([Self.heading] + rows).joined(separator: "\n") + "\n").utf8), at: 0)
    try file.commit(replacing: true)
  }
}

/// Numbers with commas between them: `1e5,3e5`.
struct NumberList: ExpressibleByArgument {
  var numbers: [Int]

  init(_ numbers: [Int]) { self.numbers = numbers }

  init?(argument: String) {
    let parts = argument.split(separator: ",", omittingEmptySubsequences: false).map { Double($0) }
    numbers = parts.compactMap { $0.flatMap { $0 >= 1 && $0 <= 1e15 ? Int($0) : nil } }
    guard !numbers.isEmpty, numbers.count == parts.count else { return nil }
  }

  var defaultValueDescription: String { numbers.map(String.init).joined(separator: ",") }
}
