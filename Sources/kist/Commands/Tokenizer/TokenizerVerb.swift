import ArgumentParser
import KistTokenizers

struct TokenizerVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tokenizer",
    abstract: "Turn text into ids and back; look into a vocabulary; compare and train tokenizers.",
    discussion: """
      Takes any source: a .kist file, tokenizer.json, a SentencePiece .model, tiktoken ranks, tekken.json, vocab.json \
      with merges.txt, vocab.txt, or a model's directory. The ids are those of the library that the file belongs to.

      EXAMPLES
        kist tokenizer encode model.kist "The cat sat" --show
        kist tokenizer decode model.kist 464 3797 3332
        kist tokenizer inspect tokenizer.json
        kist tokenizer verify model.kist --against tokenizer.json --text corpus.txt
        kist tokenizer train corpus.txt --vocab-size 8000 -o tokenizer.json
      """,
    subcommands: [
      TokenizerEncode.self, TokenizerDecode.self, TokenizerInspect.self, TokenizerVerify.self, TokenizerTrain.self,
    ])
}

/// What special tokens that stand in a text are taken for.
enum SpecialInText: String, ExpressibleByArgument, CaseIterable {
  /// Tokens.
  case parse
  /// Text like any other.
  case text
}

/// Whether the post-processor's tokens are put around the ids.
enum SpecialAround: String, ExpressibleByArgument, CaseIterable {
  case add
  case none
}

struct EncodingOptions: ParsableArguments {
  @Option(
    help: "Special tokens in the text: parse them, or take them for text. The default is the file's library's own.")
  var special: SpecialInText?

  @Option(name: .customLong("special-tokens"), help: "Tokens such as [CLS] around the text: add or none.")
  var around: SpecialAround = .add

  /// What the options say, or the library that the file belongs to.
  func settings(for tokenizer: Tokenizer) -> Tokenizer.EncodingSettings {
    Tokenizer.EncodingSettings(
      specialTokens: special.map { $0 == .parse ? .parsed : .text } ?? tokenizer.referenceSettings.specialTokens,
      additions: around == .add ? .added : .none)
  }
}
