import KistCore

/// A SentencePiece model file as a definition. Source: sentencepiece, `model_interface.cc`, `sentencepiece_processor.cc`.
package enum SentencePieceFile {
  /// The checks are the library's, and its words where they are clear.
  ///
  /// - Throws: `damaged` or `unsupported`, naming the piece or the field.
  package static func read(_ bytes: [UInt8]) throws(KistError) -> TokenizerDefinition {
    var model = try SentencePieceModel(bytes)
    guard !model.pieces.isEmpty else { throw KistError(.damaged, field: "pieces", "are missing") }
    guard !model.denormalizes else {
      throw KistError(.unsupported, field: "denormalizer_spec", "has a character map, which is not supported")
    }
    let vocabulary = try self.vocabulary(&model)
    try checkBytes(model)
    let unknown = model.pieces.firstIndex { $0.kind == .unknown }.map { UInt32($0) }
    model.normalizer.userDefinedSymbols = model.pieces.filter { $0.kind == .userDefined }.map(\.bytes)
    var definition = TokenizerDefinition(
      reference: .sentencePiece, normalizer: .sentencePiece(model.normalizer),
      model: try modelDefinition(model, vocabulary: vocabulary, unknown: unknown),
      decoder: .sentencePiece(
        addsDummyPrefix: model.normalizer.addsDummyPrefix,
        removesExtraWhitespaces: model.normalizer.removesExtraWhitespaces, unknownSurface: model.unknownSurface))
    definition.addedTokens = controls(model)
    return definition
  }

  /// All pieces but those that the library leaves out: `\0` in models that fall back to bytes.
  private static func vocabulary(_ model: inout SentencePieceModel) throws(KistError) -> Vocabulary {
    var table = TokenTable(count: model.pieces.count)
    for (id, piece) in model.pieces.enumerated() {
      guard !piece.bytes.isEmpty else { throw KistError(.damaged, field: "pieces[\(id)]", "is empty") }
      guard piece.bytes.count < 8000 else { throw KistError(.damaged, field: "pieces[\(id)]", "is too long") }
      if piece.bytes == [0], model.byteFallback || piece.kind == .unused {
        model.pieces[id].kind = .unused
        continue
      }
      guard !piece.bytes.contains(0) else {
        throw KistError(.damaged, field: "pieces[\(id)]", "contains a null character")
      }
      if let other = table.insert(piece.bytes, id: UInt32(truncatingIfNeeded: id)) {
        throw KistError(.damaged, field: "pieces[\(id)]", "'\(table.name(other))' is already defined")
      }
    }
    return try table.vocabulary("pieces")
  }

  private static func checkBytes(_ model: SentencePieceModel) throws(KistError) {
    var found = [Bool](repeating: false, count: 256)
    var unknownCount = 0
    for (id, piece) in model.pieces.enumerated() {
      if piece.kind == .unknown { unknownCount += 1 }
      guard piece.kind == .byte else { continue }
      guard model.byteFallback else {
        throw KistError(.damaged, field: "pieces[\(id)]", "is a byte, but trainer_spec.byte_fallback is false")
      }
      guard let byte = byteValue(piece.bytes) else {
        throw KistError(.damaged, field: "pieces[\(id)]", "is a byte, but not of the form <0x00>")
      }
      found[Int(byte)] = true
    }
    guard unknownCount <= 1 else { throw KistError(.damaged, field: "pieces", "have more than one unknown piece") }
    guard unknownCount == 1 || model.byteFallback else {
      throw KistError(.damaged, field: "pieces", "have no unknown piece")
    }
    guard !model.byteFallback || !found.contains(false) else {
      throw KistError(
        .damaged, field: "pieces", "lack some of the 256 bytes, though trainer_spec.byte_fallback is true")
    }
  }

  /// `<0x41>`, with capital digits only, as the library knows them.
  private static func byteValue(_ piece: [UInt8]) -> UInt8? {
    guard piece.count == 6, piece.starts(with: "<0x".utf8), piece[5] == UInt8(ascii: ">") else { return nil }
    let digits = Array("0123456789ABCDEF".utf8)
    guard let high = digits.firstIndex(of: piece[3]), let low = digits.firstIndex(of: piece[4]) else { return nil }
    return UInt8(16 * high + low)
  }

  private static func modelDefinition(
    _ model: SentencePieceModel, vocabulary: Vocabulary, unknown: UInt32?
  ) throws(KistError) -> ModelDefinition {
    switch model.algorithm {
    case .bpe:
      var bpe = BPEDefinition(vocabulary: vocabulary, merges: .byScore(model.pieces.map(\.score)))
      bpe.unknown = unknown
      bpe.byteFallback = model.byteFallback
      bpe.kinds = model.pieces.map(\.kind)
      return .bpe(bpe)
    case .unigram:
      let pieces = vocabulary.tokens.map { model.pieces[Int($0.id)] }
      var unigram = UnigramDefinition(
        vocabulary: vocabulary, scores: pieces.map { Double($0.score) }, unknown: unknown)
      unigram.byteFallback = model.byteFallback
      unigram.kinds = pieces.map(\.kind)
      return .unigram(unigram)
    case .word, .character:
      throw KistError(
        .unsupported, field: "trainer_spec.model_type", "is \(model.algorithm == .word ? "WORD" : "CHAR")",
        advice: "Kist knows BPE and UNIGRAM")
    }
  }

  /// Control pieces, which text never gives. (User-defined ones are no added tokens: the normalizer and the model find them in the text.)
  private static func controls(_ model: SentencePieceModel) -> [AddedToken] {
    model.pieces.enumerated().filter { $0.element.kind == .control }.map { id, piece in
      var token = AddedToken(content: piece.bytes, id: UInt32(id))
      token.isNormalized = false
      token.isSpecial = true
      return token
    }
  }
}
