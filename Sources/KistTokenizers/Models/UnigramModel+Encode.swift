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
      var output = unsafe UnigramOutput(self, piece)
      try unsafe encode(piece, into: &ids, &output, &scratch.words, scratch.double, scratch.single)
    } else if piece.count > WordCache.maximumKeyByteCount {
      var output = unsafe UnigramOutput(self, piece)
      try unsafe encode(piece, into: &ids, &output, &scratch.words, scratch.double, scratch.double)
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
  /// A word's segmentation is remembered together with the sums up to which rounding can't change it; beyond them, and
  /// where a character is unknown, the word is searched as the library would, with the sum so far.
  private func encode<Score: BinaryFloatingPoint>(
    _ text: UnsafeRawBufferPointer, into ids: inout [UInt32], _ output: inout UnigramOutput, _ words: inout WordCache,
    _ trial: UnigramSearch<Double>, _ search: UnigramSearch<Score>
  ) throws(KistError) {
    var sum: Score = 0
    var start = 0
    while start < text.count {
      let end = unsafe boundaries.next(after: start, in: text)
      defer { start = end }
      if end - start <= WordCache.maximumKeyByteCount {
        let word = unsafe UnsafeRawBufferPointer(rebasing: text[start..<end])
        if let known = try unsafe settled(word, Float(sum), &words, trial) {
          output.finish(&ids)
          for index in known {
            let id = words.words[index]
            ids.append(id)
            sum = Score(score(of: id)) + sum
          }
          continue
        }
      }
      sum = try unsafe search.run(self, text, start..<end, from: sum).score
      for edge in search.edges { output.append(edge.start..<edge.end, edge.id, to: &ids) }
    }
    output.finish(&ids)
  }

  /// Where a word's ids stand in `words`, if they are the same whatever rounding does after a sum.
  private func settled(
    _ word: UnsafeRawBufferPointer, _ sum: Float, _ words: inout WordCache, _ trial: UnigramSearch<Double>
  ) throws(KistError) -> Range<Int>? {
    let hash = unsafe WordCache.hash(word)
    if let entry = unsafe words.entry(for: word, hash: hash) { return sum.magnitude < entry.limit ? entry.ids : nil }
    let outcome = try unsafe trial.run(self, word, 0..<word.count, from: 0)
    let limit = safeScore(outcome, trial.edges)
    // A word of tokenizers' without a limit is remembered only when it is a whole piece, with its ids.
    guard limit > 0 || followsSentencePiece else { return nil }
    unsafe words.insert(word, hash: hash, ids: trial.edges.map(\.id)[...], limit: limit)
    return sum.magnitude < limit ? unsafe words.entry(for: word, hash: hash)?.ids : nil
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
