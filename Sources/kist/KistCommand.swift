import ArgumentParser
import Foundation
import KistCore

/// The command: parses, hands over to a verb, and turns what went wrong into an exit status.
@main
struct KistCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "kist",
    abstract: "A container for language models: one file, checksummed, packed without loss, editable in place.",
    discussion: """
      Reads Hugging Face directories, safetensors and GGUF files and its own .kist files.

      Results are written to standard output, everything else to standard error. Exit status: 0 done, or the same; 1 \
      differs, or damaged; 2 could not run; 64 usage; 130 interrupted.

      ENVIRONMENT
        HF_TOKEN     the token for huggingface.co, else that of `hf auth login`
        NETRC        a file of logins for other servers, else ~/.netrc
        KIST_PYTHON  the Python that `verify --with` runs, else python3
        TMPDIR       where large temporary files go, else /var/tmp
        NO_COLOR     anything: no colours

      EXAMPLES
        kist convert ./MiniLM -o minilm.kist
        kist inspect minilm.kist
        kist verify minilm.kist
        kist convert minilm.kist -o ./MiniLM-again
      """,
    version: KistVersion.name,
    subcommands: [
      Convert.self, Quantize.self, Imatrix.self, Join.self,
      Inspect.self, Show.self, Diff.self,
      Verify.self, Logits.self,
      Predict.self, Embed.self, Score.self,
      Attention.self, Trace.self, Neighbors.self, Analogy.self, Words.self,
      Train.self, ScalingVerb.self,
      Edit.self, Compact.self,
      Keygen.self, Sign.self,
      TokenizerVerb.self,
    ])

  static func main() {
    Interruption.shared.install()
    do {
      var command = try parseAsRoot()
      try command.run()
      try Output.finish()
    } catch let error as KistError {
      ErrorReport(error).write()
      leave(error.kind == .interrupted ? .interrupted : .couldNotRun)
    } catch let status as ExitStatus {
      leave(status)
    } catch {
      // Help, version and usage errors, which the parser prints; usage errors end with 64.
      exit(withError: error)
    }
  }

  private static func leave(_ status: ExitStatus) -> Never {
    try? Output.finish()
    Foundation.exit(status.rawValue)
  }
}

/// How the command ends when it does not simply end: thrown by verbs after they printed their result.
enum ExitStatus: Int32, Error {
  /// The two differ, the file is damaged, or a verdict failed.
  case differs = 1
  case couldNotRun = 2
  case interrupted = 130
}
