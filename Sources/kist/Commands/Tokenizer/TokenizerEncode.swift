import ArgumentParser
import Foundation
import KistConversion
import KistCore
import KistTokenizers

struct TokenizerEncode: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "encode",
    abstract: "Turn text into ids.",
    discussion: """
      Prints the ids of each text on a line. --show draws the pieces with their bytes. --jsonl is for programs: one \
      object {"text": …} a line on standard input gives one object {"ids": […]} a line.

      Special tokens that stand in the text, such as <|endoftext|>, are parsed where the library that the file belongs \
      to does so (Hugging Face's tokenizers), and text where it does not (tiktoken, SentencePiece). In text that others \
      wrote, take them for text.

      Nothing is cut or filled up unless --truncate or --pad say so. With them, or with a second text in "pair", lines \
      of JSON also have "type_ids" and "attention_mask", and with --stride what was cut off in "overflow".

      EXAMPLES
        kist tokenizer encode model.kist "The cat sat"
        kist tokenizer encode tokenizer.json "naïve café" --show
        kist tokenizer encode model.kist - --special text < page.txt
        kist tokenizer encode model.kist --jsonl < in.jsonl > out.jsonl
        kist tokenizer encode model.kist --jsonl --truncate 512 --pad longest < in.jsonl
      """)

  @Argument(help: "A .kist file, a tokenizer's file, or a model's directory.", completion: .file())
  var source: String

  @Argument(help: "Texts; - reads standard input.")
  var texts: [String] = []

  @Flag(help: "Draw the pieces, each with its id and bytes.")
  var show = false

  @Flag(help: "Read one JSON object a line from standard input, and write one a line.")
  var jsonl = false

  @OptionGroup var encoding: EncodingOptions
  @OptionGroup(title: "Lengths") var lengths: LengthOptions
  @OptionGroup var global: GlobalOptions

  func validate() throws {
    guard texts.isEmpty == jsonl else {
      throw ValidationError(
        jsonl ? "--jsonl reads standard input: give no text." : "Give a text, or - for standard input.")
    }
  }

  func run() throws {
    let tokenizer = try Tokenizer.open(path: source)
    let form = EncodingForm(
      settings: encoding.settings(for: tokenizer), truncation: try lengths.truncation(for: tokenizer),
      padding: try lengths.padding(for: tokenizer), printsOverflow: lengths.stride != nil)
    if jsonl {
      return try EncodedLines(tokenizer: tokenizer, form: form, isShaped: lengths.areGiven).run(global.parallelism)
    }
    let encodings = try encodings(tokenizer, form)
    if global.json {
      let texts = encodings.map { TokenList($0, tokenizer) }
      try Output.json(EncodingReport(path: source, reference: tokenizer.reference, texts: texts))
    } else if show {
      for ids in encodings { Output.lines(TokenList(ids, tokenizer).table.lines(emphasis: Terminal.bold)) }
    } else {
      for ids in encodings { Output.line(ids.map(String.init).joined(separator: " ")) }
    }
  }

  /// The ids of each text, and of the windows that were cut off it.
  private func encodings(_ tokenizer: Tokenizer, _ form: EncodingForm) throws(KistError) -> [[UInt32]] {
    let texts = texts.map { $0 == "-" ? Array(FileHandle.standardInput.readDataToEndOfFile()) : Array($0.utf8) }
    guard lengths.areGiven else {
      return try texts.map { text throws(KistError) in try tokenizer.encode(text, form.settings) }
    }
    var inputs = try texts.map { text throws(KistError) in
      try tokenizer.modelInput(text, form.settings, truncation: form.truncation)
    }
    try form.padding?.apply(to: &inputs)
    return inputs.flatMap { input in
      [input.ids] + (form.printsOverflow ? input.overflow.map(\.ids) : [])
    }
  }
}

/// Ids with what they stand for.
struct TokenList: Encodable {
  struct Token: Encodable {
    var id: UInt32
    /// As the vocabulary spells it.
    var token: String
    var bytes: [UInt8]
  }

  let tokens: [Token]

  init(_ ids: [UInt32], _ tokenizer: Tokenizer) {
    tokens = ids.map { id in
      Token(
        id: id, token: String(decoding: tokenizer.token(id) ?? [], as: UTF8.self), bytes: tokenizer.surface(of: id))
    }
  }

  func encode(to encoder: any Encoder) throws { try tokens.encode(to: encoder) }

  var table: TextTable {
    var table = TextTable([.right, .left, .left, .left], titles: ["id", "token", "text", "bytes"])
    for token in tokens {
      let text = String(validating: token.bytes, as: UTF8.self) ?? "�"
      let bytes = token.bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
      table.add(["\(token.id)", token.token, "|\(text)|", bytes])
    }
    return table
  }
}

/// What `kist tokenizer encode --json` prints.
private struct EncodingReport: Encodable {
  var schema = 1
  var path: String
  var reference: String
  var texts: [TokenList]
}
