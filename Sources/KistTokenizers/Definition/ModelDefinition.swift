/// How pieces of text become ids. Source: tokenizers, `models/`; sentencepiece, `bpe_model.cc`, `unigram_model.cc`; tiktoken, `lib.rs`.
package enum ModelDefinition: Sendable, Equatable {
  case bpe(BPEDefinition)
  case unigram(UnigramDefinition)
  case wordPiece(WordPieceDefinition)
  case wordLevel(vocabulary: Vocabulary, unknown: UInt32?)

  /// The id of an unknown token that the file names but its vocabulary lacks: text that needs it can't be encoded, which is an error
  /// then, not when the file is read, as in tokenizers.
  package static let absentUnknown = UInt32.max

  /// The id for what is no token.
  package var unknown: UInt32? {
    switch self {
    case .bpe(let bpe): bpe.unknown
    case .unigram(let unigram): unigram.unknown
    case .wordPiece(let wordPiece): wordPiece.unknown
    case .wordLevel(_, let unknown): unknown
    }
  }
}

/// Tokens by id. Ids may have gaps.
package struct Vocabulary: Sendable, Equatable {
  package struct Token: Sendable, Equatable {
    /// The token's bytes. With byte-level files, those of the file's own alphabet (`Ġ` for a space), as the file has them.
    package var bytes: [UInt8]
    package var id: UInt32

    package init(bytes: [UInt8], id: UInt32) {
      self.bytes = bytes
      self.id = id
    }
  }

  /// By id, ascending; no two of the same id or the same bytes.
  package var tokens: [Token]

  package init(tokens: [Token]) { self.tokens = tokens }
}

/// Byte pair encoding: pieces begin as characters (or bytes), and neighbours are merged, the lowest rank first, leftmost first.
package struct BPEDefinition: Sendable, Equatable {
  /// Which neighbours merge, and in what order.
  package enum Merges: Sendable, Equatable {
    /// Pairs of token ids, the first merged first.
    case pairs([Pair])
    /// Any two whose concatenation is a token, the highest score first (SentencePiece). By id.
    case byScore([Float])
    /// Any two whose concatenation is a token, the lowest id first (tiktoken): tokens are raw bytes, and their id is their rank.
    case byRank
  }

  package struct Pair: Sendable, Equatable {
    package var left: UInt32
    package var right: UInt32
    package var merged: UInt32

    package init(left: UInt32, right: UInt32, merged: UInt32) {
      self.left = left
      self.right = right
      self.merged = merged
    }
  }

  package var vocabulary: Vocabulary
  package var merges: Merges
  package var unknown: UInt32?
  package var continuingSubwordPrefix: [UInt8] = []
  package var endOfWordSuffix: [UInt8] = []
  package var fusesUnknown = false
  package var byteFallback = false
  package var ignoresMerges = false
  package var dropout: Double?
  /// By id, for SentencePiece's BPE; empty elsewhere.
  package var kinds: [PieceKind] = []

  package init(vocabulary: Vocabulary, merges: Merges) {
    self.vocabulary = vocabulary
    self.merges = merges
  }
}

/// What a piece of a SentencePiece model is. Raw values: sentencepiece_model.proto, `SentencePiece.Type`.
package enum PieceKind: UInt8, Sendable {
  case normal = 1
  case unknown = 2
  case control = 3
  case userDefined = 4
  case unused = 5
  case byte = 6
}

/// The most likely segmentation under a unigram language model, found by Viterbi's algorithm.
package struct UnigramDefinition: Sendable, Equatable {
  package var vocabulary: Vocabulary
  /// Log-probabilities, by position in the vocabulary.
  package var scores: [Double]
  package var unknown: UInt32?
  package var byteFallback = false
  /// By position, for SentencePiece's own files; empty for tokenizer.json.
  package var kinds: [PieceKind] = []
  /// As llama.cpp does it: pieces by their kinds, unused ones too, scores added as f64 and those of user-defined pieces 0.
  package var addsAsDouble = false

  package init(vocabulary: Vocabulary, scores: [Double], unknown: UInt32?) {
    self.vocabulary = vocabulary
    self.scores = scores
    self.unknown = unknown
  }
}

/// Greedy longest match first, a word at a time.
package struct WordPieceDefinition: Sendable, Equatable {
  package var vocabulary: Vocabulary
  package var unknown: UInt32
  package var continuingSubwordPrefix: [UInt8] = Array("##".utf8)
  /// Longer words are unknown.
  package var maximumCharactersPerWord = 100

  package init(vocabulary: Vocabulary, unknown: UInt32) {
    self.vocabulary = vocabulary
    self.unknown = unknown
  }
}
