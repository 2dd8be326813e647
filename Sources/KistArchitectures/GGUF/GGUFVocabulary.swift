/// How llama.cpp's converter writes the tokenizer of a family's models, where their files leave a choice.
/// Source: llama.cpp, the classes of conversion/, set_vocab.
public struct GGUFVocabulary: Sendable {
  /// Whether a SentencePiece model beside tokenizer.json is the one that counts.
  public var prefersPieces = false
  /// What `tokenizer.ggml.pre` is called, of several names that cut text in the same way.
  public var preTokenizer: String
  /// `tokenizer.ggml.add_space_prefix`.
  public var spacePrefix = SpacePrefix.unsaid
  /// Keys of special tokens that the family has at fixed places.
  public var fixedTokens: [(key: String, id: UInt32)] = []
  /// Where `tokenizer.ggml.token_type_count` stands; encoders have it.
  public var tokenTypeCount: Place?

  public enum SpacePrefix: Sendable { case unsaid, asConfigured, never }
  public enum Place: Sendable { case first, afterSpacePrefix, last }

  init(_ preTokenizer: String) { self.preTokenizer = preTokenizer }

  /// Byte pair encoding with merges, unless there is nothing but a SentencePiece model.
  static func merges(_ preTokenizer: String) -> GGUFVocabulary { GGUFVocabulary(preTokenizer) }

  /// SentencePiece's model where there is one.
  static func pieces(
    orMerges preTokenizer: String = "default", space: SpacePrefix = .unsaid, tokens: [(key: String, id: UInt32)] = []
  ) -> GGUFVocabulary {
    var vocabulary = GGUFVocabulary(preTokenizer)
    vocabulary.prefersPieces = true
    vocabulary.spacePrefix = space
    vocabulary.fixedTokens = tokens
    return vocabulary
  }

  static func encoder(_ preTokenizer: String, types: Place) -> GGUFVocabulary {
    var vocabulary = GGUFVocabulary(preTokenizer)
    vocabulary.tokenTypeCount = types
    return vocabulary
  }
}
