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
      if scratch.byteIDs.isEmpty, takesUnknownAtOnce, fallsBackToBytes {
        scratch.byteIDs = (UInt8.min...UInt8.max).map { byteToken($0) ?? 0 }
      }
      if scratch.beginnings.isEmpty, takesUnknownAtOnce, piece.count > Self.longText {
        scratch.beginnings = beginnings.words
      }
      unsafe try encode(piece, into: &ids, &scratch, scratch.single)
    } else if piece.count > UnigramLattice.longestWord {
      unsafe try encode(piece, into: &ids, &scratch, scratch.double)
    } else {
      try unsafe encodeWhole(piece, into: &ids, &scratch)
    }
  }

  /// Shorter ones are done before the beginnings of pieces are gathered.
  private static var longText: Int { 1 << 12 }

  private var beginnings: KeyBeginnings {
    KeyBeginnings(root: trie.root) { node, byte in
      let next = trie.child(of: node, byte)
      return next.exists ? (next, next.storedValue != 0) : nil
    }
  }

  /// Appends the ids of pieces of one text, one after the other.
  package func encode(
    _ text: UnsafeRawBufferPointer, pieces: [Range<Int>], into ids: inout [UInt32], _ scratch: inout Scratch
  ) throws(KistError) {
    unsafe try PieceList.forEachWindow(of: pieces) { pieces throws(KistError) in
      var first = 0
      while unsafe first < pieces.count {
        // Empty for SentencePiece's models, whose ids hang on what stands before.
        unsafe first += scratch.pieces.appendFound(text, pieces, from: first, tag: 0, to: &ids)
        guard unsafe first < pieces.count else { break }
        unsafe try encode(UnsafeRawBufferPointer(rebasing: text[pieces[first, in: text]]), into: &ids, &scratch)
        first += 1
      }
    }
  }

  /// A short piece of tokenizers': its sums begin at zero, so its ids are always the same.
  private func encodeWhole(
    _ piece: UnsafeRawBufferPointer, into ids: inout [UInt32], _ scratch: inout Scratch
  ) throws(KistError) {
    if let slot = unsafe scratch.pieces.slot(of: piece) { return scratch.pieces.append(slot, to: &ids) }
    _ = try unsafe scratch.double.run(self, piece, 0..<piece.count, from: 0)
    let first = ids.count
    var output = unsafe UnigramOutput(self, piece)
    for edge in scratch.double.edges { output.append(edge.start..<edge.end, edge.id, to: &ids) }
    output.finish(&ids)
    unsafe scratch.pieces.insert(piece, ids[first...])
  }

  /// A text word by word, with scores summed from its beginning.
  ///
  /// What a word becomes is remembered, or between which pieces rounding decides (``UnigramLattice``). Long words, and those near the sum
  /// where SentencePiece starts over, are cut further, and what of them is not known either is searched as the library would, with the
  /// sum so far.
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
      unsafe first += appendSettled(text, words, from: first, &walk, into: &ids, scratch)
      if !followsSentencePiece { unsafe first += appendUnknown(text, words, from: first, &walk, into: &ids) }
      guard unsafe first < words.count else { break }
      let word = unsafe words[first, in: text]
      if unsafe try learn(UnsafeRawBufferPointer(rebasing: text[word]), &scratch) { continue }
      first += 1
      let isKnown = unsafe appendKnown(text, word, &walk, into: &ids, scratch)
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

  /// Appends the ids of the first of some words, as far as they are known, and gives how many words these are.
  private func appendSettled<Score: BinaryFloatingPoint>(
    _ text: UnsafeRawBufferPointer, _ words: PieceList, from first: Int, _ walk: inout UnigramWalk<Score>,
    into ids: inout [UInt32], _ scratch: borrowing Scratch
  ) -> Int {
    guard !walk.output.holdsUnknown else { return 0 }
    guard !followsSentencePiece else {
      var sum = Float(walk.sum)
      let found = unsafe appendWords(
        text, words, from: first, &sum, &walk.output.followsUnknown, into: &ids, scratch)
      walk.sum = Score(sum)
      return found
    }
    let before = ids.count
    let found = unsafe scratch.words.appendFound(text, words, from: first, tag: 0, to: &ids)
    var (sum, highest) = (walk.sum, walk.sum.magnitude)
    for index in before..<ids.count {
      sum = Score(score(of: ids[index])) + sum
      highest = max(highest, sum.magnitude)
    }
    guard highest < Score(settledLimit) else {
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
    let (score, limit) = (Score(unknownScore), Score(settledLimit) - Score(unknownScore.magnitude))
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
    unsafe isCharacter(word) && trie.value(of: word) == nil
  }

  func isCharacter(_ word: UnsafeRawBufferPointer) -> Bool {
    unsafe (1...4).contains(word.count) && UTF8Unit(word, at: 0).byteCount == word.count
  }

  /// Appends the ids of a short word if they are known for the sum so far, and says whether they are.
  private func appendKnown<Score: BinaryFloatingPoint>(
    _ text: UnsafeRawBufferPointer, _ range: Range<Int>, _ walk: inout UnigramWalk<Score>, into ids: inout [UInt32],
    _ scratch: borrowing Scratch
  ) -> Bool {
    let word = unsafe UnsafeRawBufferPointer(rebasing: text[range])
    guard (1...UnigramLattice.longestWord).contains(word.count), let slot = unsafe scratch.words.slot(of: word) else {
      return false
    }
    guard let list = scratch.words.ways(of: slot) else {
      // An unknown character is found as any other near the limit.
      guard walk.sum.magnitude < Score(settledLimit), !scratch.words.hasNoIDs(slot) else { return false }
      walk.output.finish(&ids)
      let first = ids.count
      scratch.words.append(slot, to: &ids)
      for index in first..<ids.count { walk.sum = Score(score(of: ids[index])) + walk.sum }
      return true
    }
    guard walk.sum.magnitude < Score(Float(bitPattern: list[0])) else { return false }
    let sum = replay(list, at: range, from: Float(walk.sum)) { piece, id in walk.output.append(piece, id, to: &ids) }
    walk.sum = Score(sum)
    return true
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

/// Makes ids of the pieces of a segmentation. It must not outlive the text.
@safe struct UnigramOutput {
  private let model: UnigramModel
  private let text: UnsafeRawBufferPointer
  /// Unknown characters that are not given out yet, where what they become hangs on all in a row.
  private var unknown: Range<Int>?
  /// Whether the last piece was an unknown character, where each is given out at once.
  var followsUnknown = false

  init(_ model: UnigramModel, _ text: UnsafeRawBufferPointer) {
    self.model = model
    unsafe self.text = text
  }

  var holdsUnknown: Bool { unknown != nil }

  @inline(__always)
  mutating func append(_ range: Range<Int>, _ id: UInt32, to ids: inout [UInt32]) {
    if id == model.unknown ?? .max {
      appendUnknown(range, to: &ids)
    } else {
      finish(&ids)
      ids.append(id)
    }
  }

  private mutating func appendUnknown(_ range: Range<Int>, to ids: inout [UInt32]) {
    guard model.takesUnknownAtOnce else {
      unknown = (unknown?.lowerBound ?? range.lowerBound)..<range.upperBound
      return
    }
    if !model.fallsBackToBytes {
      if !followsUnknown { ids.append(model.unknown ?? 0) }
    } else {
      _ = unsafe model.appendByteTokens(of: UnsafeRawBufferPointer(rebasing: text[range]), to: &ids)
    }
    followsUnknown = true
  }

  /// Gives out what is gathered, before a known piece or the end.
  mutating func finish(_ ids: inout [UInt32]) {
    followsUnknown = false
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
