import KistCore

extension Tokenizer {
  /// What the caller decides about an encoding.
  public struct EncodingSettings: Sendable {
    /// What special tokens that stand in the text are: in text that others wrote, parsing them lets its writer end the prompt.
    public enum SpecialTokens: Sendable {
      case parsed
      case text
    }

    /// Whether the post-processor puts its tokens around the ids.
    public enum Additions: Sendable {
      case added
      case none
    }

    public var specialTokens: SpecialTokens
    public var additions: Additions

    public init(specialTokens: SpecialTokens, additions: Additions) {
      self.specialTokens = specialTokens
      self.additions = additions
    }
  }

  /// What the library that the file belongs to does by default.
  public var referenceSettings: EncodingSettings {
    // llama.cpp leaves it to its caller; its programs parse them.
    let parses = pipeline.reference == .tokenizers || pipeline.reference == .llamaCPP
    return EncodingSettings(specialTokens: parses ? .parsed : .text, additions: .added)
  }

  /// The ids of a text.
  ///
  /// - Parameter text: UTF-8; each part of it that is not becomes U+FFFD.
  /// - Throws: `invalid` when a part of the text has no token and there is no unknown token; `unsupported` when a pattern exceeds the
  ///   limits of matching.
  /// - Complexity: linear in the text, but for single pieces of many kilobytes: O(n log n).
  public func encode(_ text: [UInt8], _ settings: EncodingSettings) throws(KistError) -> [UInt32] {
    let scratch = try scratches.take()
    defer { scratches.give(scratch) }
    var ids: [UInt32] = []
    try append(UTF8Repair.repaired(text), settings, to: &ids, scratch)
    let addsSpecialTokens = settings.additions == .added
    if postProcessor.keepsIDs(addingSpecialTokens: addsSpecialTokens) { return ids }
    return try postProcessor.process(ids, addsSpecialTokens: addsSpecialTokens).ids
  }

  /// The ids of a text, or of two one after the other, as encoders of pairs want it: with types, and cut to a length.
  ///
  /// - Throws: As ``encode(_:_:)``; `invalid` when truncation leaves no room, or can't cut the text that it may.
  public func modelInput(
    _ first: [UInt8], and second: [UInt8]? = nil, _ settings: EncodingSettings, truncation: Truncation? = nil
  ) throws(KistError) -> ModelInput {
    let scratch = try scratches.take()
    defer { scratches.give(scratch) }
    var (ids, others): ([UInt32], [UInt32]) = ([], [])
    try append(UTF8Repair.repaired(first), settings, to: &ids, scratch)
    if let second { try append(UTF8Repair.repaired(second), settings, to: &others, scratch) }
    let adds = settings.additions == .added
    guard let truncation else {
      return ModelInput(try postProcessor.process(ids, and: second == nil ? nil : others, addsSpecialTokens: adds))
    }
    let room = try truncation.room(
      besides: adds ? postProcessor.addedTokenCount(isPair: second != nil) : 0)
    guard second == nil else {
      let (firstCount, secondCount) = try truncation.counts(ids.count, others.count, room: room)
      return ModelInput(
        try postProcessor.process(
          truncation.cut(ids, to: firstCount), and: truncation.cut(others, to: secondCount), addsSpecialTokens: adds))
    }
    var windows = try truncation.windows(of: ids.count, room: room).map { window throws(KistError) in
      ModelInput(try postProcessor.process(Array(ids[window]), addsSpecialTokens: adds))
    }
    var input = windows.removeFirst()
    input.overflow = windows
    return input
  }

  /// What the file says about truncation; nothing is cut unless it is asked for.
  public var fileTruncation: Truncation? { pipeline.truncation }

  /// What the file says about padding; nothing is filled up unless it is asked for.
  public var filePadding: Padding? { pipeline.padding }

