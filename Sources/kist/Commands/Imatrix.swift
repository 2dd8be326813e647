import ArgumentParser
import KistConversion
import KistCore

struct Imatrix: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure which columns of a model's weights matter, for `kist quantize --imatrix`.",
    discussion: """
      Runs a text through the model and sums up, for each weight, the squares of what its columns are multiplied with; of \
      experts only for the tokens that take them. The file is llama.cpp's, with GGUF's names of tensors, whatever the \
      source: llama-quantize reads it, and Kist reads llama-imatrix's. A target that ends in .dat is written in llama.cpp's \
      older form.

      The text is cut into chunks of 512 tokens, or as many as the model reaches; what does not fill a chunk at the end is \
      left out, as in llama-imatrix. A few hundred chunks of text like what the model is for do well.

      --part 3/8 takes the third of eight parts of the text's chunks. Without --text the sources are importance matrices, of \
      parts or of different texts: their sums and counts add up, in the target's form.

      EXAMPLES
        kist imatrix model.kist --text calibration.txt -o im.gguf
        kist imatrix ./hf-dir --text calibration.txt -o im.gguf --chunk-size 256
        kist imatrix ./hf-dir --text calibration.txt -o im-3.gguf --part 3/8
        kist imatrix im-*.gguf -o im.gguf
        kist imatrix old.dat -o im.gguf
      """)

  @Argument(
    help: ArgumentHelp(
      "A model: .kist, GGUF or a Hugging Face directory. Without --text, importance matrices.", valueName: "source"),
    completion: .file())
  var sources: [String]

  @Option(help: ArgumentHelp("The text; - is standard input.", valueName: "file"), completion: .file())
  var text: String?

  @Option(
    name: .shortAndLong, help: ArgumentHelp("What to write: .gguf, or .dat.", valueName: "file"), completion: .file())
  var output: String

  @Option(help: ArgumentHelp("Tokens of a chunk. (default: 512)", valueName: "n"))
  var chunkSize: Int?

  @Option(help: ArgumentHelp("Take only this part of the text: 3/8 is the third of eight.", valueName: "i/n"))
  var part: PartNumber?

  @Flag(help: "Measure the head too.")
  var processOutput = false

  @OptionGroup var memory: MemoryOption
  @OptionGroup var global: GlobalOptions

  func validate() throws {
    if let chunkSize, chunkSize < 1 { throw ValidationError("--chunk-size needs a number from 1 on.") }
    guard text != nil || (chunkSize == nil && part == nil && !processOutput) else {
      throw ValidationError("--chunk-size, --part and --process-output go with --text.")
    }
    guard text == nil || sources.count == 1 else {
      throw ValidationError("--text goes through one model; without it, importance matrices add up.")
    }
  }

  func run() throws {
    if !global.force { try requireAbsent(output) }
    let clock = ContinuousClock()
    let start = clock.now
    let matrix: ImportanceMatrix
    if let text { matrix = try collect(text) } else { matrix = try sum() }
    try matrix.write(to: output, replacingExisting: global.force)
    let report = ImportanceReport(matrix, path: output, seconds: (clock.now - start) / .seconds(1))
    if global.json { return try Output.json(report) }
    Output.line(
      "\(output.escapedForTerminal): \(Quantity.count(report.tensorCount)) tensors from "
        + "\(Quantity.count(report.chunkCount)) chunks of \(report.chunkSize) tokens, "
        + "in \(Quantity.seconds(report.seconds))")
    for name in report.unreached { global.notice("no token took some experts of \(name)") }
  }

  private func sum() throws(KistError) -> ImportanceMatrix {
    let matrices = try sources.map { path throws(KistError) in (path: path, matrix: try ImportanceMatrix(path: path)) }
    // One is written as it is, whatever its form counts in.
    return matrices.count == 1 ? matrices[0].matrix : try ImportanceMatrix(adding: matrices)
  }

  private func collect(_ path: String) throws(KistError) -> ImportanceMatrix {
    let text = try readWholeText(path)
    let model = try LoadedModel.open(path: sources[0], memory: memory.budget)
    return try ImportanceCollector(model, includesHead: processOutput, parallelism: global.parallelism)
      .collect(text, dataset: path, chunkSize: chunkSize, part: part, progress: global.progress)
  }
}
