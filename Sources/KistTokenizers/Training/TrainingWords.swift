import KistCore

/// All words as symbols that merge in place: one run after the other in one array.
@safe final class TrainingWords {
  struct Word: BitwiseCopyable {
    /// Where its symbols begin.
    var start: UInt32
    /// How many there are now.
    var length: UInt32
    /// How often the word occurs in the corpus.
    var count: Int64
  }

  let words = GrowingMemory<Word>()
  let symbols = GrowingMemory<UInt32>()
  /// Of each symbol, when tokens have a maximum length.
  private let lengths: GrowingMemory<UInt32>?
  private let maximumLength: Int

  /// Splits words into characters. Those outside of the vocabulary are dropped; what stood around them become neighbours.
  ///
  /// Prefix and suffix make further symbols, which get ids in the order of the words.
  ///
  /// - Throws: `invalid` when counts of pairs might not fit in 63 bits; `unsupported` when positions do not fit in 32.
  init(_ counts: WordCounts, _ vocabulary: inout TrainingVocabulary, _ options: BPETrainer.Options) throws(KistError) {
    var symbolIDs = SymbolIDs(options)
    lengths = options.maximumTokenLength.map { _ in GrowingMemory() }
    maximumLength = options.maximumTokenLength ?? .max
    var total: UInt64 = 0
    for index in 0..<counts.count {
      let start = symbols.count
      let bytes = counts.word(index)
      var walk = ScalarWalk(bytes)
      var upcoming = walk.next()
      var isFirst = true
      while let scalar = upcoming {
        upcoming = walk.next()
        let id = symbolIDs.id(of: scalar, isFirst: isFirst, isLast: upcoming == nil, in: &vocabulary)
        if let id { symbols.append(id) }
        isFirst = false
      }
      let (pairs, overflow) = counts.counts[index].multipliedReportingOverflow(by: UInt64(bytes.count))
      let (sum, sumOverflow) = total.addingReportingOverflow(pairs)
      guard !overflow, !sumOverflow, sum <= UInt64(Int64.max) else {
        throw KistError(
          .invalid, field: "words to learn from", "are counted so often that counts of pairs would not fit in 63 bits")
      }
      total = sum
      try keepWord(from: start, count: Int64(counts.counts[index]))
    }
  }

  /// One word's symbols.
  @unsafe func run(of index: UInt32) -> WordRun {
    let word = words[Int(index)]
    let start = Int(word.start)
    return unsafe WordRun(
      symbols: symbols.base + start, count: Int(word.length), lengths: lengths.map { unsafe $0.base + start },
      maximumLength: maximumLength)
  }

  /// A word without pairs, or that never occurs, merges nothing.
  private func keepWord(from start: Int, count: Int64) throws(KistError) {
    guard symbols.count - start > 1, count > 0 else {
      while symbols.count > start { symbols.removeLast() }
      return
    }
    guard symbols.count <= Int(UInt32.max) else {
      throw KistError(
        .unsupported, field: "words to learn from", "have more than 4 billion characters",
        advice: "learn from a part of the text, or cut it into shorter words")
    }
    lengths?.extend(to: symbols.count, with: 1)
    words.append(Word(start: UInt32(start), length: UInt32(symbols.count - start), count: count))
  }
}

/// What symbol a character becomes at its place in a word.
private struct SymbolIDs {
  private static let unknown = UInt32.max
  private static let absent = UInt32.max - 1

  private let prefix: [UInt8]
  private let suffix: [UInt8]
  /// By place (bit 0: has the prefix, bit 1: has the suffix) and code point; as far as they were asked for.
  private var tables: [[UInt32]] = [[], [], [], []]

  init(_ options: BPETrainer.Options) {
    prefix = options.continuingSubwordPrefix
    suffix = options.endOfWordSuffix
  }

  /// Nil when the character itself is no token.
  mutating func id(
    of scalar: UInt32, isFirst: Bool, isLast: Bool, in vocabulary: inout TrainingVocabulary
  ) -> UInt32? {
    let place = (isFirst || prefix.isEmpty ? 0 : 1) | (isLast && !suffix.isEmpty ? 2 : 0)
    if tables[place].isEmpty { tables[place] = Array(repeating: Self.unknown, count: 0x11_0000) }
    let known = tables[place][Int(scalar)]
    if known < Self.absent { return known }
    if known == Self.absent { return nil }
    let bytes = Unicode.Scalar(scalar)?.utf8Bytes ?? []
    guard vocabulary.id(of: bytes) != nil else {
      tables[place][Int(scalar)] = Self.absent
      return nil
    }
    let id = vocabulary.insert((place & 1 == 1 ? prefix : []) + bytes + (place & 2 == 2 ? suffix : []))
    tables[place][Int(scalar)] = id
    return id
  }
}
