/// What tokenizers' components ask of characters, which is not what Unicode 16.0 says.
extension UnicodeTable {
  /// The traits of a scalar, as tokenizers 0.23.3 has them.
  package static func traits(of scalar: UInt32) -> ScalarTraits { ScalarTraits(rawValue: traitMap[scalar]) }

  /// Raw values of ``ScalarTraits`` by scalar.
  package static let traitMap = ScalarMap(PackedRuns(traitRuns), beyond: 0)

  /// What the pre-tokenizer UnicodeScripts takes for a scalar's script: numbers that are equal for equal scripts, 0 for what goes with
  /// any. Hiragana and Katakana count as Han, and a space goes with any.
  ///
  /// Source: tokenizers, `pre_tokenizers/unicode_scripts/`, whose table is that of Unicode 9.0.
  package static let unicodeScripts = ScalarMap(PackedRuns(unicodeScriptsRuns), beyond: 0)
}

/// See ``UnicodeTable/traits(of:)``.
package struct ScalarTraits: OptionSet, Sendable {
  package let rawValue: UInt8

  package init(rawValue: UInt8) { self.rawValue = rawValue }

  /// Removed by BertNormalizer's clean_text: NUL, U+FFFD, and controls, format characters and private use of unicode_categories 0.1.1
  /// (Unicode 8.0); not tab and line ends.
  package static let other = ScalarTraits(rawValue: 1)
  /// Removed by BertNormalizer's strip_accents: `Mn` of unicode_categories 0.1.1.
  package static let nonspacingMark = ScalarTraits(rawValue: 2)
  /// Removed by StripAccents: `M` of unicode-normalization-alignments 0.1.12 (Unicode 9.0).
  package static let combiningMark = ScalarTraits(rawValue: 4)
  /// `char::is_whitespace` of Rust: Unicode's White_Space.
  package static let whiteSpace = ScalarTraits(rawValue: 8)
  /// What Punctuation and BertPreTokenizer split at: all ASCII punctuation and symbols, and `P` of unicode_categories 0.1.1.
  package static let punctuation = ScalarTraits(rawValue: 16)
  /// `char::is_numeric` of Rust: `N` of Unicode 17.0.
  package static let numeric = ScalarTraits(rawValue: 32)
}
