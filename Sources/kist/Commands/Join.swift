import ArgumentParser
import KistConversion
import KistCore

struct Join: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Make one file of the parts that several machines converted.",
    discussion: """
      Stored bytes are copied, not packed again, and every checksum is compared on the way. The result is, byte for \
      byte, the file that one run of `kist convert --no-probes` or `kist quantize --no-probes` would have written. --probes \
      then records what the model computes, --probes-of what its source does, as those verbs do without --no-probes, and \
      --golden what another program computed. Of a quantized model only the last two say what it should compute.

      Parts go together when they come from the same source (by its headers, names and sizes, and samples of its \
      values) with the same options and versions; else the first difference is named, as are parts that are missing or \
      there twice. The order in which they are given does not matter. Shards of a set can be joined too.

      EXAMPLES
        kist join big-part-*.kist -o big.kist
        kist join big-part-*.kist -o big.kist --probes
        kist join big-part-*.kist -o big.kist --probes-of ./hf-dir
      """)

  @Argument(help: "All parts of one conversion.", completion: .file())
  var parts: [String]

  @Option(name: .shortAndLong, help: ArgumentHelp("What to write.", valueName: "dst"), completion: .file())
  var output: String

  @Flag(help: "Record what the model computes, as probes.")
  var probes = false

  @Option(
    help: ArgumentHelp("Record what the source of the parts computes, as probes.", valueName: "src"),
    completion: .file())
  var probesOf: String?

  @Option(
    help: ArgumentHelp("Record these logits of another program as probes.", valueName: "file.safetensors"),
    completion: .file())
  var golden: String?

  @OptionGroup var global: GlobalOptions

  func validate() throws {
    guard [golden != nil, probes, probesOf != nil].count(where: { $0 }) < 2 else {
      throw ValidationError("Give one of --probes, --probes-of and --golden.")
    }
  }

  func run() throws {
    let clock = ContinuousClock()
    let start = clock.now
    let join = try SetJoin(paths: parts, target: output, replacesExisting: global.force)
    // What is refused is refused before the work.
    let recorded: ConversionOptions.ProbeSource = golden.map { .golden($0) } ?? (probes ? .computed : .none)
    try join.check(recorded)
    let source = try probesOf.map { path throws(KistError) in try join.openSource(path) }
    var outcome = try join.run(
      replacesExisting: global.force, parallelism: global.parallelism, progress: global.progress)
    if let source {
      try join.recordProbes(of: source, parallelism: global.parallelism, &outcome)
    } else {
      try join.recordProbes(recorded, parallelism: global.parallelism, &outcome)
    }
    for notice in outcome.notices { global.notice(notice) }
    let seconds = (clock.now - start) / .seconds(1)
    if global.json {
      try Output.json(
        Report(
          target: output, parts: parts.count, tensors: outcome.tensorCount, bytes: outcome.byteCount, seconds: seconds))
    } else {
      Output.line(
        "\(output.escapedForTerminal): \(Quantity.count(outcome.tensorCount)) tensors of \(parts.count) parts, "
          + "\(Quantity.bytes(outcome.byteCount)), in \(Quantity.seconds(seconds))")
    }
  }

  /// What is printed with `--json`.
  private struct Report: Encodable {
    var schema = 1
    var target: String
    var parts: Int
    var tensors: Int
    var bytes: Int
    var seconds: Double
  }
}
