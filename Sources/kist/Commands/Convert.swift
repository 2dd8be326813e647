import ArgumentParser
import KistConversion
import KistCore
import KistFormat

struct Convert: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Convert a checkpoint to another format, or to another type of numbers.",
    discussion: """
      What the target is, its suffix says: .kist, .safetensors, .gguf, else a Hugging Face directory. A .kist file \
      holds all files of a directory and gives them back byte for byte. Left out, with a notice, are a second copy of \
      the weights in another format, caches and .git.

      A GGUF, or the parts of a split one, comes back as the same file, or parts when the target is named as one of as \
      many. A Hugging Face directory becomes the GGUF that llama.cpp's converter makes, with the 16-bit type that its weights \
      have, or as --type says: f32, f16, bf16, q8_0, tq1_0 or tq2_0.

      --pack auto packs what becomes at least 3 % smaller, fast; max tries every way and keeps the smallest; none \
      keeps everything raw, to be mapped without copying. The same input gives the same file, whatever the number of \
      threads.

      PyTorch and NumPy files give their tensors: nothing in them is run, and values beside the tensors become \
      metadata where they are simple.

      Numbers stay as they are, to the bit, unless --type asks for others: f32, f16, bf16, f8_e4m3 or f8_e5m2 for every \
      floating-point weight. Integers stay, and 8-bit numbers. Weights that another program quantized (GPTQ, AWQ, FP8, \
      compressed-tensors, bitsandbytes; config.json says so) become numbers then, and in a GGUF. Where values or their \
      places may have changed, source and result then compute the same texts, and the logits are compared; a result that \
      differs by more than its type explains is kept as DST.rejected, with status 1. --no-verify leaves that out.

      A .kist file also says what its model computes: logits on a few prompts, which `kist verify` computes again. They \
      are Kist's own, of the source, or with --golden another program's. They are floating-point numbers and may differ \
      between processors in the last bits; everything before them does not.

      --shard-size 4GB writes a set: big-00001-of-00003.kist and so on, each at most that long (a tensor that is longer \
      gets a file of its own). Any of them, or their folder, opens the whole. A Hugging Face directory gets \
      model-00001-of-00003.safetensors and their index, divided as transformers does it.

      --part 3/8 does the third of eight parts of the work and writes big-part-00003-of-00008.kist: a \
      whole file that verifies alone. Tensors are shared out by their bytes; `kist join` makes one file of all parts.

      From a GGUF, a directory is what transformers reads: its names of tensors, config.json and the tokenizer's files. \
      Block types become BF16, or what --type asks for.

      The target appears under its name when it is complete. An interrupted conversion leaves nothing behind, but for \
      large files and directories DST.part, from which the same command goes on.

      EXAMPLES
        kist convert ./MiniLM -o minilm.kist
        kist convert ./hf-dir -o model.gguf
        kist convert minilm.kist -o ./MiniLM-again
        kist convert one.safetensors -o one.kist --pack max
        kist convert model-00001-of-00003.gguf -o model.kist
        kist convert pytorch_model.bin -o model.safetensors
        kist convert weights.npz -o weights.kist
        kist convert model.gguf -o ./hf-dir
        kist convert ./hf-dir -o ./hf-dir-16 --type bf16 --shard-size 2GB
        kist convert ./hf-dir -o big.kist --shard-size 4GB
        kist convert ./hf-dir -o big.kist --part 3/8
        kist convert https://host/model.kist -o layer0.safetensors --tensors 'model.layers.0.*'
        kist convert model.kist -o layer0.safetensors --tensors 'model.layers.0.*'
      """)

  @Argument(
    help: "A .kist, safetensors, GGUF, PyTorch or NumPy file, or a Hugging Face directory.", completion: .file())
  var source: String

  @Option(name: .shortAndLong, help: ArgumentHelp("What to write.", valueName: "dst"), completion: .file())
  var output: String

  @Option(help: "How tensors are packed in a .kist file: auto, none or max.")
  var pack: Packing = .auto

  @Option(name: .customLong("tensors"), help: ArgumentHelp("Take only tensors whose names match.", valueName: "glob"))
  var patterns: [String] = []

  @Option(
    help: ArgumentHelp(
      "How weights are stored: keep, \(TargetType.floatNames.joined(separator: ", ")).", valueName: "type"))
  var type: TargetType = .keep

  @Flag(help: "Take also the files of a directory that are left out by default.")
  var allFiles = false

  @Flag(help: "Record no probes: nothing of what the model computes.")
  var noProbes = false

  @Flag(help: "Do not compare what source and result compute.")
  var noVerify = false

  @Option(
    help: ArgumentHelp("Record these logits of another program as probes.", valueName: "file.safetensors"),
    completion: .file())
  var golden: String?

  @Option(
    help: ArgumentHelp("Divide what is written into files of at most this size, such as 4GB.", valueName: "size"))
  var shardSize: ByteCount?

  @Option(help: ArgumentHelp("Write only this part of the .kist file: 3/8 is the third of eight.", valueName: "i/n"))
  var part: PartNumber?

  @Flag(help: "Say what would be written, and write nothing.")
  var dryRun = false

  @OptionGroup var global: GlobalOptions

  func validate() throws {
    guard golden == nil || !noProbes else { throw ValidationError("Give --golden or --no-probes, not both.") }
    guard part == nil || shardSize == nil else { throw ValidationError("Give --part or --shard-size, not both.") }
    guard shardSize?.count != 0 else { throw ValidationError("--shard-size needs a size from 1 on.") }
    guard golden == nil || part == nil else {
      throw ValidationError("--golden records probes of a whole model: give it to `kist join`.")
    }
  }

  func run() throws {
    let conversion = try Conversion.plan(
      source: source, target: output,
      options: ConversionOptions(
        packing: pack, tensors: patterns, type: type, shardByteCount: shardSize?.count, verifies: !noVerify,
        includesAllFiles: allFiles, replacesExisting: global.force,
        probes: noProbes ? .none : golden.map { .golden($0) } ?? .computed, part: part,
        parallelism: global.parallelism))
    if dryRun {
      try show(ConversionPlanReport(conversion))
    } else {
      let clock = ContinuousClock()
      let start = clock.now
      let outcome = try conversion.run(progress: global.progress)
      try show(ConversionReport(conversion, outcome, seconds: (clock.now - start) / .seconds(1)))
    }
  }

  private func show(_ plan: ConversionPlanReport) throws {
    if global.json { return try Output.json(plan) }
    var table = TextTable([.left, .left, .left, .right, .left])
    for tensor in plan.tensors {
      table.add([
        tensor.name, tensor.dtype, "\(tensor.shape)", Quantity.bytes(tensor.byteCount), Convert.origin(of: tensor),
      ])
    }
    for asset in plan.assets { table.add([asset.path, "file", "", Quantity.bytes(asset.byteCount), ""]) }
    Output.lines(table.lines(width: Terminal.width))
    for file in plan.leftOut { Output.line("left out \(file.path): \(file.reason)".escapedForTerminal) }
    for notice in plan.notices { Output.line(notice.escapedForTerminal) }
    Output.line()
    let (raw, needed) = (Quantity.bytes(plan.rawByteCount), Quantity.bytes(plan.neededByteCount))
    Output.line(
      "\(plan.target.escapedForTerminal) (\(SummaryText.formatName(plan.targetFormat))): "
        + "\(Quantity.count(plan.tensors.count)) tensors, \(raw) raw; takes at most \(needed). Nothing was written.")
  }

  /// What a tensor is made of, where that is not the tensor of the same name as it is.
  private static func origin(of tensor: ConversionPlanReport.PlannedTensor) -> String {
    let origins = tensor.from.filter { $0.name != tensor.name || $0.dtype != tensor.dtype }
    guard let first = origins.first, let last = origins.last else { return "" }
    func text(_ origin: ConversionPlanReport.PlannedTensor.Origin) -> String {
      origin.name == tensor.name ? origin.dtype : "\(origin.name) \(origin.dtype)"
    }
    guard origins.count > 2 else { return "from " + origins.map(text).joined(separator: ", ") }
    return "from \(text(first)) … \(text(last)), \(origins.count) tensors"
  }

  private func show(_ report: ConversionReport) throws {
    for notice in report.notices { global.notice(notice) }
    if global.json {
      try Output.json(report)
    } else {
      showText(report)
    }
    guard report.rejectedPath == nil else { throw ExitStatus.differs }
  }

  private func showText(_ report: ConversionReport) {
    let ratio = report.sourceByteCount > 0 ? Double(report.byteCount) / Double(report.sourceByteCount) : 1
    let (before, after) = (Quantity.bytes(report.sourceByteCount), Quantity.bytes(report.byteCount))
    let rate = Quantity.rate(report.rawByteCount, in: report.seconds)
    let target = report.files.map { "\($0[0]) and \($0.count - 1) more" } ?? report.target
    Output.line(
      "\((report.rejectedPath ?? target).escapedForTerminal): \(after), \(Quantity.percentage(ratio)) of \(before), "
        + "in \(Quantity.seconds(report.seconds)) (\(rate))")
    if let verdict = report.verdict { Output.lines(VerdictText(verdict).lines(indent: 2)) }
  }
}

extension Packing: ExpressibleByArgument {}

extension PartNumber: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }
}

extension TargetType: ExpressibleByArgument {
  public init?(argument: String) { self.init(name: argument) }
  public var defaultValueDescription: String { name }
}
