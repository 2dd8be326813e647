import ArgumentParser
import KistConversion
import KistCore
import KistTokenizers

struct TokenizerVerify: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Check that two tokenizers give the same ids, or show the first difference.",
    discussion: """
      Encodes every line of a text with both and compares ids, then decodes them. Without --text, the texts are the \
      tokens of both vocabularies. Exit status 1 when anything differs.

      EXAMPLES
        kist tokenizer verify model.kist --against tokenizer.json
        kist tokenizer verify model.kist --against tokenizer.json --text corpus.txt
      """)

  @Argument(help: "A .kist file, a tokenizer's file, or a model's directory.", completion: .file())
  var source: String

  @Option(help: ArgumentHelp("The tokenizer whose ids are right.", valueName: "ref"), completion: .file())
  var against: String

  @Option(help: ArgumentHelp("A text, of which every line is encoded.", valueName: "file"), completion: .file())
  var text: String?

  @OptionGroup var global: GlobalOptions

  func run() throws {
    let comparison = try TokenizerComparison(
      try Tokenizer.open(path: source), against: try Tokenizer.open(path: against), text: text,
      parallelism: global.parallelism, progress: global.progress)
    let report = Report(path: source, reference: against, comparison: comparison)
    if global.json {
      try Output.json(report)
    } else {
      Output.lines(lines(comparison))
    }
    guard comparison.isSame else { throw ExitStatus.differs }
  }

  private func lines(_ comparison: TokenizerComparison) -> [String] {
    let (path, reference) = (source.escapedForTerminal, against.escapedForTerminal)
    let size = "\(Quantity.count(comparison.textCount)) texts, \(Quantity.count(comparison.tokenCount)) tokens"
    guard let difference = comparison.difference else {
      return ["\(path): \(Terminal.good("same ids")) as \(reference) (\(comparison.referenceName)): \(size)"]
    }
    return [
      "\(path): \(Terminal.bad("differs")) from \(reference) (\(comparison.referenceName)) at \(difference.place)",
      "  text       \(difference.text.escapedForTerminal)",
      "  \(path)  \(difference.ids)",
      "  \(reference)  \(difference.referenceIDs)",
    ]
  }

  private struct Report: Encodable {
    var schema = 1
    var path: String
    var reference: String
    var comparison: TokenizerComparison
  }
}
