/// llama.cpp's own BertNormalizer and BertPreTokenizer: each scalar alone, whatever stands beside it.
///
/// A scalar with a decomposition becomes the first scalar of it, Hangul syllables too; all marks go; punctuation and ideographs are words of
/// their own, which the spaces around them make them.
///
/// - Source: llama.cpp, `src/llama-vocab.cpp`, `llm_tokenizer_wpm_session::preprocess`; `src/unicode.cpp`.
enum LlamaBertRule {
  enum Folding: ScalarRule {
    static func changes(ascii: UInt8) -> Bool { LlamaBertRule.changes(ascii: ascii, lowercases: true) }
    static func outcome(_ scalar: UInt32) -> ScalarOutcome {
      LlamaBertRule.outcome(scalar, stripsAccents: true, lowercases: true)
    }
  }

  enum Stripping: ScalarRule {
    static func changes(ascii: UInt8) -> Bool { LlamaBertRule.changes(ascii: ascii, lowercases: false) }
    static func outcome(_ scalar: UInt32) -> ScalarOutcome {
      LlamaBertRule.outcome(scalar, stripsAccents: true, lowercases: false)
    }
  }

  enum Lowercasing: ScalarRule {
    static func changes(ascii: UInt8) -> Bool { LlamaBertRule.changes(ascii: ascii, lowercases: true) }
    static func outcome(_ scalar: UInt32) -> ScalarOutcome {
      LlamaBertRule.outcome(scalar, stripsAccents: false, lowercases: true)
    }
  }

  enum Plain: ScalarRule {
    static func changes(ascii: UInt8) -> Bool { LlamaBertRule.changes(ascii: ascii, lowercases: false) }
    static func outcome(_ scalar: UInt32) -> ScalarOutcome {
      LlamaBertRule.outcome(scalar, stripsAccents: false, lowercases: false)
    }
  }

  private static func changes(ascii: UInt8, lowercases: Bool) -> Bool {
    switch ascii {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), 0x20: false
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): lowercases
    default: true
    }
  }

  private static func outcome(_ original: UInt32, stripsAccents: Bool, lowercases: Bool) -> ScalarOutcome {
    let scalar = stripsAccents ? firstOfDecomposition(original) : original
    if UnicodeTable.isWhiteSpace(scalar) { return .replaced(0x20) }
    let category = UnicodeTable.category(scalar)
    switch category {
    case .cc, .cf, .co, .cs: return .removed
    case .mn, .mc, .me: if stripsAccents { return .removed }
    default: break
    }
    guard scalar != 0xFFFD else { return .removed }
    // A table of single scalars: İ becomes i.
    let lower = !lowercases ? scalar : scalar == 0x130 ? 0x69 : UnicodeTable.lowercase(scalar)
    if isWord(scalar, category) { return .spacedReplaced(lower) }
    return lower == original ? .kept : .replaced(lower)
  }

  /// Whether a scalar is a word of its own.
  private static func isWord(_ scalar: UInt32, _ category: GeneralCategory) -> Bool {
    switch category {
    case .pc, .pd, .ps, .pe, .pi, .pf, .po: return true
    case .sm, .sc, .sk, .so: if scalar < 0x7F { return true }
    default: break
    }
    if case .spaced = BertIdeographRule.outcome(scalar) { return true }
    return false
  }

  private static func firstOfDecomposition(_ scalar: UInt32) -> UInt32 {
    if (0xAC00..<0xAC00 + 11172).contains(scalar) { return 0x1100 + (scalar - 0xAC00) / 588 }
    return UnicodeTable.canonicalDecompositions[scalar].first ?? scalar
  }
}
