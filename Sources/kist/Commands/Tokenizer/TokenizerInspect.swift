import ArgumentParser
import KistConversion
import KistCore
import KistTokenizers

struct TokenizerInspect: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Look into a tokenizer: what it does to text, and what is in its vocabulary.",
    discussion: """
      --text counts the tokens of a file. --search finds tokens by a part of their text. --merges shows how one word \
      was merged, step by step.

      EXAMPLES
        kist tokenizer inspect tokenizer.json
        kist tokenizer inspect model.kist --text corpus.txt
        kist tokenizer inspect model.kist --search stand
        kist tokenizer inspect model.kist --merges understanding
      """)

  @Argument(help: "A .kist file, a tokenizer's file, or a model's directory.", completion: .file())
  var source: String

  @Option(help: ArgumentHelp("Count the tokens of a text.", valueName: "file"), completion: .file())
  var text: String?

  @Option(help: ArgumentHelp("Find tokens whose text contains this.", valueName: "part"))
  var search: String?

  @Option(help: ArgumentHelp("Show how a word was merged.", valueName: "word"))
  var merges: String?

  @OptionGroup var global: GlobalOptions

  func run() throws {
    let tokenizer = try Tokenizer.open(path: source)
    if search == nil, merges == nil {
      let summary = try VocabularySummary(tokenizer, path: source, text: text)
      return global.json ? try Output.json(summary) : Output.lines(lines(summary))
    }
    let found = search.map { VocabularySummary.search($0, in: tokenizer) }
    let steps = try merges.map { word throws(KistError) in try MergeSteps(word, tokenizer) }
    if global.json { return try Output.json(Findings(path: source, found: found, merges: steps)) }
    if let found {
      var table = TextTable([.right, .left], titles: ["id", "text"])
      for row in found { table.add(["\(row.id)", "|\(row.text)|"]) }
      Output.lines(table.lines(emphasis: Terminal.bold))
      Output.line("\(Quantity.count(found.count)) tokens")
    }
    if let steps { Output.lines(steps.lines) }
  }

  private func lines(_ summary: VocabularySummary) -> [String] {
    var lines = ["\(summary.path.escapedForTerminal)  \(summary.model), ids as \(summary.reference) gives them", ""]
    lines.append("  tokens  \(Quantity.count(summary.tokenCount)), ids 0 to \(summary.idCount - 1)")
    if let sample = summary.sample {
      let rate = (sample.bytesPerToken * 100).rounded() / 100
      lines.append(
        "  text    \(Quantity.bytes(sample.byteCount)) in \(Quantity.count(sample.tokenCount)) tokens, "
          + "\(rate) bytes a token")
    }
    lines += ["", Terminal.bold("PIPELINE")]
    var pipeline = TextTable([.left, .left])
    for stage in summary.pipeline {
      for (index, step) in stage.steps.enumerated() { pipeline.add([index == 0 ? stage.stage : "", step]) }
    }
    lines += pipeline.lines(indent: 2)
    lines += ["", Terminal.bold("VOCABULARY")]
    var kinds = TextTable([.left, .right])
    for kind in summary.kinds { kinds.add([kind.kind, Quantity.count(kind.tokenCount)]) }
    lines += kinds.lines(indent: 2)
    lines += tokens("SPECIAL TOKENS", summary.specialTokens, limit: 24)
    lines += tokens("LONGEST TOKENS", summary.longest, limit: 10)
    return lines
  }

  private func tokens(_ title: String, _ rows: [VocabularySummary.TokenRow], limit: Int) -> [String] {
    guard !rows.isEmpty else { return [] }
    var table = TextTable([.right, .left])
    for row in rows.prefix(limit) { table.add(["\(row.id)", row.text]) }
    let more = rows.count > limit ? ["  … and \(Quantity.count(rows.count - limit)) more"] : []
    return ["", Terminal.bold(title)] + table.lines(indent: 2) + more
  }

  private struct Findings: Encodable {
    var schema = 1
    var path: String
    var found: [VocabularySummary.TokenRow]?
    var merges: MergeSteps?
  }
}

/// How the pieces of a word came to be, for a person.
private struct MergeSteps: Encodable {
  struct Piece: Encodable {
    var piece: String
    var steps: [Step]
  }

  struct Step: Encodable {
    var symbols: [String]
    /// Place of the merge among all, the first being 0; absent for the first row.
    var rank: Int?
  }

  let pieces: [Piece]

  init(_ word: String, _ tokenizer: Tokenizer) throws(KistError) {
    pieces = try tokenizer.mergeSteps(of: Array(word.utf8)).map { piece in
      Piece(
        piece: String(decoding: piece.bytes, as: UTF8.self),
        steps: piece.steps.map { step in
          Step(symbols: step.symbols.map { String(decoding: $0, as: UTF8.self) }, rank: step.rank)
        })
    }
  }

  var lines: [String] {
    pieces.flatMap { piece -> [String] in
      var table = TextTable([.right, .left], titles: ["merge", piece.piece])
      for step in piece.steps { table.add([step.rank.map { "\($0)" } ?? "", step.symbols.joined(separator: " ")]) }
      return table.lines(emphasis: Terminal.bold)
    }
  }
}
