import ArgumentParser
import Foundation
import KistCore
import KistTokenizers

/// Learning byte-level BPE from text, against Hugging Face's trainer, both in new processes on the same threads.
func trainBench(_ options: BenchOptions) throws {
  print("\nTraining byte-level BPE, 30,000 tokens (\(options.threads) threads, new processes)")
  try withTemporaryFolder(in: options.folder) { folder in
    guard runScript("corpora.py", [folder], options) else { return }
    for texts in [["english"], ["code"], ["english", "code", "japanese", "mixed"]] {
      let files = texts.map { "\(folder)/\($0).txt" }
      let ours = try JSONDecoder().decode(
        [String: Double].self,
        from: try outputOfChild(CommandLine.arguments[0], ["train-once", "--threads", "\(options.threads)"] + files))
      let theirs = runPeer("train_peer.py", ["\(options.threads)"] + files, options)
      row(
        texts.joined(separator: ", "), "Kist", milliseconds(ours["seconds"] ?? .nan), "tokenizers",
        theirs?["seconds"].map(milliseconds) ?? "–",
        theirs?["seconds"].map { times($0 / (ours["seconds"] ?? .nan)) } ?? "")
      if let theirs, theirs["merges"] != ours["merges"] { print("    (other numbers of merges)") }
    }
  }
}

struct Train: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Learning byte-level BPE, against tokenizers.")
  @OptionGroup var options: BenchOptions
  func run() throws { try trainBench(options) }
}

/// One training in a process of its own.
struct TrainOnce: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train-once", abstract: "Learn byte-level BPE, and print seconds as JSON.", shouldDisplay: false)
  @Argument var files: [String]
  @Option var threads = 2

  func run() throws {
    var mergeCount = 0
    let time = try ContinuousClock().measure {
      mergeCount = try TokenizerTraining(files: files, vocabularySize: 30_000)
        .run(parallelism: Parallelism(threads: threads)).mergeCount
    }
    print(#"{"seconds": \#(time.seconds), "merges": \#(mergeCount)}"#)
  }
}
