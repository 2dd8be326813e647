import KistCore

extension UnigramModel {
  /// Appends the ids of a piece of text.
  ///
  /// - Throws: `invalid` when a character is in no token, and there is no unknown token (tokenizers' models only).
  /// - Complexity: linear in the text; words seen before cost one look into a table.
  package func encode(
    _ piece: UnsafeRawBufferPointer, into ids: inout [UInt32], _ scratch: inout Scratch
  ) throws(KistError) {
    guard piece.count > 0 else { return }
    if followsSentencePiece {
      unsafe try encode(piece, into: &ids, &scratch, scratch.single)
    } else if piece.count > WordCache.maximumKeyByteCount {
      unsafe try encode(piece, into: &ids, &scratch, scratch.double)
    } else {
      try unsafe encodeWhole(piece, into: &ids, &scratch.words, scratch.double)
    }
  }

  /// A short piece of tokenizers': its sums begin at zero, so its ids are always the same.
  private func encodeWhole(
    _ piece: UnsafeRawBufferPointer, into ids: inout [UInt32], _ words: inout WordCache, _ search: UnigramSearch<Double>
  ) throws(KistError) {
    let hash = unsafe WordCache.hash(piece)
    if let entry = unsafe words.entry(for: piece, hash: hash) { return words.append(entry, to: &ids) }
    let outcome = try unsafe search.run(self, piece, 0..<piece.count, from: 0)
    let first = ids.count
    var output = unsafe UnigramOutput(self, piece)
    for edge in search.edges { output.append(edge.start..<edge.end, edge.id, to: &ids) }
    output.finish(&ids)
    unsafe words.insert(piece, hash: hash, ids: ids[first...], limit: safeScore(outcome, search.edges))
  }

  /// A text word by word, with scores summed from its beginning.
  ///
  /// A word's segmentation is remembered together with the sums up to which rounding can't change it, or with the pieces between which
  /// rounding decides (``UnigramLattice``). Long words, and those near the sum where SentencePiece starts over, are cut further, and what
  /// of them is not known either is searched as the library would, with the sum so far.
  private func encode<Score: BinaryFloatingPoint>(
    _ text: UnsafeRawBufferPointer, into ids: inout [UInt32], _ scratch: inout Scratch, _ search: UnigramSearch<Score>
  ) throws(KistError) {
    var walk = unsafe UnigramWalk<Score>(search, UnigramOutput(self, text))
    let (origin, bounds) = unsafe (ids.count, scratch.bounds.bounds)
    var start = 0
    while start < text.count {
      unsafe bounds[0] = start
      let count = unsafe boundaries.ends(
        in: text, from: start, into: UnsafeMutableBufferPointer(rebasing: bounds[1...]))
      unsafe try encode(
        text, PieceList(following: bounds, count: count), &walk, into: &ids, &scratch, cutsFurther: true)
      start = unsafe bounds[count]
      ids.makeRoom(forRest: text.count - start, atRateOf: ids.count - origin, per: start)
    }
    walk.output.finish(&ids)
  }

  /// Words, or parts of one, that follow each other.
  private func encode<Score: BinaryFloatingPoint>(
    _ text: UnsafeRawBufferPointer, _ words: PieceList, _ walk: inout UnigramWalk<Score>, into ids: inout [UInt32],
    _ scratch: inout Scratch, cutsFurther: Bool
  ) throws(KistError) {
    var first = 0
    while unsafe first < words.count {
      unsafe first += appendSettled(text, words, from: first, &walk, into: &ids, scratch.settledWords)
      unsafe first += appendUnknown(text, words, from: first, &walk, into: &ids)
      guard unsafe first < words.count else { break }
      let word = unsafe words[first, in: text]
      first += 1
      let isKnown = try unsafe appendKnown(text, word, &walk, into: &ids, &scratch)
      if isKnown { continue }
      if cutsFurther, let junctions {
        try unsafe encodeInParts(text, word, junctions, &walk, into: &ids, &scratch)
      } else {
        walk.sum = try unsafe walk.search.run(self, text, word, from: walk.sum).score
        for edge in walk.search.edges { walk.output.append(edge.start..<edge.end, edge.id, to: &ids) }
      }
    }
  }

  private func encodeInParts<Score: BinaryFloatingPoint>(
    _ text: UnsafeRawBufferPointer, _ word: Range<Int>, _ junctions: Junctions, _ walk: inout UnigramWalk<Score>,
    into ids: inout [UInt32], _ scratch: inout Scratch
  ) throws(KistError) {
    let bounds = unsafe scratch.parts.bounds
    var start = word.lowerBound
    while start < word.upperBound {
      unsafe bounds[0] = start
      let ends = unsafe UnsafeMutableBufferPointer(rebasing: bounds[1...])
      let count = unsafe junctions.cut(text, start..<word.upperBound, into: ends)
      guard count > 0 else { return }
      let parts = unsafe PieceList(following: bounds, count: count)
      unsafe try encode(text, parts, &walk, into: &ids, &scratch, cutsFurther: false)
      start = unsafe bounds[count]
    }
  }

