import KistCore

/// Tokens by id, with their types and scores, as a GGUF lists them.
struct GGUFVocabularyTokens {
  var texts: [[UInt8]]
  /// `llama_token_type` of llama.h.
  var kinds: [Int32]
  /// Of SentencePiece models.
  var scores: [Float] = []

  private static let marker: [UInt8] = [0xE2, 0x96, 0x81]

  /// Of tokenizer.json and its like. Source: llama.cpp, conversion/base.py, `get_vocab_base`.
  ///
  /// - Parameter size: how many there are; those that are missing are padding.
  init(_ vocabulary: Vocabulary, _ added: [AddedToken], size: Int) throws(KistError) {
    self.init(padding: size)
    for token in vocabulary.tokens {
      try check(token.id, token.bytes)
      texts[Int(token.id)] = token.bytes
      kinds[Int(token.id)] = GGUFTokens.Kind.normal.number
    }
    for token in added {
      try check(token.id, token.content)
      let isControl = token.isSpecial || Self.looksSpecial(token.content)
      // llama.cpp finds what is to be shown as it stands in the text.
      texts[Int(token.id)] = isControl ? token.content : Self.withSpaces(token.content)
      kinds[Int(token.id)] = (isControl ? GGUFTokens.Kind.control : .userDefined).number
    }
  }

  /// Of a SentencePiece model and the files beside it. Source: llama.cpp, conversion/base.py, `_create_vocab_sentencepiece`.
  init(_ model: SentencePieceModel, _ files: TokenizerFiles, size: Int) throws(KistError) {
    self.init(padding: size)
    scores = [Float](repeating: -10000, count: size)
    for (id, piece) in model.pieces.prefix(size).enumerated() {
      texts[id] = piece.bytes
      scores[id] = piece.score
      // A piece that the user defined is found in the text like any other.
      kinds[id] = piece.kind == .userDefined ? GGUFTokens.Kind.normal.number : Int32(piece.kind.rawValue)
    }
    if let root = try files.json("added_tokens.json") {
      for (content, value) in root.members ?? [] {
        guard let id = value.int, (0..<size).contains(id) else { continue }
        set(id, Array(content.utf8), .userDefined)
      }
    }
    guard let root = try files.json("tokenizer_config.json")?["added_tokens_decoder"] else { return }
    for (name, value) in root.members ?? [] {
      guard let id = Int(name), (0..<size).contains(id), let text = value["content"]?.string else { continue }
      let content = Array(text.utf8)
      if value["special"]?.bool == true || Self.looksSpecial(content) {
        set(id, content, .control)
      } else {
        set(id, Self.withSpaces(content), .userDefined)
      }
    }
  }

  private init(padding size: Int) {
    texts = (0..<size).map { Array("[PAD\($0)]".utf8) }
    kinds = [Int32](repeating: GGUFTokens.Kind.unused.number, count: size)
  }

  private mutating func set(_ id: Int, _ text: [UInt8], _ kind: GGUFTokens.Kind) {
    texts[id] = text
    kinds[id] = kind.number
    scores[id] = -1000
  }

  private func check(_ id: UInt32, _ text: [UInt8]) throws(KistError) {
    guard Int(id) < texts.count else {
      throw KistError(
        .damaged, field: "tokenizer",
        "'\(String(decoding: text, as: UTF8.self))' is token \(id), and the model has \(texts.count)")
    }
  }

  /// Gives `<0x0A>` and its like the type of bytes.
  mutating func markBytes() {
    for id in texts.indices where kinds[id] == GGUFTokens.Kind.normal.number && ByteToken.byte(of: texts[id]) != nil {
      kinds[id] = GGUFTokens.Kind.byte.number
    }
  }

  /// Spells word pieces as GGUF does.
  mutating func markBeginnings(continuing prefix: [UInt8]) {
    for id in texts.indices where kinds[id] != GGUFTokens.Kind.control.number {
      texts[id] = texts[id].starts(with: prefix) ? Array(texts[id].dropFirst(prefix.count)) : Self.marker + texts[id]
    }
  }

  /// Tokens that some models do not mark as special and mean so. Source: llama.cpp, `does_token_look_special`.
  private static func looksSpecial(_ content: [UInt8]) -> Bool {
    func has(_ start: String, _ end: String) -> Bool {
      content.starts(with: start.utf8) && content.suffix(end.utf8.count).elementsEqual(end.utf8)
    }
    return ["<pad>", "<mask>", "<2mass>", "[@BOS@]"].contains { content.elementsEqual($0.utf8) } || has("<|", "|>")
      || has("<｜", "｜>") || has("<unused", ">")
  }

  private static func withSpaces(_ content: [UInt8]) -> [UInt8] {
    guard content.contains(marker[0]) else { return content }
    return Array(String(decoding: content, as: UTF8.self).replacing("\u{2581}", with: " ").utf8)
  }
}

extension GGUFTokens.Kind {
  var number: Int32 { Int32(rawValue) }
}
