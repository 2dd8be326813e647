import KistCore

/// What a tokenizer is, as data: read from any of the formats that people have, before it is compiled.
///
/// ```
/// text ─ added tokens ─ normalizer ─ added tokens ─ pre-tokenizer ─ model ─ post-processor → ids
/// ids ─ tokens ─ decoder → text
/// ```
///
/// A definition is compiled into a ``TokenizerRecord``, which is what runs: from memory, or mapped from a container.
/// Components and their names are those of Hugging Face's tokenizers; SentencePiece and tiktoken files are described in the same words.
package struct TokenizerDefinition: Sendable, Equatable {
  /// The library whose ids are the right ones.
  package enum Reference: String, Sendable {
    case tokenizers
    case sentencePiece = "sentencepiece"
    case tiktoken
    case llamaCPP = "llama.cpp"
  }

  package var reference: Reference
  package var normalizer: Normalizer?
  package var preTokenizer: PreTokenizer?
  package var model: ModelDefinition
  package var postProcessor: PostProcessor?
  package var decoder: Decoder?
  package var addedTokens: [AddedToken]
  package var truncation: Truncation?
  package var padding: Padding?

  package init(
    reference: Reference, normalizer: Normalizer? = nil, preTokenizer: PreTokenizer? = nil, model: ModelDefinition,
    postProcessor: PostProcessor? = nil, decoder: Decoder? = nil, addedTokens: [AddedToken] = [],
    truncation: Truncation? = nil, padding: Padding? = nil
  ) {
    self.reference = reference
    self.normalizer = normalizer
    self.preTokenizer = preTokenizer
    self.model = model
    self.postProcessor = postProcessor
    self.decoder = decoder
    self.addedTokens = addedTokens
    self.truncation = truncation
    self.padding = padding
  }
}

/// A token that is found in the text itself, before the model sees it. Source: tokenizers, `added_vocabulary.rs`.
package struct AddedToken: Sendable, Equatable {
  package var content: [UInt8]
  package var id: UInt32
  /// Found only where no word character stands beside it.
  package var singleWord = false
  /// Takes the white space before it along.
  package var stripsLeft = false
  /// Takes the white space after it along.
  package var stripsRight = false
  /// Looked for in the normalized text, in its normalized form; else in the text as it came.
  package var isNormalized = true
  /// Left out when decoding without special tokens.
  package var isSpecial = false
  /// The white space that it takes along is ASCII's alone, as in llama.cpp.
  package var stripsASCIISpaceOnly = false
  /// A longer token that overlaps it is found instead, wherever it begins, as in llama.cpp. Of all tokens or none.
  package var yieldsToLonger = false

  package init(content: [UInt8], id: UInt32) {
    self.content = content
    self.id = id
  }
}

/// What a regular expression or a literal finds.
package enum Pattern: Sendable, Equatable {
  case literal([UInt8])
  case regex(String, RegexDialect)
}

/// Whose rules a regular expression is written by: classes and their Unicode version differ.
package enum RegexDialect: String, Sendable {
  /// tokenizers' `Regex`, through the onig crate, Ruby syntax with UTF-8.
  case oniguruma
  /// tiktoken's fancy-regex over Rust's regex.
  case rust
  /// Python's `regex` package (tekken, GPT-2's original encoder).
  case python
}

/// Source: tokenizers, `normalizers/`; the last case is sentencepiece's `normalizer.cc`.
package indirect enum Normalizer: Sendable, Equatable {
  case sequence([Normalizer])
  case nfc, nfd, nfkc, nfkd
  case lowercase
  case nmt
  case byteLevel
  case stripAccents
  case strip(left: Bool, right: Bool)
  case bert(cleanText: Bool, handlesChineseCharacters: Bool, stripsAccents: Bool?, lowercases: Bool)
  /// A compiled character map of SentencePiece.
  case precompiled(charsmap: [UInt8])
  case replace(Pattern, with: [UInt8])
  case prepend([UInt8])
  case sentencePiece(SentencePieceNormalizer)
  /// What llama.cpp does where the others have BertNormalizer: a scalar at a time. Source: llama-vocab.cpp, `llm_tokenizer_wpm_session`.
  case llamaBert(stripsAccents: Bool, lowercases: Bool)
}