  /// The sum up to which short words are remembered whatever stands before them: below that at which SentencePiece starts over.
  static var safeSum: Float { 98_000 }

  /// Appends the ids of the first of some words, as far as they are surely those, and gives how many words these are.
  private func appendSettled<Score: BinaryFloatingPoint>(
    _ text: UnsafeRawBufferPointer, _ words: PieceList, from first: Int, _ walk: inout UnigramWalk<Score>,
    into ids: inout [UInt32], _ cache: borrowing PieceCache
  ) -> Int {
    // So near to where it ends, most of the words would be given back.
    guard !walk.output.holdsUnknown, walk.sum.magnitude < Score(Self.safeSum) - 4000 else { return 0 }
    let before = ids.count
    let found = unsafe cache.appendFound(text, words, from: first, tag: 0, to: &ids)
    var (sum, highest) = (walk.sum, walk.sum.magnitude)
    for index in before..<ids.count {
      sum = Score(score(of: ids[index])) + sum
      highest = max(highest, sum.magnitude)
    }
    guard highest < Score(Self.safeSum) else {
      ids.removeSubrange(before...)
      return 0
    }
    walk.sum = sum
    return found
  }

  /// Appends the first of some words that are one unknown character each, and gives how many these are.
  private func appendUnknown<Score: BinaryFloatingPoint>(
    _ text: UnsafeRawBufferPointer, _ words: PieceList, from first: Int, _ walk: inout UnigramWalk<Score>,
    into ids: inout [UInt32]
  ) -> Int {
    guard let unknown else { return 0 }
    let (score, limit) = (Score(unknownScore), Score(Self.safeSum) - Score(unknownScore.magnitude))
    var (sum, index) = (walk.sum, first)
    while unsafe index < words.count && sum.magnitude < limit {
      let range = unsafe words[index, in: text]
      guard unsafe isUnknown(UnsafeRawBufferPointer(rebasing: text[range])) else { break }
      walk.output.append(range, unknown, to: &ids)
      sum += score
      index += 1
    }
    walk.sum = sum
    return index - first
  }

  /// Whether a word is one character that is no piece: then there is but one way.
  private func isUnknown(_ word: UnsafeRawBufferPointer) -> Bool {
    guard (1...4).contains(word.count), unsafe UTF8Unit(word, at: 0).byteCount == word.count else { return false }
    return unsafe trie.value(of: word) == nil
  }

  /// Appends the ids of a short word if they are known for the sum so far, and says whether they are.
  private func appendKnown<Score: BinaryFloatingPoint>(
    _ text: UnsafeRawBufferPointer, _ range: Range<Int>, _ walk: inout UnigramWalk<Score>, into ids: inout [UInt32],
    _ scratch: inout Scratch
  ) throws(KistError) -> Bool {
    let word = unsafe UnsafeRawBufferPointer(rebasing: text[range])
    guard word.count <= WordCache.maximumKeyByteCount else { return false }
    let hash = unsafe WordCache.hash(word)
    var known = unsafe scratch.words.entry(for: word, hash: hash)
    if known == nil { known = try unsafe remember(word, hash, &scratch) }
    guard let entry = known else { return false }
    if walk.sum.magnitude < Score(entry.limit) {
      walk.output.finish(&ids)
      for index in entry.ids {
        let id = scratch.words.words[index]
        ids.append(id)
        walk.sum = Score(score(of: id)) + walk.sum
      }
      return true
    }
    guard walk.sum.magnitude < Score(-entry.limit) else { return false }
    let sum = unsafe scratch.words.words.withUnsafeBufferPointer { words in
      unsafe scratch.lattice.replay(
        UnsafeBufferPointer(rebasing: words[entry.ids]), at: range, from: Float(walk.sum)
      ) { piece, id in
        walk.output.append(piece, id, to: &ids)
      }
    }
    walk.sum = Score(sum)
    return true
  }

