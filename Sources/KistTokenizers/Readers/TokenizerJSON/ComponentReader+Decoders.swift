import KistCore

/// Source: tokenizers, `decoders/mod.rs`; `SentencePiece` and `Bytes` are words of compiled tokenizers.
enum DecoderWord: String, CaseIterable {
  case bpe = "BPEDecoder"
  case byteLevel = "ByteLevel"
  case wordPiece = "WordPiece"
  case metaspace = "Metaspace"
  case ctc = "CTC"
  case sequence = "Sequence"
  case replace = "Replace"
  case fuse = "Fuse"
  case strip = "Strip"
  case byteFallback = "ByteFallback"
  case sentencePiece = "SentencePiece"
  case bytes = "Bytes"

  /// Those that need no `type`, in the library's order.
  static let guesses: [(DecoderWord, [String])] = [
    (.bpe, ["suffix"]), (.wordPiece, ["prefix", "cleanup"]),
    (.ctc, ["pad_token", "word_delimiter_token", "cleanup"]), (.replace, ["pattern", "content"]),
    (.strip, ["content", "start", "stop"]),
  ]
}

extension ComponentReader {
  func decoder(_ value: JSONValue, _ path: String) throws(KistError) -> Decoder {
    let fields = try JSONFields(value, path: path)
    switch try name(fields, guesses: DecoderWord.guesses) {
    case .bpe: return .bpe(suffix: try fields.bytes("suffix"))
    case .byteLevel:
      try checkByteLevel(fields)
      return .byteLevel
    case .wordPiece: return .wordPiece(prefix: try fields.bytes("prefix"), cleansUp: try fields.bool("cleanup"))
    case .metaspace: return .metaspace(try metaspace(fields))
    case .ctc:
      return .ctc(
        padToken: try fields.bytes("pad_token"), wordDelimiter: try fields.bytes("word_delimiter_token"),
        cleansUp: try fields.bool("cleanup"))
    case .sequence: return .sequence(try fields.elements("decoders", decoder))
    case .replace: return .replace(try pattern(fields), with: try fields.bytes("content"))
    case .fuse: return .fuse
    case .strip:
      return .strip(
        content: try fields.scalar("content"), start: try fields.count("start"), stop: try fields.count("stop"))
    case .byteFallback: return .byteFallback
    case .sentencePiece where readsCompiled:
      return .sentencePiece(
        addsDummyPrefix: try fields.bool("add_dummy_prefix"),
        removesExtraWhitespaces: try fields.bool("remove_extra_whitespaces"),
        unknownSurface: try rawBytes(fields.required("unk_surface"), fields.place("unk_surface")))
    case .bytes where readsCompiled: return .bytes
    case .sentencePiece, .bytes: throw fields.unknownComponent
    }
  }
}
