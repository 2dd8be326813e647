extension ComponentWriter {
  mutating func truncation(_ truncation: Truncation) {
    object([
      ("direction", Self.string(truncation.side.rawValue)), ("max_length", Self.number(truncation.maximumLength)),
      ("strategy", Self.string(truncation.strategy.rawValue)), ("stride", Self.number(truncation.stride)),
    ])
  }

  mutating func padding(_ padding: Padding) {
    let strategy: Write =
      if let length = padding.fixedLength {
        { $0.object([("Fixed", Self.number(length))]) }
      } else {
        Self.string("BatchLongest")
      }
    object([
      ("strategy", strategy), ("direction", Self.string(padding.side.rawValue)),
      ("pad_to_multiple_of", Self.number(padding.multipleOf)), ("pad_id", Self.number(padding.id)),
      ("pad_type_id", Self.number(padding.typeID)), ("pad_token", Self.bytes(padding.token)),
    ])
  }

  mutating func addedToken(_ token: AddedToken) {
    object([
      ("id", Self.number(token.id)), ("content", Self.bytes(token.content)),
      ("single_word", Self.bool(token.singleWord)), ("lstrip", Self.bool(token.stripsLeft)),
      ("rstrip", Self.bool(token.stripsRight)), ("normalized", Self.bool(token.isNormalized)),
      ("special", Self.bool(token.isSpecial)),
    ])
  }

  /// All parts but the model, in the library's order, without the braces around them.
  static func pipelineMembers(
    _ definition: TokenizerDefinition, nameOf: @escaping (UInt32) -> [UInt8]?
  ) -> [(String, Write)] {
    [
      ("truncation", optional(definition.truncation) { $0.truncation($1) }),
      ("padding", optional(definition.padding) { $0.padding($1) }),
      ("added_tokens", list(definition.addedTokens) { $0.addedToken($1) }),
      ("normalizer", optional(definition.normalizer) { $0.normalizer($1) }),
      ("pre_tokenizer", optional(definition.preTokenizer) { $0.preTokenizer($1) }),
      ("post_processor", optional(definition.postProcessor) { $0.postProcessor($1, nameOf: nameOf) }),
      ("decoder", optional(definition.decoder) { $0.decoder($1) }),
    ]
  }
}