  /// Finds out what a short word becomes.
  ///
  /// A limit is that of sums up to which it becomes these ids; below zero, that up to which these are the pieces of its lattice.
  ///
  /// - Returns: Nil for a word of tokenizers' about which nothing is sure.
  private func remember(
    _ word: UnsafeRawBufferPointer, _ hash: UInt64, _ scratch: inout Scratch
  ) throws(KistError) -> WordCache.Entry? {
    if followsSentencePiece, let ways = unsafe scratch.lattice.ways(through: word, self),
      ways.magnitude < UnigramLattice.highestMagnitude
    {
      let limit = 99_990 - Float(ways.magnitude)
      if let ids = ways.ids { unsafe settle(word, ids, &scratch) }
      unsafe scratch.words.insert(
        word, hash: hash, ids: (ways.ids ?? ways.pieces)[...], limit: ways.ids == nil ? -limit : limit)
      return unsafe scratch.words.entry(for: word, hash: hash)
    }
    let outcome = try unsafe scratch.double.run(self, word, 0..<word.count, from: 0)
    let limit = safeScore(outcome, scratch.double.edges)
    // A word of tokenizers' without a limit is remembered only when it is a whole piece, with its ids.
    guard limit > 0 || followsSentencePiece else { return nil }
    let ids = scratch.double.edges.map(\.id)
    if limit >= Self.safeSum { unsafe settle(word, ids, &scratch) }
    unsafe scratch.words.insert(word, hash: hash, ids: ids[...], limit: limit)
    return unsafe scratch.words.entry(for: word, hash: hash)
  }

  /// Remembers a word whose ids are the same after every sum below ``safeSum``.
  private func settle(_ word: UnsafeRawBufferPointer, _ ids: [UInt32], _ scratch: inout Scratch) {
    if word.count <= PieceCache.longestShortPiece {
      scratch.settledWords.insert(unsafe PieceCache.shortKey(word, tag: 0), ids[...])
    } else {
      unsafe scratch.settledWords.insertLong(word, TokenHash.hash(word), ids[...])
    }
  }

  /// How large the sum before a word may be for its segmentation to stand; zero when it never surely does.
  ///
  /// Each of the at most `k` additions on a way is off by half a unit in the last place of the sum `x`: at most `x ×
  /// 2⁻²⁴` for f32 and `x × 2⁻⁵³` for f64. Two ways compare as they should when they differ by more than `2 k x` times
  /// that. The trial itself adds in f64, which for tokenizers doubles the error.
  private func safeScore(
    _ outcome: UnigramSearch<Double>.Outcome, _ edges: [UnigramSearch<Double>.Edge]
  ) -> Float {
    guard !outcome.meetsUnknown, outcome.margin > 1e-6, !edges.contains(where: { $0.id == unknown }) else { return 0 }
    let precision = followsSentencePiece ? 0x1p23 : 0x1p50
    let rounding = precision / Double(outcome.characterCount + 1) * outcome.margin * 0.99 - outcome.magnitude
    guard followsSentencePiece else { return Float(max(0, min(rounding, 1e30))) }
    // Within the word, too, the sum must stay below that at which SentencePiece starts over.
    return Float(max(0, min(rounding, 99_999 - outcome.magnitude)))
  }
}

/// How far a text is encoded.
struct UnigramWalk<Score: BinaryFloatingPoint> {
  let search: UnigramSearch<Score>
  var output: UnigramOutput
  /// Of the scores so far.
  var sum: Score = 0

  init(_ search: UnigramSearch<Score>, _ output: UnigramOutput) { (self.search, self.output) = (search, output) }
}

/// Makes ids of the pieces of a segmentation: what is unknown is gathered. It must not outlive the text.
@safe struct UnigramOutput {
  private let model: UnigramModel
  private let text: UnsafeRawBufferPointer
  /// Unknown characters that are not given out yet.
  private var unknown: Range<Int>?

  init(_ model: UnigramModel, _ text: UnsafeRawBufferPointer) {
    self.model = model
    unsafe self.text = text
  }

  var holdsUnknown: Bool { unknown != nil }

  @inline(__always)
  mutating func append(_ range: Range<Int>, _ id: UInt32, to ids: inout [UInt32]) {
    if id == model.unknown ?? .max {
      unknown = (unknown?.lowerBound ?? range.lowerBound)..<range.upperBound
    } else {
      if unknown != nil { finish(&ids) }
      ids.append(id)
    }
  }

  /// Gives out what is gathered.
  mutating func finish(_ ids: inout [UInt32]) {
    guard let range = unknown else { return }
    unknown = nil
    let bytes = unsafe UnsafeRawBufferPointer(rebasing: text[range])
    // tokenizers looks the whole run up again: it may spell a token.
    if !model.followsSentencePiece, let id = unsafe model.trie.value(of: bytes) {
      ids.append(id)
    } else if unsafe !model.fallsBackToBytes || !model.appendByteTokens(of: bytes, to: &ids) {
      ids.append(model.unknown ?? 0)
    }
  }
}