/// SentencePiece's own normalizer, from a model's `NormalizerSpec`.
package struct SentencePieceNormalizer: Sendable, Equatable {
  package var charsmap: [UInt8] = []
  package var addsDummyPrefix = true
  package var removesExtraWhitespaces = true
  package var escapesWhitespaces = true
  package var treatsWhitespaceAsSuffix = false
  /// Found in the text, the longest first, and passed through as they are.
  package var userDefinedSymbols: [[UInt8]] = []

  package init() {}
}

/// Source: tokenizers, `pre_tokenizers/`.
package indirect enum PreTokenizer: Sendable, Equatable {
  case sequence([PreTokenizer])
  case bert
  case byteLevel(addsPrefixSpace: Bool, usesRegex: Bool)
  case charDelimiterSplit(Unicode.Scalar)
  case metaspace(Metaspace)
  case whitespace
  case whitespaceSplit
  case split(Pattern, SplitBehavior, inverted: Bool)
  case punctuation(SplitBehavior)
  case digits(individual: Bool)
  case unicodeScripts
  case fixedLength(Int)
}

package struct Metaspace: Sendable, Equatable {
  package enum PrependScheme: String, Sendable { case always, never, first }

  package var replacement: Unicode.Scalar = "\u{2581}"
  package var prependScheme = PrependScheme.always
  package var splits = true

  package init() {}
}

/// What becomes of the matches of a split.
package enum SplitBehavior: String, Sendable, CaseIterable {
  case removed = "Removed"
  case isolated = "Isolated"
  case mergedWithPrevious = "MergedWithPrevious"
  case mergedWithNext = "MergedWithNext"
  case contiguous = "Contiguous"
}

/// Source: tokenizers, `processors/`.
package indirect enum PostProcessor: Sendable, Equatable {
  case sequence([PostProcessor])
  case bert(separator: SpecialToken, classifier: SpecialToken)
  case roberta(separator: SpecialToken, classifier: SpecialToken, trimsOffsets: Bool, addsPrefixSpace: Bool)
  case template(single: [TemplateItem], pair: [TemplateItem])
  /// Changes offsets only.
  case byteLevel

  package struct SpecialToken: Sendable, Equatable {
    package var content: [UInt8]
    package var id: UInt32

    package init(content: [UInt8], id: UInt32) {
      self.content = content
      self.id = id
    }
  }

  package enum TemplateItem: Sendable, Equatable {
    /// Text A (0) or B (1).
    case sequence(Int, typeID: UInt32)
    case special(name: [UInt8], ids: [UInt32], typeID: UInt32)
  }
}

/// Source: tokenizers, `decoders/`; the last case is sentencepiece's `sentencepiece_processor.cc`.
package indirect enum Decoder: Sendable, Equatable {
  case sequence([Decoder])
  case bpe(suffix: [UInt8])
  case byteLevel
  case wordPiece(prefix: [UInt8], cleansUp: Bool)
  case metaspace(Metaspace)
  case ctc(padToken: [UInt8], wordDelimiter: [UInt8], cleansUp: Bool)
  case replace(Pattern, with: [UInt8])
  case fuse
  case strip(content: Unicode.Scalar, start: Int, stop: Int)
  case byteFallback
  /// What sentencepiece's decoding asks of its normalizer, and what stands for unknown pieces (` ⁇ ` unless the model says otherwise).
  case sentencePiece(addsDummyPrefix: Bool, removesExtraWhitespaces: Bool, unknownSurface: [UInt8])
  /// Tokens are bytes: joined as they are (tiktoken, tekken).
  case bytes
}