  /// Appends the ids of valid UTF-8: added tokens of the raw text, and what lies between.
  private func append(
    _ text: [UInt8], _ settings: EncodingSettings, to ids: inout [UInt32], _ scratch: TokenizerScratch
  ) throws(KistError) {
    guard !addedTokens.raw.isEmpty else {
      return try appendNormalized(text, isFirst: true, settings, to: &ids, scratch)
    }
    for segment in try Self.segments(of: text, addedTokens.raw, settings) {
      if let id = segment.id {
        ids.append(id)
      } else {
        let part = segment.range.count == text.count ? text : Array(text[segment.range])
        try appendNormalized(part, isFirst: segment.range.lowerBound == 0, settings, to: &ids, scratch)
      }
    }
  }

  /// Appends the ids of a part between added tokens: normalized, with the added tokens of the normalized text.
  private func appendNormalized(
    _ part: [UInt8], isFirst: Bool, _ settings: EncodingSettings, to ids: inout [UInt32], _ scratch: TokenizerScratch
  ) throws(KistError) {
    var text = NormalizedText(bytes: part, beginsAtOrigin: isFirst)
    try normalizer?.apply(to: &text)
    guard !addedTokens.normalized.isEmpty else { return try appendPieces(text, to: &ids, scratch) }
    for segment in try Self.segments(of: text.bytes, addedTokens.normalized, settings) {
      if let id = segment.id {
        ids.append(id)
      } else {
        let beginsAtOrigin = text.beginsAtOrigin && segment.range.lowerBound == 0
        try appendPieces(
          NormalizedText(bytes: Array(text.bytes[segment.range]), beginsAtOrigin: beginsAtOrigin), to: &ids, scratch)
      }
    }
  }

  private func appendPieces(
    _ text: NormalizedText, to ids: inout [UInt32], _ scratch: TokenizerScratch
  ) throws(KistError) {
    let count = ids.count
    if let scanner = preTokenizer?.soleScanner, case .bpe(let bpe) = model {
      bpe.encode(text.bytes, cutBy: scanner, into: &ids, scratch)
    } else {
      var pieces = Pieces(text)
      try preTokenizer?.apply(to: &pieces)
      try model.encode(pieces, into: &ids, scratch)
    }
    guard lacksUnknown, ids[count...].contains(ModelDefinition.absentUnknown) else { return }
    throw KistError(
      .invalid, field: "text", "has a part that is no token, and the unknown token is not in the vocabulary",
      advice: "the library that the file belongs to fails here too")
  }

  private static func segments(
    of text: [UInt8], _ finder: AddedTokenFinder, _ settings: EncodingSettings
  ) throws(KistError) -> [Segment] {
    unsafe try text.withUnsafeBufferPointer { (bytes) throws(KistError) in
      unsafe try finder.segments(of: UnsafeRawBufferPointer(bytes), parsesSpecial: settings.specialTokens == .parsed)
    }
  }
}

// MARK: - How a word is merged

extension Tokenizer {
  /// One piece of a text, and how its symbols were merged.
  public struct MergedPiece: Sendable {
    /// The piece's bytes.
    public var bytes: [UInt8]
    /// The symbols at first, and after each merge.
    public var steps: [(symbols: [[UInt8]], rank: Int?)]
  }

  /// How the pieces of a text are merged, step by step.
  ///
  /// - Throws: `unsupported` for a model without merges.
  public func mergeSteps(of text: [UInt8]) throws(KistError) -> [MergedPiece] {
    guard case .bpe(let bpe) = model else {
      throw KistError(.unsupported, "a \(modelName) model has no merges")
    }
    var normalized = NormalizedText(bytes: UTF8Repair.repaired(text))
    try normalizer?.apply(to: &normalized)
    var pieces = Pieces(normalized)
    try preTokenizer?.apply(to: &pieces)
    return pieces.ranges.map { range in
      let piece = Array(pieces.bytes[range])
      let trace = bpe.mergeSteps(of: piece)
      return MergedPiece(
        bytes: piece, steps: [(trace.symbols, nil)] + trace.steps.map { ($0.symbols, Int($0.rank)) })
    }
  }
}
