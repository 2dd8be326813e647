import ArgumentParser
import KistConversion
import KistCore
import KistInference

struct Inspect: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Say what a checkpoint is and what is in it.",
    discussion: """
      Shows format, architecture, sizes, dtypes, tensors by layer (numbers that vary stand in braces), the files that \
      travel with them, metadata, digests and signatures. No values are read, unless statistics or a comparison are \
      asked for.

      A file on a server is named by its address: of .kist, safetensors and GGUF files only the needed ranges come over.

      --tensors lists single tensors. In the pattern, * stands for any characters, dots too, ? for one, [0-3] for one \
      of a set; repeat the option for several patterns.

      Statistics are of finite values; the standard deviation is that of the population; of complex tensors, real and \
      imaginary parts are a number each. NMSE is Σ(a−b)² ÷ Σb², b being the reference.

      --html writes one page to send to someone: model card, architecture, where the weights are, dtypes and \
      compression, how the values of each kind of tensor are spread, the vocabulary, and of a container whether it is \
      whole and computes what was recorded. For that, a sample of the values is read, and the probes are run.

      EXAMPLES
        kist inspect minilm.kist
        kist inspect minilm.kist --tensors 'encoder.layer.0.*' --stats
        kist inspect model-bf16.kist --against model-f32.safetensors
        kist inspect ./MiniLM --json
        kist inspect checkpoint.pt
        kist inspect minilm.kist --html report.html
        kist inspect https://host/model.kist
      """)

  @Argument(
    help: "A .kist, safetensors, GGUF, PyTorch or NumPy file, or a Hugging Face directory.", completion: .file())
  var source: String

  @Option(name: .customLong("tensors"), help: ArgumentHelp("List the tensors whose names match.", valueName: "glob"))
  var patterns: [String] = []

  @Flag(help: "Add minimum, maximum, mean, standard deviation, and counts of NaN, infinity and zero.")
  var stats = false

  @Option(help: ArgumentHelp("Compare values with those of another checkpoint.", valueName: "ref"), completion: .file())
  var against: String?

  @Flag(help: "Show the metadata alone, every value in full.")
  var metadata = false

  @Option(help: ArgumentHelp("Write a report as one page.", valueName: "file"), completion: .file())
  var html: String?

  @OptionGroup var global: GlobalOptions

  func validate() throws {
    guard html == nil || (patterns.isEmpty && !stats && against == nil && !metadata) else {
      throw ValidationError("--html is a report of everything; it goes with no other choice.")
    }
  }

  func run() throws {
    if let html { return try report(to: html) }
    let checkpoint = try Checkpoint.open(path: source)
    var summary = try CheckpointSummary(checkpoint, tensors: patterns)
    if stats {
      try summary.addStatistics(of: checkpoint, parallelism: global.parallelism, progress: global.progress)
    }
    if let against {
      let reference = try Checkpoint.open(path: against)
      try summary.compare(checkpoint, with: reference, parallelism: global.parallelism, progress: global.progress)
    }
    if global.json {
      try Output.json(summary)
    } else if metadata {
      Output.lines(SummaryText(summary).metadata(isFull: true))
    } else if stats || against != nil || !patterns.isEmpty {
      Output.lines(SummaryText(summary).tensors(hasStatistics: stats))
    } else {
      Output.lines(SummaryText(summary).overview())
    }
  }

  private func report(to html: String) throws {
    if !global.force { try requireAbsent(html) }
    let report = try ModelReport(
      try Checkpoint.open(path: source), memory: MemoryBudget(), parallelism: global.parallelism,
      progress: global.progress)
    try report.page.write(to: html, replacingExisting: global.force)
    if global.json { return try Output.json(Written(path: source, output: html)) }
    Output.line("\(html.escapedForTerminal): a report on \(source.escapedForTerminal)")
  }

  /// What is printed with `--json` and `--html`.
  private struct Written: Encodable {
    var path: String
    var output: String
  }
}
