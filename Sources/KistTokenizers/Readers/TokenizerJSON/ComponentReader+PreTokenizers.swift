import KistCore

/// Source: tokenizers, `pre_tokenizers/mod.rs`.
enum PreTokenizerWord: String, CaseIterable {
  case bert = "BertPreTokenizer"
  case byteLevel = "ByteLevel"
  case charDelimiterSplit = "CharDelimiterSplit"
  case metaspace = "Metaspace"
  case whitespace = "Whitespace"
  case sequence = "Sequence"
  case split = "Split"
  case punctuation = "Punctuation"
  case whitespaceSplit = "WhitespaceSplit"
  case digits = "Digits"
  case unicodeScripts = "UnicodeScripts"
  case fixedLength = "FixedLength"
}

extension ComponentReader {
  func preTokenizer(_ value: JSONValue, _ path: String) throws(KistError) -> PreTokenizer {
    let fields = try JSONFields(value, path: path)
    switch try fields.word("type") as PreTokenizerWord {
    case .bert: return .bert
    case .byteLevel: return try byteLevel(fields)
    case .charDelimiterSplit: return .charDelimiterSplit(try fields.scalar("delimiter"))
    case .metaspace: return .metaspace(try metaspace(fields))
    case .whitespace: return .whitespace
    case .sequence: return .sequence(try fields.elements("pretokenizers", preTokenizer))
    case .split:
      return .split(try pattern(fields), try fields.word("behavior"), inverted: try fields.bool("invert"))
    case .punctuation: return .punctuation(fields["behavior"] == nil ? .isolated : try fields.word("behavior"))
    case .whitespaceSplit: return .whitespaceSplit
    case .digits: return .digits(individual: try fields.bool("individual_digits"))
    case .unicodeScripts: return .unicodeScripts
    case .fixedLength: return try fixedLength(fields)
    }
  }

  private func byteLevel(_ fields: JSONFields) throws(KistError) -> PreTokenizer {
    try checkByteLevel(fields)
    return .byteLevel(
      addsPrefixSpace: try fields.bool("add_prefix_space"), usesRegex: try fields.bool("use_regex", default: true))
  }

  /// The library wants the same fields of a ByteLevel wherever it stands.
  func checkByteLevel(_ fields: JSONFields) throws(KistError) {
    for name in ["add_prefix_space", "trim_offsets"] { _ = try fields.bool(name) }
    _ = try fields.bool("use_regex", default: true)
  }

  private func fixedLength(_ fields: JSONFields) throws(KistError) -> PreTokenizer {
    let length = fields["length"] == nil ? 5 : try fields.count("length")
    // The library takes 0, and panics when it tokenizes.
    guard length > 0 else { throw fields.wrong("length", "is 0") }
    return .fixedLength(length)
  }
}
