import ArgumentParser
import KistConversion
import KistCore

struct Attention: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show what each attention head looks at in a text.",
    discussion: """
      Computes softmax(Q·Kᵀ ÷ √d), the weights of each token's look at the others, as the forward pass has them. Prints \
      a heat map, a row for each token that looks, a column for each that is looked at: of one head with --layer and \
      --head, else the mean over the layer's heads, or over all. -o writes a page with every layer and head, or with \
      .npy the numbers, F32 [layers, heads, tokens, tokens]. Layers and heads count from 0.

      EXAMPLES
        kist attention model.kist "The cat that the dog chased ran away"
        kist attention model.kist "The cat that the dog chased ran away" --layer 2 --head 3
        kist attention model.kist "The cat sat" -o page.html
        kist attention minilm.kist "The cat sat" -o weights.npy
        kist attention ./hf-dir --tokens 1,403,407 --json
      """)

  @Argument(help: "A .kist file, a GGUF or a Hugging Face directory.", completion: .file())
  var source: String

  @OptionGroup var input: RunInput

  @Option(help: ArgumentHelp("A layer, from 0 on.", valueName: "n"))
  var layer: Int?

  @Option(help: ArgumentHelp("A head of that layer, from 0 on.", valueName: "n"))
  var head: Int?

  @Option(
    name: .shortAndLong, help: ArgumentHelp("Where to write all of it.", valueName: "page.html|.npy"),
    completion: .file())
  var output: String?

  @OptionGroup var memory: MemoryOption
  @OptionGroup var global: GlobalOptions

  func validate() throws {
    guard head == nil || layer != nil else { throw ValidationError("--head is one of a --layer.") }
    guard output.map({ $0.hasSuffix(".html") || $0.hasSuffix(".npy") }) ?? true else {
      throw ValidationError("-o is a .html or a .npy file.")
    }
  }

  func run() throws {
    if let output, !global.force { try requireAbsent(output) }
    let model = try LoadedModel.open(path: source, memory: memory.budget)
    let tokens = try input.tokens(for: model)
    let maps = try AttentionMaps(
      model, tokens: tokens, layers: layer.map { $0..<$0 + 1 }, parallelism: global.parallelism)
    if let head, !(0..<maps.headCount).contains(head) {
      throw KistError(.invalid, field: "--head", "layer \(layer ?? 0) has heads 0 to \(maps.headCount - 1)")
    }
    if let output { return try write(maps, to: output) }
    if global.json { return try Output.json(report(maps, output: nil)) }
    show(maps)
  }

  private func write(_ maps: AttentionMaps, to output: String) throws {
    let shape = [maps.layers.count, maps.headCount, maps.tokenCount, maps.tokenCount]
    if output.hasSuffix(".npy") {
      try maps.writeArray(to: output, replacingExisting: global.force)
      if !global.json { Output.line("\(output.escapedForTerminal): F32 \(shape), layers × heads × tokens × tokens") }
    } else {
      try maps.page(model: source).write(to: output, replacingExisting: global.force)
      if !global.json { Output.line("\(output.escapedForTerminal): \(shape[0]) layers of \(shape[1]) heads") }
    }
    if global.json { try Output.json(report(maps, output: output)) }
  }

  private func show(_ maps: AttentionMaps) {
    let title: String
    let weights: [Float]
    if let layer, let head {
      title = "layer \(layer), head \(head)"
      weights = Array(maps.head(head, layer: layer))
    } else {
      title =
        layer.map { "layer \($0), mean of \(maps.headCount) heads" }
        ?? "mean of \(maps.layers.count) layers of \(maps.headCount) heads"
      weights = maps.mean(layers: maps.layers)
    }
    Output.line(Terminal.bold(title))
    Output.lines(HeatMap(labels: maps.labels, weights: weights).lines)
    let summaries = maps.summaries.filter { head == nil || $0.head == head }
    var table = TextTable(
      [.right, .right, .right, .right, .right, .right],
      titles: ["layer", "head", "on itself", "on the one before", "on the first", "entropy"])
    for one in summaries.prefix(64) {
      table.add(
        ["\(one.layer)", "\(one.head)"] + [one.own, one.previous, one.first].map(Quantity.percentage)
          + [Quantity.decimal(one.entropy, places: 2)])
    }
    Output.line()
    Output.lines(table.lines(emphasis: Terminal.bold))
    if summaries.count > 64 {
      Output.line("… and \(summaries.count - 64) heads more; --layer shows those of one layer")
    }
  }

  private func report(_ maps: AttentionMaps, output: String?) -> Report {
    let heads = head.map { $0..<$0 + 1 } ?? 0..<maps.headCount
    let count = maps.tokenCount
    let weights = maps.layers.map { layer in
      heads.map { head in
        let numbers = Array(maps.head(head, layer: layer))
        return (0..<count).map { Array(numbers[$0 * count..<($0 + 1) * count]) }
      }
    }
    return Report(
      tokens: maps.tokens, texts: maps.labels, layers: Array(maps.layers), heads: Array(heads),
      summaries: maps.summaries.filter { heads.contains($0.head) }, weights: output == nil ? weights : nil,
      output: output)
  }

  /// What is printed with `--json`.
  private struct Report: Encodable {
    var tokens: [Int]
    var texts: [String]
    var layers: [Int]
    var heads: [Int]
    var summaries: [AttentionMaps.HeadSummary]
    /// By layer, head, token that looks, token that is looked at.
    var weights: [[[[Float]]]]?
    var output: String?
  }
}

/// A text that a model runs over; or its tokens, for a model without a tokenizer.
struct RunInput: ParsableArguments {
  @Argument(help: "The text; - reads standard input.")
  var text: String?

  @Option(help: ArgumentHelp("Ids instead of a text, with commas between them; @FILE reads them.", valueName: "ids"))
  var tokens: String?

  func validate() throws {
    guard (tokens == nil) != (text == nil) else { throw ValidationError("Give a text or --tokens.") }
  }

  func tokens(for model: LoadedModel) throws(KistError) -> [Int] {
    if let tokens { return try TokenInput.parse(tokens) }
    return try model.tokensToRun(try readArgument(text ?? ""))
  }
}
