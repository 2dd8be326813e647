import ArgumentParser
import KistConversion
import KistCore
import KistTokenizers

struct TokenizerTrain: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Learn a byte-level BPE tokenizer from text.",
    discussion: """
      Learns the merges that Hugging Face's BpeTrainer learns from the same files, and writes a tokenizer.json that \
      its library loads. Text is cut by GPT-2's pattern before; every byte is in the alphabet, so any text can be \
      encoded.

      EXAMPLES
        kist tokenizer train corpus.txt --vocab-size 8000 -o tokenizer.json
        kist tokenizer train a.txt b.txt --vocab-size 32000 --special-token '<|endoftext|>' -o tokenizer.json
      """)

  @Argument(help: "Text files in UTF-8.", completion: .file())
  var files: [String]

  @Option(help: "Tokens to end with: alphabet, special tokens and merges.")
  var vocabSize = 30000

  @Option(help: "Merges seen less often are not learned.")
  var minFrequency = 0

  @Option(name: .customLong("special-token"), help: "A special token; repeat for several. They get the first ids.")
  var specialTokens: [String] = []

  @Option(help: ArgumentHelp("Longest token, in characters.", valueName: "n"))
  var maxTokenLength: Int?

  @Option(
    name: .shortAndLong, help: ArgumentHelp("The tokenizer.json to write.", valueName: "file"), completion: .file())
  var output: String

  @OptionGroup var global: GlobalOptions

  func validate() throws {
    guard !files.isEmpty else { throw ValidationError("Give at least one text file.") }
    guard vocabSize > 0, minFrequency >= 0, maxTokenLength ?? 1 > 0 else {
      throw ValidationError("--vocab-size and --max-token-length begin at 1, --min-frequency at 0.")
    }
  }

  func run() throws {
    if !global.force { try requireAbsent(output) }
    let clock = ContinuousClock()
    let start = clock.now
    let training = TokenizerTraining(
      files: files, vocabularySize: vocabSize, minimumFrequency: minFrequency, specialTokens: specialTokens,
      maximumTokenLength: maxTokenLength)
    let result = try training.run(parallelism: global.parallelism, progress: global.progress)
    try result.write(to: output, replacing: global.force)
    let report = Report(
      output: output, tokenCount: result.tokenCount, mergeCount: result.mergeCount, byteCount: result.corpusByteCount,
      seconds: (clock.now - start) / .seconds(1))
    if global.json { return try Output.json(report) }
    Output.line(
      "\(output.escapedForTerminal): \(Quantity.count(report.tokenCount)) tokens, "
        + "\(Quantity.count(report.mergeCount)) merges, from \(Quantity.bytes(report.byteCount)) of text in "
        + "\(Quantity.seconds(report.seconds))")
    if report.tokenCount < vocabSize {
      global.notice("the text has no more merges to learn: \(report.tokenCount) tokens, not \(vocabSize)")
    }
  }

  private struct Report: Encodable {
    var schema = 1
    var output: String
    var tokenCount: Int
    var mergeCount: Int
    var byteCount: Int
    var seconds: Double

    enum CodingKeys: String, CodingKey {
      case schema, output, seconds
      case tokenCount = "tokens"
      case mergeCount = "merges"
      case byteCount = "bytes"
    }
  }
}
