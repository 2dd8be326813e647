import ArgumentParser
import KistCore

/// What every verb takes.
struct GlobalOptions: ParsableArguments {
  @Flag(help: "Print the result as JSON, described in docs/json.md. Errors too, on standard error.")
  var json = false

  @Flag(help: "Print nothing but results and errors: no progress, no notices.")
  var quiet = false

  @Option(help: ArgumentHelp("Threads to work with. (default: one per core)", valueName: "n"))
  var threads: Int?

  @Flag(help: "Replace what exists at the target.")
  var force = false

  func validate() throws {
    if let threads, threads < 1 { throw ValidationError("--threads needs a number from 1 on.") }
  }

  /// For work that stops cleanly when the user interrupts it.
  var parallelism: Parallelism {
    Parallelism(threads: threads, cancellation: Interruption.shared.stoppable())
  }

  var progress: any ProgressObserver { quiet ? NoProgress() : ProgressLine() }

  /// Tells the person something that is not a result.
  func notice(_ text: String) {
    guard !quiet else { return }
    Output.standardError("kist: \(text.escapedForTerminal)\n")
  }
}
