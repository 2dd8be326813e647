import ArgumentParser
import Foundation
import KistCore
import KistTokenizers

/// Reading and compiling a tokenizer.json of Gemma 3's shape, and opening what comes of it; against reading it with tokenizers.
func compileBench(_ options: BenchOptions) throws {
  print(
    "\nCompiling a tokenizer.json of 262,144 tokens (\(ProcessInfo.processInfo.activeProcessorCount) cores, best of \(options.runs))"
  )
  try withTemporaryFolder(in: options.folder) { folder in
    let path = folder + "/tokenizer.json"
    guard runScript("large_tokenizer.py", [path], options) else { return }
    var record: [UInt8] = []
    let read = try best(of: options.runs) { _ = try TokenizerSource.read(path: path) }
    let whole = try best(of: options.runs) { record = try Tokenizer.compile(try TokenizerSource.read(path: path)) }
    let storage = RecordStorage(record)
    let open = try best(of: options.runs) { _ = try Tokenizer(record: storage) }
    let theirs = runPeer("load_peer.py", [path], options)?["seconds"]
    row(
      "\(try MappedFile(path: path).count / 1_000_000) MB", "read", "and compiled", "record opened", "tokenizers reads")
    row("", milliseconds(read), milliseconds(whole), milliseconds(open), theirs.map(milliseconds) ?? "–")
  }
}

struct Compile: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Compiling a large tokenizer.json.")
  @OptionGroup var options: BenchOptions
  func run() throws { try compileBench(options) }
}
