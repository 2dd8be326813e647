extension ComponentWriter {
  mutating func normalizer(_ normalizer: Normalizer) {
    switch normalizer {
    case .sequence(let normalizers):
      component("Sequence", [("normalizers", Self.list(normalizers) { $0.normalizer($1) })])
    case .nfc: component("NFC")
    case .nfd: component("NFD")
    case .nfkc: component("NFKC")
    case .nfkd: component("NFKD")
    case .lowercase: component("Lowercase")
    case .nmt: component("Nmt")
    case .byteLevel: component("ByteLevel")
    case .stripAccents: component("StripAccents")
    case .strip(let left, let right):
      component("Strip", [("strip_left", Self.bool(left)), ("strip_right", Self.bool(right))])
    case .bert(let cleanText, let handlesChineseCharacters, let stripsAccents, let lowercases):
      component(
        "BertNormalizer",
        [
          ("clean_text", Self.bool(cleanText)), ("handle_chinese_chars", Self.bool(handlesChineseCharacters)),
          ("strip_accents", Self.bool(stripsAccents)), ("lowercase", Self.bool(lowercases)),
        ])
    case .precompiled(let charsmap): component("Precompiled", [("precompiled_charsmap", Self.charsmap(charsmap))])
    case .replace(let pattern, let content): replace(pattern, content)
    case .prepend(let prefix): component("Prepend", [("prepend", Self.bytes(prefix))])
    case .sentencePiece(let normalizer): sentencePiece(normalizer)
    case .llamaBert(let stripsAccents, let lowercases):
      component(
        NormalizerWord.llamaBert.rawValue,
        [("strip_accents", Self.bool(stripsAccents)), ("lowercase", Self.bool(lowercases))])
    }
  }

  private mutating func sentencePiece(_ normalizer: SentencePieceNormalizer) {
    component(
      NormalizerWord.sentencePiece.rawValue,
      [
        ("precompiled_charsmap", Self.charsmap(normalizer.charsmap)),
        ("add_dummy_prefix", Self.bool(normalizer.addsDummyPrefix)),
        ("remove_extra_whitespaces", Self.bool(normalizer.removesExtraWhitespaces)),
        ("escape_whitespaces", Self.bool(normalizer.escapesWhitespaces)),
        ("treat_whitespace_as_suffix", Self.bool(normalizer.treatsWhitespaceAsSuffix)),
        ("user_defined_symbols", Self.list(normalizer.userDefinedSymbols) { $0.bytes($1) }),
      ])
  }

  private mutating func replace(_ pattern: Pattern, _ content: [UInt8]) {
    component("Replace", [("pattern", { $0.pattern(pattern) }), ("content", Self.bytes(content))])
  }

  private mutating func pattern(_ pattern: Pattern) {
    switch pattern {
    case .literal(let bytes): object([("String", Self.bytes(bytes))])
    case .regex(let regex, .oniguruma): object([("Regex", Self.string(regex))])
    case .regex(let regex, let dialect):
      object([("Regex", Self.string(regex)), ("dialect", Self.string(dialect.rawValue))])
    }
  }

  mutating func preTokenizer(_ preTokenizer: PreTokenizer) {
    switch preTokenizer {
    case .sequence(let preTokenizers):
      component("Sequence", [("pretokenizers", Self.list(preTokenizers) { $0.preTokenizer($1) })])
    case .bert: component("BertPreTokenizer")
    case .byteLevel(let addsPrefixSpace, let usesRegex): byteLevel(addsPrefixSpace, usesRegex)
    case .charDelimiterSplit(let delimiter): component("CharDelimiterSplit", [("delimiter", Self.scalar(delimiter))])
    case .metaspace(let metaspace): self.metaspace(metaspace)
    case .whitespace: component("Whitespace")
    case .whitespaceSplit: component("WhitespaceSplit")
    case .split(let pattern, let behavior, let inverted):
      component(
        "Split",
        [
          ("pattern", { $0.pattern(pattern) }), ("behavior", Self.string(behavior.rawValue)),
          ("invert", Self.bool(inverted)),
        ])
    case .punctuation(let behavior): component("Punctuation", [("behavior", Self.string(behavior.rawValue))])
    case .digits(let individual): component("Digits", [("individual_digits", Self.bool(individual))])
    case .unicodeScripts: component("UnicodeScripts")
    case .fixedLength(let length): component("FixedLength", [("length", Self.number(length))])
    }
  }

  private mutating func byteLevel(_ addsPrefixSpace: Bool, _ usesRegex: Bool) {
    component(
      "ByteLevel",
      [
        ("add_prefix_space", Self.bool(addsPrefixSpace)), ("trim_offsets", Self.bool(true)),
        ("use_regex", Self.bool(usesRegex)),
      ])
  }

  private mutating func metaspace(_ metaspace: Metaspace) {
    component(
      "Metaspace",
      [
        ("replacement", Self.scalar(metaspace.replacement)),
        ("prepend_scheme", Self.string(metaspace.prependScheme.rawValue)), ("split", Self.bool(metaspace.splits)),
      ])
  }

  mutating func decoder(_ decoder: Decoder) {
    switch decoder {
    case .sequence(let decoders): component("Sequence", [("decoders", Self.list(decoders) { $0.decoder($1) })])
    case .bpe(let suffix): component("BPEDecoder", [("suffix", Self.bytes(suffix))])
    case .byteLevel: byteLevel(true, true)
    case .wordPiece(let prefix, let cleansUp):
      component("WordPiece", [("prefix", Self.bytes(prefix)), ("cleanup", Self.bool(cleansUp))])
    case .metaspace(let metaspace): self.metaspace(metaspace)
    case .ctc(let padToken, let wordDelimiter, let cleansUp):
      component(
        "CTC",
        [
          ("pad_token", Self.bytes(padToken)), ("word_delimiter_token", Self.bytes(wordDelimiter)),
          ("cleanup", Self.bool(cleansUp)),
        ])
    case .replace(let pattern, let content): replace(pattern, content)
    case .fuse: component("Fuse")
    case .strip(let content, let start, let stop):
      component(
        "Strip", [("content", Self.scalar(content)), ("start", Self.number(start)), ("stop", Self.number(stop))])
    case .byteFallback: component("ByteFallback")
    case .sentencePiece(let addsDummyPrefix, let removesExtraWhitespaces, let unknownSurface):
      component(
        DecoderWord.sentencePiece.rawValue,
        [
          ("add_dummy_prefix", Self.bool(addsDummyPrefix)),
          ("remove_extra_whitespaces", Self.bool(removesExtraWhitespaces)), ("unk_surface", Self.bytes(unknownSurface)),
        ])
    case .bytes: component(DecoderWord.bytes.rawValue)
    }
  }
}
