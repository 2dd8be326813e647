import KistCore
import KistTokenizers

/// A word as a tokenizer has it.
public struct Word: Sendable, Codable, Equatable {
  /// Which of a word's spellings its tokens are.
  public enum Form: String, Sendable, Codable {
    /// As after another word: mostly with the mark of a space before it.
    case inSentence = "in a sentence"
    /// As at the beginning of a text.
    case atStart = "at the start of a text"
    /// As the tokenizer's file spells the token.
    case asToken = "as the file spells the token"
  }

  public var text: String
  public var form: Form
  public var tokens: [Int]
  /// What the tokens stand for.
  public var pieces: [String]
}

extension WordEmbeddings {
  /// What stands for several tokens.
  public enum SeveralTokens: Sendable {
    case refused
    case mean
  }

  /// Finds the tokens of a word: of its spellings the first that is one token.
  ///
  /// - Throws: `invalid` for a word without tokens, unknown to the tokenizer, or of several tokens where those are refused.
  public func word(_ text: String, several: SeveralTokens = .refused) throws(KistError) -> Word {
    let forms = spellings(of: text)
    guard let best = forms.first(where: { $0.tokens.count == 1 }) ?? forms.first else {
      throw KistError(.invalid, field: "'\(text)'", "is no token: the text is empty, or the tokenizer can't write it")
    }
    let unknown = tokenizer.unknownToken.map(Int.init)
    if let token = best.tokens.first(where: { $0 == unknown || $0 >= rowCount }) {
      throw KistError(
        .invalid, field: "'\(text)'",
        token >= rowCount
          ? "is token \(token), and the table has \(rowCount) rows"
          : "is not in the vocabulary: it would be the unknown token")
    }
    guard best.tokens.count == 1 || several == .mean else {
      let pieces = best.pieces.map { "'\($0)'" }.joined(separator: ", ")
      throw KistError(
        .invalid, field: "'\(text)'", "is \(best.tokens.count) tokens: \(pieces)",
        advice: "take a word that is one token, or --mean for the mean of their rows")
    }
    return best
  }

  /// The word as in a sentence, at the start of a text, and as a token's own name: those that there are.
  private func spellings(of text: String) -> [Word] {
    let settings = Tokenizer.EncodingSettings(specialTokens: .parsed, additions: .none)
    func tokens(_ text: String) -> [Int]? { (try? tokenizer.encode(Array(text.utf8), settings))?.map(Int.init) }
    func word(_ form: Word.Form, _ tokens: [Int]?) -> Word? {
      guard let tokens, !tokens.isEmpty else { return nil }
      return Word(text: text, form: form, tokens: tokens, pieces: tokens.map(tokenizer.label))
    }
    let isSpelledOut = text.first?.isWhitespace ?? true
    let asToken = word(.asToken, tokenizer.id(of: Array(text.utf8)).map { [Int($0)] })
    var forms: [Word?] = []
    // What stands before a word decides: a word is found after another one.
    if !isSpelledOut, let before = tokens("a"), let both = tokens("a " + text), both.starts(with: before) {
      forms.append(word(.inSentence, Array(both.dropFirst(before.count))))
    }
    forms.append(word(.atStart, tokens(text)))
    forms.append(asToken)
    return forms.compactMap { $0 }
  }
}
