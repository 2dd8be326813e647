import ArgumentParser
import Foundation
import KistConversion
import KistCore
import KistFormat

struct Verify: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Check that a file is whole, and that its model computes what it should.",
    discussion: """
      quick checks the index and the XXH3 checksum of everything stored: it finds damage. full also decodes every \
      chunk and checks its SHA-256 digest, the digests of the tensors and of the whole: it finds what was changed on \
      purpose. probes, the default for files that have some, then runs the model on the prompts that were recorded \
      when the file was made, and compares. Signatures are listed; --key asks for a valid one by that key.

      --with llama.cpp or --with transformers runs the model in that program, in a Python that has it \
      (llama-cpp-python; transformers and torch), and compares logits on the same tokens: an independent judge. Where \
      no Python has llama.cpp, its own program llama-results will do. What the program does not read is converted for \
      it first.

      --against runs the same tokens through another model, --golden compares with logits that another program \
      recorded: safetensors with tokens, I64 [n], and logits, F32 [n, vocabulary]. The verdict says how far apart they \
      are, which tolerance decided, and whose word it was. --bisect gives each step the reference's own input and names \
      the first that computes something else.

      Files and directories of safetensors are checked for their structure; the format has no checksums. PyTorch \
      checkpoints and .npz have a CRC-32 of each entry, which full compares.

      Exit status 1 when something is damaged, each damaged tensor being named, when the signature is not there, or \
      when a verdict fails.

      EXAMPLES
        kist verify minilm.kist
        kist verify minilm.kist --level quick
        kist verify minilm.kist --key publisher.pub
        kist verify model.kist --against ./hf-dir
        kist verify model.gguf --with llama.cpp
        kist verify ./hf-dir --with transformers --python ~/venv/bin/python
        kist verify model.kist --golden logits.safetensors
        kist verify a.kist --against b.kist --bisect
      """)

  @Argument(
    help: "A .kist, safetensors, GGUF, PyTorch or NumPy file, or a Hugging Face directory.", completion: .file())
  var file: String

  @Option(help: "How much to check: quick, full or probes. (default: the most that the file supports)")
  var level: VerifyLevel?

  @Option(
    help: ArgumentHelp("Ask for a valid signature by this public key (PEM).", valueName: "pub"), completion: .file())
  var key: String?

  @OptionGroup var judging: JudgingOptions
  @OptionGroup var global: GlobalOptions

  func validate() throws {
    guard !judging.isAsked || (key == nil && level == nil) else {
      throw ValidationError(
        "--against, --golden and --with compare models; --level and --key check a file. Ask for one.")
    }
  }

  func run() throws {
    if judging.isAsked { return try judging.run(file, global) }
    let key = try key.map { path throws(KistError) in
      let text = try readText(path)
      do throws(KistError) { return try VerifyingKey(pem: text) } catch { throw error.inFile(path) }
    }
    // What comes over from a server is there for the probes too.
    let remote = MappedFile.isAddress(file) ? try MappedFile(path: file) : nil
    defer { withExtendedLifetime(remote) {} }
    announce()
    var result = try CheckpointVerification(
      path: file, level: level == .quick ? .quick : .full, key: key, parallelism: global.parallelism,
      progress: global.progress)
    if result.isSound, level == nil || level == .probes {
      try result.checkProbes(
        asked: level == .probes, tolerance: judging.tolerance, memory: judging.memory.budget,
        parallelism: global.parallelism)
    }
    if global.json {
      try Output.json(result)
    } else {
      Output.lines(VerificationText(result).lines)
    }
    guard result.isSound else { throw ExitStatus.differs }
  }

  private var isQuick: Bool { level == .quick }

  /// Says what is going to be checked and about how long that takes.
  private func announce() {
    guard !MappedFile.isAddress(file), let containers = try? Checkpoint.open(path: file).containers, !containers.isEmpty
    else { return }
    let each = containers.map(\.verificationByteCount)
    let bytes = (stored: each.reduce(0) { $0 + $1.stored }, raw: each.reduce(0) { $0 + $1.raw })
    let threads = Double(Parallelism(threads: global.threads).threadCount)
    // Rates of one core: XXH3 runs at memory speed, where the disk is slower; decoding and SHA-256 together at about 1
    // GB/s.
    let seconds =
      isQuick
      ? Double(bytes.stored) / 2e9 : max(Double(bytes.raw) / (1e9 * threads), Double(bytes.stored) / 2e9)
    let what =
      isQuick ? "the index and the XXH3 of every chunk" : "the index, and XXH3 and SHA-256 of every chunk"
    global.notice(
      "checking \(what), \(Quantity.bytes(bytes.stored)), which takes about \(Quantity.seconds(max(seconds, 0.01)))")
  }
}

extension ExternalEngine: ExpressibleByArgument {}

/// How much `kist verify` checks.
enum VerifyLevel: String, ExpressibleByArgument, CaseIterable {
  case quick, full, probes
}

/// The result of a verification as lines for a person.
struct VerificationText {
  private let result: CheckpointVerification

  init(_ result: CheckpointVerification) { self.result = result }

  var lines: [String] {
    [verdict] + problems + signatures + probes + result.notes.map { "  note: \($0.escapedForTerminal)" }
  }

  private var verdict: String {
    let path = result.path.escapedForTerminal
    guard result.isSound else {
      let isDamaged = !result.problems.isEmpty
      let word =
        isDamaged ? "damaged" : result.isSignedByKey == false ? "not signed by that key" : "computes something else"
      return "\(path): \(Terminal.bad(word))\(work)"
    }
    return "\(path): \(Terminal.good(result.level == "structure" ? "structure is sound" : "sound"))\(work)"
  }

  private var probes: [String] { result.verdict.map { VerdictText($0).lines(indent: 2) } ?? [] }

  private var work: String {
    guard result.chunkCount > 0 else { return "" }
    let (stored, raw) = (Quantity.bytes(result.storedByteCount), Quantity.bytes(result.rawByteCount))
    return ", \(result.level) check of \(Quantity.count(result.chunkCount)) chunks, \(stored) holding \(raw), "
      + "in \(Quantity.seconds(result.seconds)) (\(Quantity.rate(result.rawByteCount, in: result.seconds)))"
  }

  private var problems: [String] {
    result.problems.map { problem in
      let owner = problem.name.map { "\(problem.kind ?? "entry") '\($0)': " } ?? ""
      return "  \((owner + problem.problem).escapedForTerminal)"
    }
  }

  private var signatures: [String] {
    result.signatures.map { "  signature of \($0.fingerprint): \($0.isValid ? "valid" : "not of this content")" }
  }
}
