import KistCore

/// Learns a byte pair encoding from counted words.
///
/// ```
/// corpus ─ WordCounter ─ WordCounts ─ BPETrainer ─ BPEDefinition
///            pieces        distinct     alphabet     vocabulary,
///            of lines      words        then merges  merges in order
/// ```
///
/// The vocabulary begins with the special tokens and the alphabet, in the order of code points. Then the most frequent pair of
/// neighbours becomes a token, again and again; of equally frequent pairs the one with the lower ids. The result is that of Hugging Face's
/// `BpeTrainer`, merge for merge, with its ways:
/// - With a vocabulary size below that of special tokens and alphabet, those are kept all the same, and nothing is merged. No words give no
///   more than special tokens and the initial alphabet.
/// - Two merges can make the same token (`a`+`bc`, `ab`+`c`): it then has one id and there are more merges than tokens made by them. A pair
///   merged twice keeps its last rank.
/// - A pair's count can fall below zero, with a prefix or suffix and a maximum length; it then counts as enormous, and is merged next.
///
/// Where the reference's result hangs on the order of a hash table, ours is pinned:
/// - The symbols that a prefix or a suffix makes get their ids word by word, ascending by the words' bytes.
/// - Of characters at the limit of the alphabet that are equally frequent, the lower code points are kept.
/// - Pairs come into the queue in the order in which they are seen in the words, ascending. (Their order matters when a pair waits twice.)
///
/// The reference counts pairs in 32 bits and goes wrong beyond 2³¹; here they have 64.
///
/// Source: tokenizers 0.23.3, `models/bpe/trainer.rs`, `models/bpe/word.rs`.
package struct BPETrainer: Sendable {
  package struct Options: Sendable, Equatable {
    /// How many tokens there will be at most, special tokens and alphabet included.
    package var vocabularySize = 30_000
    /// What a pair must occur to be merged.
    package var minimumFrequency: UInt64 = 0
    /// First in the vocabulary, in this order; repeated ones count once.
    package var specialTokens: [[UInt8]] = []
    /// How many characters the alphabet holds at most: the most frequent ones. Others are dropped from the words.
    package var alphabetLimit: Int?
    /// Characters that the alphabet holds though no word may have them. They count as the most frequent.
    package var initialAlphabet: Set<Unicode.Scalar> = []
    /// Stands before each character of a word but the first. Empty for none.
    package var continuingSubwordPrefix: [UInt8] = []
    /// Stands behind the last character of a word. Empty for none.
    package var endOfWordSuffix: [UInt8] = []
    /// How many characters a merged token has at most, not counting pairs of two characters.
    package var maximumTokenLength: Int?

    package init() {}
  }

  package var options: Options

  package init(_ options: Options = Options()) { self.options = options }

  /// Learns vocabulary and merges. The result does not depend on the number of threads.
  ///
  /// - Parameter progress: Is told about merges rather than bytes.
  /// - Throws: `invalid` when a word, special token, prefix or suffix is not valid UTF-8, when a limit is negative, or when counts are so large
  ///   that those of pairs would not fit in 63 bits; `unsupported` for 4 billion characters of distinct words; `interrupted`.
  /// - Complexity: about the number of characters in distinct words, times the logarithm of the vocabulary size. Memory: 16 to 30 bytes a
  ///   character, and 16 a distinct pair.
  package func train(
    _ words: WordCounts, progress: any ProgressObserver = NoProgress(), parallelism: Parallelism = Parallelism()
  ) throws(KistError) -> BPEDefinition {
    try checkOptions()
    try words.checkEncoding()
    var vocabulary = TrainingVocabulary()
    for token in options.specialTokens { vocabulary.insert(token) }
    let alphabet = Alphabet(of: words, options)
    for scalar in alphabet.kept { vocabulary.insert(scalar.utf8Bytes) }
    let symbols = try TrainingWords(words, &vocabulary, options)
    let learner = try MergeLearner(symbols, tokenCount: vocabulary.count, parallelism)

    let target = min(options.vocabularySize, Int(Int32.max))
    progress.begin("Learning merges", total: max(0, target - vocabulary.count))
    defer { progress.end() }
    var merges: [BPEDefinition.Pair] = []
    while vocabulary.count < target, let best = learner.takeMostFrequent(atLeast: options.minimumFrequency) {
      let token = joined(vocabulary.tokens[Int(best.left)], vocabulary.tokens[Int(best.right)])
      let count = vocabulary.count
      let merged = vocabulary.insert(token)
      merges.append(BPEDefinition.Pair(left: best.left, right: best.right, merged: merged))
      try learner.merge(best, into: merged)
      progress.advance(by: vocabulary.count - count)
    }
    return definition(vocabulary, merges)
  }

  /// The special tokens as a tokenizer finds them in text, with their ids.
  package func addedTokens(in definition: BPEDefinition) -> [AddedToken] {
    var added: [AddedToken] = []
    for content in options.specialTokens where !content.isEmpty && !added.contains(where: { $0.content == content }) {
      guard let token = definition.vocabulary.tokens.first(where: { $0.bytes == content }) else { continue }
      var special = AddedToken(content: content, id: token.id)
      special.isSpecial = true
      special.isNormalized = false
      added.append(special)
    }
    return added
  }

  /// The token that two others make. The prefix of the second is inside the word then, and goes.
  private func joined(_ left: [UInt8], _ right: [UInt8]) -> [UInt8] {
    let prefix = options.continuingSubwordPrefix
    return left + (right.starts(with: prefix) ? right.dropFirst(prefix.count) : right[...])
  }

  private func definition(_ vocabulary: TrainingVocabulary, _ merges: [BPEDefinition.Pair]) -> BPEDefinition {
    let tokens = vocabulary.tokens.enumerated().map { Vocabulary.Token(bytes: $1, id: UInt32($0)) }
    var seen: Set<UInt64> = []
    let lastOfEach = merges.reversed().filter { seen.insert(UInt64($0.left) << 32 | UInt64($0.right)).inserted }
    var definition = BPEDefinition(
      vocabulary: Vocabulary(tokens: tokens), merges: .pairs(lastOfEach.reversed()))
    definition.continuingSubwordPrefix = options.continuingSubwordPrefix
    definition.endOfWordSuffix = options.endOfWordSuffix
    return definition
  }

  private func checkOptions() throws(KistError) {
    let texts = options.specialTokens + [options.continuingSubwordPrefix, options.endOfWordSuffix]
    for text in texts where unsafe text.withUnsafeBytes({ unsafe $0.firstInvalidUTF8Byte }) != nil {
      throw KistError(.invalid, field: "training options", "a special token, prefix or suffix is not valid UTF-8")
    }
    let numbers = [options.vocabularySize, options.alphabetLimit ?? 0, options.maximumTokenLength ?? 0]
    if numbers.contains(where: { $0 < 0 }) {
      throw KistError(.invalid, field: "training options", "a size is negative")
    }
  }
}
