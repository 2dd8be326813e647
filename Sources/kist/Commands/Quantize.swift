import ArgumentParser
import KistConversion
import KistCore
import KistFormat
import KistQuantization

struct Quantize: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Make a model smaller by coarser numbers, and see what that costs.",
    discussion: """
      Writes llama.cpp's types, bit for bit as llama-quantize writes them; a mixture such as Q4_K_M chooses the type of \
      each tensor as llama-quantize does. The target is a .kist file, from any source, or a .gguf, which llama.cpp runs. \
      A .kist file keeps the source's names, tokenizer and configuration.

      At the end stands what was lost: for each type the normalized mean squared error and the largest error, and for the \
      model the mean KL divergence from the source and how often the likeliest token is the same, on the usual prompts or \
      on --text. A result that is worse than its type explains (docs/quantization.md), or than --max-kl, is kept as \
      DST.rejected, with status 1. --no-verify leaves that out.

      --target-size and --max-kl choose the type of each tensor by what the model loses: errors are measured on rows of \
      each tensor, and what they do to the logits with one tensor quantized at a time, on the usual prompts or on --text. \
      (Of large models that takes long, and is left out unless --max-kl or --measure asks for it.) --target-size gives the \
      best that fits into so many bytes of file; --max-kl without --type or --target-size the smallest whose mean KL \
      divergence, measured, stays below.

      --part 3/8 does the third of eight parts of the work, as in `kist convert`: big-part-00003-of-00008.kist. `kist join` \
      makes one file of all parts, --probes-of lets it say what the source computes, and `kist verify --against` gives the \
      verdict. Choosing types needs the whole model: do that once, with --dry-run --json, and give the result to all parts \
      with --types.

      --imatrix says which columns matter: `kist imatrix` makes such a file. --tensor-type takes a pattern that matches \
      any part of a name, the file's own or GGUF's; the first that matches counts.

      EXAMPLES
        kist quantize ./hf-dir -o model.kist --type Q4_K_M
        kist quantize model.gguf -o small.gguf --type IQ4_XS --imatrix im.gguf
        kist quantize model.kist -o small.kist --type Q4_K_M --tensor-type 'attn_v=q6_k' --output-tensor-type q8_0
        kist quantize model.kist -o small.gguf --target-size 3.5GiB --imatrix im.gguf
        kist quantize ./hf-dir -o model.gguf --type Q8_0 --shard-size 4GB
        kist quantize model.kist -o small.kist --max-kl 0.02 --text calibration.txt
        kist quantize model.kist -o small.kist --type Q3_K_M --dry-run
        kist quantize ./hf-dir -o big.kist --type Q4_K_M --imatrix im.gguf --part 3/8
        kist quantize ./hf-dir -o big.kist --target-size 40GiB --dry-run --json >types.json
        kist quantize ./hf-dir -o big.kist --types types.json --part 3/8
      """)

  @Argument(help: "A .kist, safetensors or GGUF file, or a Hugging Face directory.", completion: .file())
  var source: String

  @Option(
    name: .shortAndLong, help: ArgumentHelp("What to write: .kist or .gguf.", valueName: "dst"), completion: .file())
  var output: String

  @Option(help: ArgumentHelp("\(QuantizationScheme.names.joined(separator: ", ")).", valueName: "type"))
  var type: QuantizationScheme?

  @Option(help: ArgumentHelp("Choose types for a file of at most this length, such as 3.5GiB.", valueName: "size"))
  var targetSize: ByteCount?

  @Option(help: ArgumentHelp("Allow this mean KL divergence from the source, in nats.", valueName: "nats"))
  var maxKl: Double?

  @Option(
    help: ArgumentHelp("Take the types that --dry-run --json settled for this model.", valueName: "file.json"),
    completion: .file())
  var types: String?

  @Flag(help: "Measure what each tensor does to the logits, however long it takes.")
  var measure = false

  @Option(help: ArgumentHelp("How much each column counts, as measured.", valueName: "file"), completion: .file())
  var imatrix: String?

  @Option(
    name: .customLong("tensor-type"),
    help: ArgumentHelp("Another type for tensors whose names match.", valueName: "glob=type"))
  var namedTypes: [String] = []

  @Option(help: ArgumentHelp("Another type for the head.", valueName: "type"))
  var outputTensorType: WeightType?

  @Option(help: ArgumentHelp("Another type for the table of embeddings.", valueName: "type"))
  var tokenEmbeddingType: WeightType?

  @Flag(help: "One type for all matrices: no mixture.")
  var pure = false

  @Flag(help: "Quantize what is quantized already.")
  var allowRequantize = false

  @Flag(help: "Quantize weights that are NaN or infinite.")
  var allowNonfinite = false

  @Option(
    help: ArgumentHelp("Compare on the text of a file instead of the usual prompts.", valueName: "file"),
    completion: .file())
  var text: String?

  @Option(help: "How tensors are packed in a .kist file: auto, none or max.")
  var pack: Packing = .auto

  @Option(
    help: ArgumentHelp("Divide a GGUF into files with tensors of at most this size, such as 4GB.", valueName: "size"))
  var shardSize: ByteCount?

  @Flag(help: "Take also the files of a directory that are left out by default.")
  var allFiles = false

  @Flag(help: "Record no probes: nothing of what the source computes.")
  var noProbes = false

  @Option(
    help: ArgumentHelp("Record these logits of another program as probes.", valueName: "file.safetensors"),
    completion: .file())
  var golden: String?

  @Flag(help: "Do not compare what source and result compute.")
  var noVerify = false

  @Option(help: ArgumentHelp("Write only this part of the .kist file: 3/8 is the third of eight.", valueName: "i/n"))
  var part: PartNumber?

  @Flag(help: "Say what would be written, and write nothing.")
  var dryRun = false

  @OptionGroup var memory: MemoryOption
  @OptionGroup var global: GlobalOptions

  func validate() throws {
    let ways = [type != nil, targetSize != nil, types != nil].count { $0 }
    guard ways < 2 else { throw ValidationError("Give one of --type, --target-size and --types.") }
    guard ways == 1 || maxKl != nil else { throw ValidationError("Say how: --type, --target-size or --max-kl.") }
    try validateTypes()
    try validatePart()
    guard type == nil && types == nil || !measure else {
      throw ValidationError("--measure goes with --target-size or --max-kl.")
    }
    guard shardSize?.count != 0 else { throw ValidationError("--shard-size needs a size from 1 on.") }
    guard golden == nil || !noProbes else { throw ValidationError("Give --golden or --no-probes, not both.") }
    let isChosen = type == nil && types == nil
    guard !noVerify || isChosen || (text == nil && maxKl == nil) else {
      throw ValidationError("--text and --max-kl say how to verify, and --no-verify not to.")
    }
    guard (maxKl ?? 1) > 0 else { throw ValidationError("--max-kl needs a number above 0.") }
  }

  private func validateTypes() throws {
    guard types != nil else { return }
    guard namedTypes.isEmpty, outputTensorType == nil, tokenEmbeddingType == nil, !pure else {
      throw ValidationError("--types says the type of every tensor: no other option does.")
    }
  }

  private func validatePart() throws {
    guard part != nil else { return }
    guard shardSize == nil else { throw ValidationError("Give --shard-size or --part, not both.") }
    guard text == nil, maxKl == nil else {
      throw ValidationError("A part is not judged: `kist verify --against` compares what `kist join` makes of all.")
    }
    guard golden == nil else {
      throw ValidationError("--golden records probes of a whole model: give it to `kist join`.")
    }
  }

  func run() throws {
    let quantization = try Quantization.plan(
      source: source, target: output, options: try options(), progress: global.progress)
    let report =
      dryRun
      ? try QuantizationReport(quantization)
      : try QuantizationReport(quantization, try quantization.run(progress: global.progress))
    for notice in report.notices { global.notice(notice) }
    if global.json {
      try Output.json(report)
    } else {
      Output.lines(QuantizationText(report).lines)
    }
    guard report.rejectedPath == nil else { throw ExitStatus.differs }
  }

  private func goal() throws(KistError) -> QuantizationOptions.Goal {
    if let type { return .scheme(type) }
    if let targetSize { return .size(targetSize.count) }
    if let types { return .types(try ChosenTypes(path: types)) }
    return .divergence(maxKl ?? 0)
  }

  private func options() throws(KistError) -> QuantizationOptions {
    var options = QuantizationOptions(
      try goal(),
      conversion: ConversionOptions(
        packing: pack, shardByteCount: shardSize?.count, includesAllFiles: allFiles, replacesExisting: global.force,
        probes: noProbes ? .none : golden.map { .golden($0) } ?? .computed, part: part,
        parallelism: global.parallelism)
    )
    options.namedTypes = try namedTypes.map { text throws(KistError) in try QuantizationOptions.NamedType(text) }
    options.output = outputTensorType?.dtype
    options.tokenEmbedding = tokenEmbeddingType?.dtype
    options.isPure = pure
    options.allowsRequantizing = allowRequantize
    options.allowsNonfinite = allowNonfinite
    options.importance = imatrix
    options.text = try text.map(readWholeText)
    options.maximumDivergence = maxKl
    options.verifies = !noVerify
    options.measures = measure
    options.memory = memory.budget
    return options
  }
}

/// A dtype that weights can be written in.
struct WeightType: ExpressibleByArgument {
  var dtype: DType

  init?(argument: String) {
    guard let dtype = DType(name: argument), RowEncoder(dtype) != nil else { return nil }
    self.dtype = dtype
  }
}

extension QuantizationScheme: ExpressibleByArgument {
  public init?(argument: String) { self.init(name: argument) }
}
