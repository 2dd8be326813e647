import ArgumentParser
import Foundation
import KistConversion
import KistCore
import KistFormat

struct Verify: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Check that a file is whole, and say what is damaged.",
    discussion: """
      quick checks the index and the XXH3 checksum of everything stored: it finds damage. full also decodes every \
      chunk and checks its SHA-256 digest, the digests of the tensors and of the whole: it finds what was changed on \
      purpose. Signatures are listed; --key asks for a valid one by that key.

      Files and directories of safetensors are checked for their structure; the format has no checksums. PyTorch \
      checkpoints and .npz have a CRC-32 of each entry, which full compares.

      Exit status 1 when something is damaged, each damaged tensor being named, or when the signature is not there.

      EXAMPLES
        kist verify minilm.kist
        kist verify minilm.kist --level quick
        kist verify minilm.kist --key publisher.pub
      """)

  @Argument(help: "A .kist, safetensors, PyTorch or NumPy file, or a Hugging Face directory.")
  var file: String

  @Option(help: "How much to check: quick or full.")
  var level: VerificationLevel = .full

  @Option(help: ArgumentHelp("Ask for a valid signature by this public key (PEM).", valueName: "pub"))
  var key: String?

  @OptionGroup var global: GlobalOptions

  func run() throws {
    let key = try key.map { path throws(KistError) in
      let text = try readText(path)
      do throws(KistError) { return try VerifyingKey(pem: text) } catch { throw error.inFile(path) }
    }
    announce()
    let result = try CheckpointVerification(
      path: file, level: level, key: key, parallelism: global.parallelism, progress: global.progress)
    if global.json {
      try Output.json(result)
    } else {
      Output.lines(VerificationText(result).lines)
    }
    guard result.isSound else { throw ExitStatus.differs }
  }

  /// Says what is going to be checked and about how long that takes.
  private func announce() {
    guard let container = try? KistFile(path: file) else { return }
    let bytes = container.verificationByteCount
    let threads = Double(Parallelism(threads: global.threads).threadCount)
    // Rates of one core: XXH3 runs at memory speed, where the disk is slower; decoding and SHA-256 together at about 1
    // GB/s.
    let seconds =
      level == .quick
      ? Double(bytes.stored) / 2e9 : max(Double(bytes.raw) / (1e9 * threads), Double(bytes.stored) / 2e9)
    let what =
      level == .quick ? "the index and the XXH3 of every chunk" : "the index, and XXH3 and SHA-256 of every chunk"
    global.notice(
      "checking \(what), \(Quantity.bytes(bytes.stored)), which takes about \(Quantity.seconds(max(seconds, 0.01)))")
  }
}

extension VerificationLevel: ExpressibleByArgument {}

/// The text of a small file, such as a key.
func readText(_ path: String) throws(KistError) -> String {
  let file = try MappedFile(path: path)
  guard file.count <= 1 << 16 else {
    throw KistError(.invalid, file: path, "\(file.count) bytes is too much for a key")
  }
  return unsafe file.bytes.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
}

/// The result of a verification as lines for a person.
struct VerificationText {
  private let result: CheckpointVerification

  init(_ result: CheckpointVerification) { self.result = result }

  var lines: [String] { [verdict] + problems + signatures + result.notes.map { "  note: \($0.escapedForTerminal)" } }

  private var verdict: String {
    let path = result.path.escapedForTerminal
    guard result.isSound else {
      let word = result.problems.isEmpty ? "not signed by that key" : "damaged"
      return "\(path): \(Terminal.bad(word))\(work)"
    }
    return "\(path): \(Terminal.good(result.level == "structure" ? "structure is sound" : "sound"))\(work)"
  }

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
