import ArgumentParser
import KistConversion
import KistCore

struct Logits: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Compute a model's logits on tokens or a text, in f32.",
    discussion: """
      Writes logits, F32 [tokens, vocabulary]: to a .npy file, or with the tokens to a .safetensors file, which \
      `kist verify --golden` and `kist convert --golden` read. Weights are decoded a tile at a time, so that the model \
      may be larger than memory.

      EXAMPLES
        kist logits model.kist --tokens 1,403,407 -o logits.npy
        kist logits ./hf-dir --text "Once upon a time" -o logits.safetensors
      """)

  @Argument(help: "A .kist file or a Hugging Face directory.", completion: .file())
  var source: String

  @OptionGroup var input: TokenInput

  @Option(
    name: .shortAndLong, help: ArgumentHelp("Where to write them.", valueName: "file.npy|.safetensors"),
    completion: .file())
  var output: String

  @OptionGroup var memory: MemoryOption
  @OptionGroup var global: GlobalOptions

  func run() throws {
    let model = try LoadedModel.open(path: source, memory: memory.budget)
    let logits = try RecordedLogits(model, tokens: try input.tokens(for: model), parallelism: global.parallelism)
    try logits.write(to: output, replacingExisting: global.force)
    let report = Report(output: output, tokens: logits.tokens, shape: [logits.tokens.count, logits.vocabularySize])
    if global.json {
      try Output.json(report)
    } else {
      Output.line("\(output.escapedForTerminal): F32 \(report.shape), computed by \(KistVersion.name)")
    }
  }

  /// What is printed with `--json`.
  private struct Report: Encodable {
    var output: String
    var tokens: [Int]
    var shape: [Int]
  }
}

/// Tokens, or a text that the model's tokenizer turns into them.
struct TokenInput: ParsableArguments {
  @Option(help: ArgumentHelp("Ids, with commas between them; @FILE reads them from a file.", valueName: "ids"))
  var tokens: String?

  @Option(help: ArgumentHelp("A text for the model's tokenizer; - reads standard input.", valueName: "text"))
  var text: String?

  func validate() throws {
    guard (tokens == nil) != (text == nil) else { throw ValidationError("Give --tokens or --text.") }
  }

  func tokens(for model: LoadedModel) throws(KistError) -> [Int] {
    if let tokens { return try TokenInput.parse(tokens) }
    return try model.tokens(of: try readArgument(text ?? ""))
  }

  /// Ids with commas or white space between them.
  static func parse(_ argument: String) throws(KistError) -> [Int] {
    let text = argument.hasPrefix("@") ? try readWholeText(String(argument.dropFirst())) : argument
    let words = text.split { $0 == "," || $0.isWhitespace }
    let ids = words.compactMap { Int($0) }
    guard !ids.isEmpty, ids.count == words.count, ids.allSatisfy({ $0 >= 0 }) else {
      throw KistError(.invalid, field: "--tokens", "'\(text.prefix(40))' is no list of ids", advice: "write 1,403,407")
    }
    return ids
  }
}
