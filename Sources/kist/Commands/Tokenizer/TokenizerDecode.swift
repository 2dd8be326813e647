import ArgumentParser
import KistConversion
import KistCore
import KistTokenizers

struct TokenizerDecode: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "decode",
    abstract: "Turn ids back into text.",
    discussion: """
      Bytes that are no UTF-8, such as half a character, become U+FFFD. Special tokens are left out where the library \
      that the file belongs to leaves them out by default (Hugging Face's tokenizers, SentencePiece); --special says \
      otherwise.

      --jsonl is for programs: one object {"ids": […]} a line on standard input gives one object {"text": …} a line.

      EXAMPLES
        kist tokenizer decode model.kist 464 3797 3332
        kist tokenizer decode model.kist 101 4937 102 --special keep
        kist tokenizer decode model.kist --jsonl < out.jsonl
      """)

  enum Special: String, ExpressibleByArgument, CaseIterable {
    case keep
    case skip
  }

  @Argument(help: "A .kist file, a tokenizer's file, or a model's directory.", completion: .file())
  var source: String

  @Argument(help: "Ids, with spaces or commas between them.")
  var ids: [String] = []

  @Option(help: "Special tokens among the ids: keep or skip.")
  var special: Special?

  @Flag(help: "Read one JSON object a line from standard input, and write one a line.")
  var jsonl = false

  @OptionGroup var global: GlobalOptions

  func validate() throws {
    guard ids.isEmpty == jsonl else {
      throw ValidationError(jsonl ? "--jsonl reads standard input: give no ids." : "Give ids, or --jsonl.")
    }
  }

  func run() throws {
    let tokenizer = try Tokenizer.open(path: source)
    let skips = special.map { $0 == .skip } ?? tokenizer.referenceSkipsSpecialTokens
    if jsonl {
      return try JSONLines.map(global.parallelism) { (object) throws(KistError) in
        guard let values = object["ids"]?.array else {
          throw KistError(.invalid, field: "ids", "missing, or not a list")
        }
        let ids = try values.map { value throws(KistError) in
          guard let id = value.int.flatMap({ UInt32(exactly: $0) }) else {
            throw KistError(.invalid, field: "ids", "has something that is no id")
          }
          return id
        }
        let text = String(decoding: try tokenizer.decode(ids, skippingSpecialTokens: skips), as: UTF8.self)
        var line = JSONText()
        line.object([("text", { $0.string(text) })])
        return line.bytes + [UInt8(ascii: "\n")]
      }
    }
    let text = String(decoding: try tokenizer.decode(try parsedIDs(), skippingSpecialTokens: skips), as: UTF8.self)
    if global.json {
      try Output.json(DecodingReport(path: source, text: text))
    } else {
      Output.line(text)
    }
  }

  private func parsedIDs() throws(KistError) -> [UInt32] {
    try ids.flatMap { $0.split { $0 == "," || $0 == " " || $0 == "\n" } }.map { text throws(KistError) in
      guard let id = UInt32(text) else { throw KistError(.invalid, field: "'\(text)'", "is no id") }
      return id
    }
  }
}

/// What `kist tokenizer decode --json` prints.
private struct DecodingReport: Encodable {
  var schema = 1
  var path: String
  var text: String
}
