/// A hand-written scanner for a pattern that many tokenizers have, chosen by its exact text.
///
/// Its pieces are the pattern's matches and what lies between them, which most of the patterns leave none of.
package struct Scanner: Sendable {
  enum Kind: Sendable {
    case gpt2(GPT2Scanner)
    case word(WordScanner)
    case cased(CasedScanner)
    case deepSeek(DeepSeekScanner)
    case number(NumberScanner)
    case cjk(CJKScanner)
  }

  let kind: Kind

  /// The scanner of a pattern; nil when there is none, and it must be compiled.
  package init?(_ pattern: Pattern) {
    guard case .regex(let text, let dialect) = pattern,
      let known = Self.known.first(where: {
        $0.dialects.contains(dialect) && $0.pattern.utf8.elementsEqual(text.utf8)
      })
    else { return nil }
    kind = known.kind
  }

  /// The pattern of `ByteLevel`.
  package static let byteLevel = Scanner(kind: .gpt2(GPT2Scanner()))

  init(kind: Kind) { self.kind = kind }

  /// Whether every byte lies in a match.
  package var coversEverything: Bool {
    switch kind {
    case .gpt2, .word, .cased: true
    case .deepSeek, .number, .cjk: false
    }
  }
}
