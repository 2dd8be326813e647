import KistCore

extension Tokenizer {
  /// Whether the library that the file belongs to leaves special tokens out by default.
  public var referenceSkipsSpecialTokens: Bool { pipeline.reference == .tokenizers }

  /// The text of ids, in UTF-8; bytes that are none become U+FFFD.
  ///
  /// Ids that no token has are left out, as Hugging Face's tokenizers does; with SentencePiece and tiktoken they are errors, as there.
  public func decode(_ ids: [UInt32], skippingSpecialTokens: Bool) throws(KistError) -> [UInt8] {
    if usesRawBytes, pipeline.decoder == .byteLevel {
      return UTF8Repair.repaired(try rawBytes(of: ids, skippingSpecialTokens))
    }
    var tokens: [[UInt8]] = []
    var tokenKinds: [PieceKind] = []
    for id in ids {
      if skippingSpecialTokens, addedTokens.token(of: id)?.isSpecial == true { continue }
      guard let token = token(id) else {
        if pipeline.reference == .tokenizers { continue }
        throw unknownID(id)
      }
      tokens.append(token)
      if kinds.count > 0 { tokenKinds.append(PieceKind(rawValue: kinds[Int(id)]) ?? .normal) }
    }
    return try decoder.decode(tokens, kinds: tokenKinds)
  }

  /// The bytes of byte-level tokens, which are joined before they are taken for text.
  private func rawBytes(of ids: [UInt32], _ skipsSpecialTokens: Bool) throws(KistError) -> [UInt8] {
    var bytes: [UInt8] = []
    for id in ids {
      if let added = addedTokens.token(of: id) {
        if !(skipsSpecialTokens && added.isSpecial) {
          bytes += ByteAlphabet.bytes(ofSpelling: added.bytes) ?? added.bytes
        }
      } else {
        vocabulary.append(id, to: &bytes)
      }
    }
    return bytes
  }

  private func unknownID(_ id: UInt32) -> KistError {
    KistError(.invalid, field: "id \(id)", "no token has it", advice: "ids go from 0 to \(idCount - 1)")
  }

  /// The bytes that a token stands for in a text, where one token alone can tell: without what only its neighbours decide.
  public func surface(of id: UInt32) -> [UInt8] {
    if let added = addedTokens.token(of: id) { return added.bytes }
    let bytes = vocabulary.bytes(of: id)
    guard !usesRawBytes, let decoder = pipeline.decoder else { return bytes }
    return decoder.surface(of: bytes)
  }
}

extension Decoder {
  fileprivate func surface(of token: [UInt8]) -> [UInt8] {
    switch self {
    case .sequence(let parts): return parts.reduce(token) { $1.surface(of: $0) }
    case .byteLevel: return ByteAlphabet.bytes(ofSpelling: token) ?? token
    case .byteFallback: return ByteToken.byte(of: token).map { [$0] } ?? token
    case .sentencePiece:
      return ByteToken.byte(of: token).map { [$0] } ?? token.replacing(Array("\u{2581}".utf8), with: [0x20])
    case .metaspace(let metaspace):
      return token.replacing(Array(String(metaspace.replacement).utf8), with: [0x20])
    case .replace(.literal(let literal), let replacement): return token.replacing(literal, with: replacement)
    case .wordPiece(let prefix, _): return token.starts(with: prefix) ? Array(token.dropFirst(prefix.count)) : token
    case .bpe(let suffix): return token.replacing(suffix, with: [0x20])
    case .replace, .ctc, .fuse, .strip, .bytes: return token
    }
  }
}
