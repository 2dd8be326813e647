import ArgumentParser
import Foundation
import KistConversion
import KistCore
import KistTokenizers

/// Text to ids, against the libraries whose ids these are, and against the fastest one known. Each in a process of its own: the first pass
/// is cold, the best of several warm. One thread, and the time that it has a processor: what else the machine does counts for nobody.
func tokenizeBench(_ options: BenchOptions, tokenizers: String) throws {
  print("\nTokenizing (one thread, new processes, processor time; the first pass, and the best of \(options.runs))")
  var cases: [(name: String, path: String, peers: [String])] = [
    ("GPT-2", "\(tokenizers)/gpt2/tokenizer.json", ["gigatoken", "tokenizers"]),
    ("Llama 3", "\(tokenizers)/llama3/tokenizer.tiktoken", ["gigatoken", "tiktoken"]),
    ("Mistral, SentencePiece BPE", "\(tokenizers)/mistral/tokenizer.model", ["sentencepiece"]),
    ("SentencePiece Unigram", "\(tokenizers)/sentencepiece-unigram/tokenizer.model", ["sentencepiece"]),
  ]
  if let minilm = minilm(options, "tokenizer.json") { cases.append(("MiniLM, WordPiece", minilm, ["tokenizers"])) }
  try withTemporaryFolder(in: options.folder) { folder in
    guard runScript("corpora.py", [folder], options) else { return }
    let o200k = try o200kStandIn("\(tokenizers)/llama3/tokenizer.tiktoken", folder)
    cases.insert(("o200k's pattern with Llama 3's ranks", o200k, ["gigatoken", "tiktoken"]), at: 2)
    for (name, path, peers) in cases {
      guard FileManager.default.fileExists(atPath: path) else {
        print("  (no \(path): \(name) is not measured; --tokenizers names a folder that has it)")
        continue
      }
      let record = "\(folder)/\(name).record"
      try writeRecord(of: path, to: record)
      print("  \(name)")
      for text in ["english", "code", "japanese", "mixed"] {
        try compare(path, record, "\(folder)/\(text).txt", text, peers, options)
      }
    }
  }
}

/// A file that is read as o200k_base: its pattern counts for the speed, and its ranks can't be had without the network.
private func o200kStandIn(_ ranks: String, _ folder: String) throws -> String {
  let path = "\(folder)/o200k_base.tiktoken"
  if FileManager.default.fileExists(atPath: ranks) { try FileManager.default.copyItem(atPath: ranks, toPath: path) }
  return path
}

private func compare(
  _ path: String, _ record: String, _ file: String, _ text: String, _ peers: [String], _ options: BenchOptions
) throws {
  let size = try MappedFile(path: file).count
  let ours = try JSONDecoder().decode(
    [String: Double].self,
    from: try outputOfChild(CommandLine.arguments[0], ["tokenize-once", record, file, "--runs", "\(options.runs)"]))
  show("  \(text), Kist", ours, size, against: nil)
  for peer in peers {
    let runs = peer == "gigatoken" ? options.runs : 1
    guard let theirs = runPeer("tokenizer_peer.py", [peer, path, file, "\(runs)"], options) else { continue }
    show("  \(text), \(peer)", theirs, size, against: ours)
    if theirs["tokens"] != ours["tokens"] { print("    (other ids than Kist's, which follow the file's own library)") }
  }
}

private func show(_ what: String, _ result: [String: Double], _ size: Int, against ours: [String: Double]?) {
  let figures = ["load", "first", "best"].map { result[$0] ?? .nan }
  let ratios = ["load", "first", "best"].map { key in
    ours.map { times((result[key] ?? .nan) / ($0[key] ?? .nan)) } ?? ""
  }
  row(
    what, milliseconds(figures[0]), ratios[0], megabytesPerSecond(size, figures[1]), ratios[1],
    megabytesPerSecond(size, figures[2]), ratios[2])
}

func megabytesPerSecond(_ byteCount: Int, _ seconds: Double) -> String {
  String(format: "%.1f MB/s", Double(byteCount) / seconds / 1e6)
}

private func writeRecord(of path: String, to target: String) throws {
  let record = try Tokenizer.compile(try TokenizerSource.read(path: path))
  try Data(record).write(to: URL(fileURLWithPath: target))
}

struct Tokenize: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Text to ids, against gigatoken, tokenizers, tiktoken and SentencePiece.")
  static let defaultFolder = "../shared/data/tokenizers"
  @OptionGroup var options: BenchOptions
  @Option(help: "A folder with tokenizers, laid out as ../shared/data/tokenizers.")
  var tokenizers = Self.defaultFolder
  func run() throws { try tokenizeBench(options, tokenizers: tokenizers) }
}

/// One measurement in a process of its own.
struct TokenizeOnce: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tokenize-once", abstract: "Encode a text with a compiled tokenizer, and print seconds as JSON.",
    shouldDisplay: false)
  @Argument var record: String
  @Argument var text: String
  @Option var runs = 5

  func run() throws {
    let file = try MappedFile(path: text)
    let bytes = file.bytes.array(0..<file.count)
    let start = processorSeconds()
    let mapped = try MappedFile(path: record)
    let tokenizer = try Tokenizer(record: RecordStorage(mapped, range: 0..<mapped.count))
    let load = processorSeconds() - start
    var settings = tokenizer.referenceSettings
    settings.additions = .none
    var (seconds, count): ([Double], Int) = ([], 0)
    for _ in 0..<runs {
      let start = processorSeconds()
      count = try tokenizer.encode(bytes, settings).count
      seconds.append(processorSeconds() - start)
    }
    print(
      #"{"load": \#(load), "first": \#(seconds[0]), "best": \#(seconds.min() ?? 0), "tokens": \#(count)}"#)
  }
}
