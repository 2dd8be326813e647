import KistCheckpoints
import KistCore

/// The `tokenizer.ggml.…` keys of a GGUF, read by the types that llama.cpp asks for.
struct GGUFTokenizerKeys {
  let file: GGUFFile

  init(_ file: GGUFFile) { self.file = file }

  private static let prefix = "tokenizer.ggml."

  func item(_ name: String) -> GGUFHeader.Item? { file.header.item(Self.prefix + name) }

  func text(_ name: String) throws(KistError) -> String? { try text(key: Self.prefix + name) }

  func text(key: String) throws(KistError) -> String? {
    guard let value = try file.value(key, atMost: 0) else { return nil }
    guard case .string(let bytes) = value, let text = String(validating: bytes, as: UTF8.self) else {
      throw KistError(.damaged, field: "key '\(key)'", "is no text")
    }
    return text
  }

  func flag(_ name: String) throws(KistError) -> Bool? {
    guard let value = try file.value(Self.prefix + name, atMost: 0) else { return nil }
    guard case .bool(let flag) = value else { throw damage(name, "is of type \(value.type.name), not bool") }
    return flag
  }

  /// The id of a token that plays a part; nil when the key is not there.
  func id(_ name: String) throws(KistError) -> UInt32? {
    guard let value = try file.value(Self.prefix + name, atMost: 0) else { return nil }
    guard case .uint32(let id) = value else { throw damage(name, "is of type \(value.type.name), not u32") }
    return id
  }

  func damage(_ name: String, _ problem: String) -> KistError {
    KistError(.damaged, field: "key '\(Self.prefix)\(name)'", problem)
  }
}

/// The tokens of a GGUF by id, with their types.
struct GGUFTokens {
  /// Raw values: `llama_token_type` of llama.h.
  enum Kind: UInt8 {
    case undefined = 0
    case normal, unknown, control, userDefined, unused, byte
  }

  private(set) var texts: [[UInt8]] = []
  /// As the file has them, with what llama.cpp changes (``GGUFAddedTokens``) not yet changed.
  private(set) var kinds: [Kind] = []
  /// By text.
  private(set) var ids: [[UInt8]: UInt32] = [:]

  init(_ keys: GGUFTokenizerKeys) throws(KistError) {
    guard let item = keys.item("tokens") else { throw keys.damage("tokens", "is not there") }
    var texts: [[UInt8]] = []
    try unsafe keys.file.forEachString(of: item) { text throws(KistError) in
      texts.append(unsafe text.isEmpty ? Array("[EMPTY_\(texts.count)]".utf8) : [UInt8](text))
    }
    guard texts.count <= Int(TokenTable.maximumID) else {
      throw KistError(.unsupported, field: "key 'tokenizer.ggml.tokens'", "has \(texts.count) tokens, too many")
    }
    self.texts = texts
    ids.reserveCapacity(texts.count)
    for (id, text) in texts.enumerated() {
      if let other = ids.updateValue(UInt32(id), forKey: text) {
        throw keys.damage("tokens", "'\(String(decoding: text, as: UTF8.self))' is both token \(other) and token \(id)")
      }
    }
    kinds = try Self.kinds(keys, count: texts.count)
  }

  private static func kinds(_ keys: GGUFTokenizerKeys, count: Int) throws(KistError) -> [Kind] {
    guard let item = keys.item("token_type") else { return [Kind](repeating: .normal, count: count) }
    let numbers = try keys.file.integers(of: item)
    guard numbers.count >= count, item.elements?.type == .int32 else {
      throw keys.damage("token_type", "has \(numbers.count) types for \(count) tokens, or they are not i32")
    }
    return numbers.prefix(count).map { UInt8(exactly: $0).flatMap(Kind.init(rawValue:)) ?? .undefined }
  }

