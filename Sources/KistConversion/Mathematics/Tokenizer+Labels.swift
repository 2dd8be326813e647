import KistCore
import KistTokenizers

extension Tokenizer {
  /// What a token stands for, for a person: its text, or where a file marks what continues a word, the file's own spelling.
  func label(of token: Int) -> String {
    guard let id = UInt32(exactly: token), let spelling = self.token(id) else { return "[\(token)]" }
    return String(decoding: modelName == "WordPiece" ? spelling : surface(of: id), as: UTF8.self)
  }
}

extension LoadedModel {
  /// What tokens stand for; their numbers where there is no tokenizer.
  func labels(of tokens: [Int]) -> [String] {
    tokens.map { tokenizer?.label(of: $0) ?? "\($0)" }
  }

  /// Tokens of a text that is to be computed on.
  ///
  /// - Throws: `invalid` when there are none.
  public func tokensToRun(_ text: String) throws(KistError) -> [Int] {
    let tokens = try text.isEmpty ? [] : tokens(of: text)
    guard !tokens.isEmpty else {
      throw KistError(.invalid, field: "text", "is empty: there is nothing to compute on")
    }
    return tokens
  }
}
