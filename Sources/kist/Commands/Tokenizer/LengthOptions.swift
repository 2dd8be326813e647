import ArgumentParser
import KistCore
import KistTokenizers

/// How long encodings may be, and how long they are made: what `--truncate` and `--pad` say, or the file.
struct LengthOptions: ParsableArguments {
  /// `file`, or a number of tokens.
  enum Cut: ExpressibleByArgument {
    case file
    case tokens(Int)

    init?(argument: String) {
      if argument == "file" {
        self = .file
      } else if let count = Int(argument) {
        self = .tokens(count)
      } else {
        return nil
      }
    }
  }

  /// `file`, `longest`, or a number of tokens.
  enum Fill: ExpressibleByArgument {
    case file
    case longest
    case tokens(Int)

    init?(argument: String) {
      switch Cut(argument: argument) {
      case .file: self = .file
      case .tokens(let count): self = .tokens(count)
      case nil where argument == "longest": self = .longest
      case nil: return nil
      }
    }
  }

  enum Side: String, ExpressibleByArgument, CaseIterable { case left, right }

  enum Strategy: String, ExpressibleByArgument, CaseIterable {
    case longestFirst = "longest-first"
    case onlyFirst = "only-first"
    case onlySecond = "only-second"
  }

  @Option(
    help: ArgumentHelp("Cut to n tokens, those around the text counted; or as the file says.", valueName: "n|file"))
  var truncate: Cut?

  @Option(help: "The end that is cut: left or right.")
  var truncateSide: Side?

  @Option(help: "Which text of a pair is cut: longest-first, only-first or only-second.")
  var truncateStrategy: Strategy?

  @Option(
    help: ArgumentHelp("Print what was cut off, too, in windows that share n tokens with the next.", valueName: "n"))
  var stride: Int?

  @Option(
    help: ArgumentHelp(
      "Fill up to n tokens, to the longest of all texts, or as the file says.", valueName: "n|longest|file"))
  var pad: Fill?

  @Option(help: "The end that is filled up: left or right.")
  var padSide: Side?

  @Option(help: ArgumentHelp("Fill up to a multiple of n tokens.", valueName: "n"))
  var padMultiple: Int?

  @Option(help: "The token that fills up; the file's own without it.")
  var padToken: String?

  func validate() throws {
    let parts: [Any?] = [truncateSide, truncateStrategy, stride]
    if truncate == nil, parts.contains(where: { $0 != nil }) {
      throw ValidationError("--truncate-side, --truncate-strategy and --stride go with --truncate.")
    }
    let fills: [Any?] = [padSide, padMultiple, padToken]
    if pad == nil, fills.contains(where: { $0 != nil }) {
      throw ValidationError("--pad-side, --pad-multiple and --pad-token go with --pad.")
    }
    if case .tokens(let count) = truncate, count < 0 { throw ValidationError("--truncate begins at 0.") }
    if case .tokens(let count) = pad, count < 0 { throw ValidationError("--pad begins at 0.") }
    guard stride ?? 0 >= 0, padMultiple ?? 1 > 0 else {
      throw ValidationError("--stride begins at 0, --pad-multiple at 1.")
    }
  }

  /// Whether the encodings have to be put into a form at all.
  var areGiven: Bool { truncate != nil || pad != nil }

  func truncation(for tokenizer: Tokenizer) throws(KistError) -> Truncation? {
    guard let truncate else { return nil }
    var truncation: Truncation
    switch truncate {
    case .tokens(let count): truncation = Truncation(maximumLength: count)
    case .file:
      guard let own = tokenizer.fileTruncation else {
        throw KistError(
          .missing, field: "truncation", "is not in the tokenizer's file", advice: "give --truncate a number")
      }
      truncation = own
    }
    if let truncateSide { truncation.side = truncateSide == .left ? .left : .right }
    if let stride { truncation.stride = stride }
    switch truncateStrategy {
    case .longestFirst: truncation.strategy = .longestFirst
    case .onlyFirst: truncation.strategy = .onlyFirst
    case .onlySecond: truncation.strategy = .onlySecond
    case nil: break
    }
    return truncation
  }

  func padding(for tokenizer: Tokenizer) throws(KistError) -> Padding? {
    guard let pad else { return nil }
    let own = tokenizer.filePadding
    var padding = own ?? Padding()
    switch pad {
    case .file:
      guard own != nil else {
        throw KistError(
          .missing, field: "padding", "is not in the tokenizer's file", advice: "give --pad a number or 'longest'")
      }
    case .longest: (padding.fixedLength, padding.multipleOf) = (nil, nil)
    case .tokens(let count): (padding.fixedLength, padding.multipleOf) = (count, nil)
    }
    if let padSide { padding.side = padSide == .left ? .left : .right }
    if let padMultiple { padding.multipleOf = padMultiple }
    if let padToken {
      guard let id = tokenizer.id(of: Array(padToken.utf8)) else {
        throw KistError(.invalid, field: "--pad-token", "'\(padToken)' is not in the vocabulary")
      }
      padding.id = id
    } else if own == nil {
      throw KistError(
        .missing, field: "padding", "is not in the tokenizer's file",
        advice: "name the token that fills up: --pad-token")
    }
    return padding
  }
}