  /// Scores by id; zeros when the file has none.
  func scores(_ keys: GGUFTokenizerKeys) throws(KistError) -> [Float] {
    guard let item = keys.item("scores") else { return [Float](repeating: 0, count: texts.count) }
    let isInteger = item.elements?.type == .int32
    let scores = try isInteger ? keys.file.integers(of: item).map { Float($0) } : keys.file.floats(of: item)
    guard scores.count >= texts.count else {
      throw keys.damage("scores", "has \(scores.count) scores for \(texts.count) tokens")
    }
    return Array(scores.prefix(texts.count))
  }

  func vocabulary() -> Vocabulary {
    Vocabulary(tokens: texts.enumerated().map { Vocabulary.Token(bytes: $1, id: UInt32($0)) })
  }

  /// WordPiece's tokens as Hugging Face writes them: what begins a word as it is, what goes on with `##` before it.
  ///
  /// - Throws: `unsupported` when a word may begin with nothing but its mark.
  func wordPieces() throws(KistError) -> Vocabulary {
    let marker: [UInt8] = [0xE2, 0x96, 0x81]
    guard ids[marker] == nil else {
      throw KistError(
        .unsupported, field: "key 'tokenizer.ggml.tokens'", "has '▁' alone, which begins any word in llama.cpp")
    }
    var seen: Set<[UInt8]> = []
    let tokens = try texts.enumerated().map { id, text throws(KistError) in
      let spelled: [UInt8] =
        kinds[id] != .normal
        ? text : text.starts(with: marker) ? Array(text.dropFirst(marker.count)) : Array("##".utf8) + text
      guard seen.insert(spelled).inserted else {
        throw KistError(
          .unsupported, field: "key 'tokenizer.ggml.tokens'",
          "'\(String(decoding: text, as: UTF8.self))' can't be told from another token")
      }
      return Vocabulary.Token(bytes: spelled, id: UInt32(id))
    }
    return Vocabulary(tokens: tokens)
  }
}

extension PieceKind {
  /// Undefined counts as control: text never gives it.
  init(_ kind: GGUFTokens.Kind) { self = PieceKind(rawValue: kind.rawValue) ?? .control }
}

/// The merges of a GGUF.
enum GGUFMerges {
  /// Pairs in the order of the file; of those that repeat the first counts, as in llama.cpp.
  ///
  /// - Throws: `damaged` for text that is no pair; `unsupported` when a part or the whole is no token, which llama.cpp takes apart again.
  static func pairs(_ keys: GGUFTokenizerKeys, _ tokens: GGUFTokens) throws(KistError) -> [BPEDefinition.Pair] {
    guard let item = keys.item("merges") else { throw keys.damage("merges", "is not there") }
    var pairs: [BPEDefinition.Pair] = []
    var seen: Set<UInt64> = []
    var number = 0
    try unsafe keys.file.forEachString(of: item) { text throws(KistError) in
      number += 1
      guard let pair = unsafe Self.pair(text, tokens) else {
        throw KistError(
          .unsupported, field: "key 'tokenizer.ggml.merges'",
          "number \(number), '\(unsafe String(decoding: text, as: UTF8.self))', is no pair of tokens that make a third")
      }
      if seen.insert(UInt64(pair.left) << 32 | UInt64(pair.right)).inserted { pairs.append(pair) }
    }
    return pairs
  }

  /// The first space after the first byte parts the two.
  private static func pair(_ text: UnsafeRawBufferPointer, _ tokens: GGUFTokens) -> BPEDefinition.Pair? {
    guard let space = unsafe text.dropFirst().firstIndex(of: 0x20) else { return nil }
    let (left, right) = unsafe ([UInt8](text[..<space]), [UInt8](text[(space + 1)...]))
    guard let leftID = tokens.ids[left], let rightID = tokens.ids[right], let merged = tokens.ids[left + right] else {
      return nil
    }
    return BPEDefinition.Pair(left: leftID, right: rightID, merged: merged)
  }
}
