import KistCore

/// Source: tokenizers, `normalizers/mod.rs`; `SentencePiece` and `LlamaBert` are words of compiled tokenizers.
enum NormalizerWord: String, CaseIterable {
  case bert = "BertNormalizer"
  case bertOld = "Bert"
  case strip = "Strip"
  case stripAccents = "StripAccents"
  case nfc = "NFC"
  case nfd = "NFD"
  case nfkc = "NFKC"
  case nfkd = "NFKD"
  case sequence = "Sequence"
  case lowercase = "Lowercase"
  case nmt = "Nmt"
  case precompiled = "Precompiled"
  case replace = "Replace"
  case prepend = "Prepend"
  case byteLevel = "ByteLevel"
  case sentencePiece = "SentencePiece"
  case llamaBert = "LlamaBert"

  /// Those that need no `type`, in the library's order.
  static let guesses: [(NormalizerWord, [String])] = [
    (.bert, ["clean_text", "handle_chinese_chars", "lowercase"]), (.strip, ["strip_left", "strip_right"]),
    (.sequence, ["normalizers"]), (.precompiled, ["precompiled_charsmap"]), (.replace, ["pattern", "content"]),
    (.prepend, ["prepend"]),
  ]
}

extension ComponentReader {
  func normalizer(_ value: JSONValue, _ path: String) throws(KistError) -> Normalizer {
    let fields = try JSONFields(value, path: path)
    switch try name(fields, guesses: NormalizerWord.guesses) {
    case .nfc: return .nfc
    case .nfd: return .nfd
    case .nfkc: return .nfkc
    case .nfkd: return .nfkd
    case .lowercase: return .lowercase
    case .nmt: return .nmt
    case .byteLevel: return .byteLevel
    case .stripAccents: return .stripAccents
    case .strip: return .strip(left: try fields.bool("strip_left"), right: try fields.bool("strip_right"))
    case .bert, .bertOld: return try bertNormalizer(fields)
    case .sequence: return .sequence(try fields.elements("normalizers", normalizer))
    case .precompiled: return .precompiled(charsmap: try charsmap(fields, "precompiled_charsmap"))
    case .replace: return .replace(try pattern(fields), with: try fields.bytes("content"))
    case .prepend: return .prepend(try fields.bytes("prepend"))
    case .sentencePiece:
      guard readsCompiled else { throw fields.unknownComponent }
      return .sentencePiece(try sentencePieceNormalizer(fields))
    case .llamaBert:
      guard readsCompiled else { throw fields.unknownComponent }
      return .llamaBert(stripsAccents: try fields.bool("strip_accents"), lowercases: try fields.bool("lowercase"))
    }
  }

  private func bertNormalizer(_ fields: JSONFields) throws(KistError) -> Normalizer {
    .bert(
      cleanText: try fields.bool("clean_text"), handlesChineseCharacters: try fields.bool("handle_chinese_chars"),
      stripsAccents: try fields.optionalBool("strip_accents"), lowercases: try fields.bool("lowercase"))
  }

  private func sentencePieceNormalizer(_ fields: JSONFields) throws(KistError) -> SentencePieceNormalizer {
    var normalizer = SentencePieceNormalizer()
    normalizer.charsmap = try charsmap(fields, "precompiled_charsmap")
    normalizer.addsDummyPrefix = try fields.bool("add_dummy_prefix")
    normalizer.removesExtraWhitespaces = try fields.bool("remove_extra_whitespaces")
    normalizer.escapesWhitespaces = try fields.bool("escape_whitespaces")
    normalizer.treatsWhitespaceAsSuffix = try fields.bool("treat_whitespace_as_suffix")
    normalizer.userDefinedSymbols = try fields.elements("user_defined_symbols", rawBytes)
    return normalizer
  }
}

extension JSONFields {
  var unknownComponent: KistError {
    KistError(
      .unsupported, field: place("type"),
      "is '\((try? string("type")) ?? "")', a component that tokenizers does not have")
  }
}
