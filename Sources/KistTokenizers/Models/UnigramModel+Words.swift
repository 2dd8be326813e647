import CKernels
import KistCore

/// What is remembered of words, in a ``PieceCache``. A slot has ids, which are those of the word as long as the sum before it is below
/// ``UnigramModel/settledLimit``; or a list:
///
/// ```
/// ids                more ids than a slot has room for
/// ways               bits of an f32, the magnitude of the sum before the word up to which these are all ways that may win; then of each
///                    piece, by where they begin, two numbers: where it begins and, times 256, where it ends; its id
/// waysWithUnknown    the same; there are unknown characters in them, which go with those before and behind the word
/// unknownCharacter   none: the word is one unknown character
/// ```
enum WordList: UInt32 {
  case ids, ways, waysWithUnknown, unknownCharacter
}

extension UnigramModel {
  /// Words that move the sum by more are remembered with their own limit.
  private static var highestSettledMagnitude: Double { 200 }
  /// Words that move it by more are not remembered.
  private static var highestMagnitude: Double { 1900 }
  /// Below the sum at which SentencePiece starts over.
  private static var highestSum: Float { 99_990 }

  /// The magnitude of the sum before a word below which its ids are always the same.
  var settledLimit: Float { followsSentencePiece ? Self.highestSum - Float(Self.highestSettledMagnitude) : 1e7 }

  /// Appends the ids of the first of some words, as far as they are known, and gives how many words these are.
  func appendWords(
    _ text: UnsafeRawBufferPointer, _ words: PieceList, from first: Int, _ sum: inout Float,
    _ followsUnknown: inout Bool, into ids: inout [UInt32], _ scratch: borrowing Scratch
  ) -> Int {
    guard let base = text.baseAddress else { return 0 }
    let (start, rest) = unsafe (words.starts + first, words.count - first)
    var found = 0
    ids.append(addingCapacity: 8 * rest + UnigramLattice.longestWord) { room in
      unsafe room.withUnsafeMutableBufferPointer { room, count in
        unsafe withModel(scratch) { model in
          unsafe scratch.words.withMemory { memory in
            found = unsafe kist_unigram_words(
              base.assumingMemoryBound(to: UInt8.self), text.count, start, rest, memory, model, &sum, &followsUnknown,
              room.baseAddress, room.count, &count)
          }
        }
      }
    }
    return found
  }

  /// Hands on what a kernel asks of the model.
  @inline(__always)
  private func withModel(_ scratch: borrowing Scratch, _ body: (UnsafePointer<kist_unigram>) -> Void) {
    unsafe scores.withBuffer { scores in
      unsafe scratch.byteIDs.withUnsafeBufferPointer { byteIDs in
        unsafe scratch.beginnings.withUnsafeBufferPointer { beginnings in
          unsafe trie.withBuffer { units in
            var model = unsafe kist_unigram(
              scores: scores.baseAddress, score_count: scores.count, settled_limit: settledLimit,
              unknown_score: Float(unknownScore), unknown: unknown ?? .max, takes_unknown: takesUnknownAtOnce,
              byte_ids: byteIDs.isEmpty ? nil : byteIDs.baseAddress,
              beginnings: beginnings.isEmpty ? nil : beginnings.baseAddress, units: units.baseAddress,
              unit_count: units.count)
            unsafe body(&model)
          }
        }
      }
    }
  }

  /// Finds out what a short word becomes that was not met before, and remembers it; false when nothing is sure, or it is known.
  func learn(_ word: UnsafeRawBufferPointer, _ scratch: inout Scratch) throws(KistError) -> Bool {
    guard (1...UnigramLattice.longestWord).contains(word.count), unsafe scratch.words.slot(of: word) == nil else {
      return false
    }
    guard followsSentencePiece else { return unsafe try learnSettled(word, &scratch) }
    guard let outcome = unsafe scratch.lattice.search(word, self), outcome.magnitude < Self.highestMagnitude else {
      return false
    }
    let isSmall = outcome.magnitude < Self.highestSettledMagnitude
    if outcome.isSettled, isSmall {
      unsafe scratch.words.insert(word, scratch.lattice.ids[...])
    } else if takesUnknownAtOnce, isSmall, unsafe scratch.lattice.ids == [unknown ?? .max] && isCharacter(word) {
      unsafe scratch.words.insert(word, [], .unknownCharacter)
    } else {
      let ways = scratch.lattice.ways(below: Self.highestSum - Float(outcome.magnitude))
      unsafe scratch.words.insert(word, ways, outcome.meetsUnknown ? .waysWithUnknown : .ways)
    }
    return true
  }

  /// The same of tokenizers' words, whose scores are added as f64.
  private func learnSettled(_ word: UnsafeRawBufferPointer, _ scratch: inout Scratch) throws(KistError) -> Bool {
    let outcome = try unsafe scratch.double.run(self, word, 0..<word.count, from: 0)
    let edges = scratch.double.edges
    guard !outcome.meetsUnknown, outcome.margin > 1e-6, !edges.contains(where: { $0.id == unknown }) else {
      return false
    }
    // Each of the at most k additions on a way is off by half a unit in the last place of the sum x: at most x × 2⁻⁵³. Two ways compare
    // as they should when they differ by more than 2 k x times that. The trial itself doubles the error.
    let rounding = 0x1p50 / Double(outcome.characterCount + 1) * outcome.margin * 0.99 - outcome.magnitude
    guard rounding >= Double(settledLimit) else { return false }
    unsafe scratch.words.insert(word, edges.map(\.id)[...])
    return true
  }

  /// Hands on the pieces of the best way through a word, and gives the sum behind it: what `kist_unigram_words` does, one word at a time.
  ///
  /// - Parameters:
  ///   - ways: A list of ``WordList/ways``.
  ///   - range: Where the word stands in the text.
  ///   - sum: Of all that stands before.
  func replay(_ ways: [UInt32], at range: Range<Int>, from sum: Float, _ body: (Range<Int>, UInt32) -> Void) -> Float {
    var nodes = [(sum: Float, piece: Int?)](repeating: (0, nil), count: range.count + 1)
    nodes[0].sum = sum
    let bounds = { (piece: Int) in (start: Int(ways[piece] & 0xFF), end: Int(ways[piece] >> 8)) }
    for piece in stride(from: 1, to: ways.count, by: 2) {
      let (start, end) = bounds(piece)
      let id = ways[piece + 1]
      let candidate = Float(id == unknown ?? .max ? unknownScore : score(of: id)) + nodes[start].sum
      // Of equal ones the first stands.
      if nodes[end].piece == nil || candidate > nodes[end].sum { nodes[end] = (candidate, piece) }
    }
    var (pieces, place): ([Int], Int) = ([], range.count)
    while place > 0, let piece = nodes[place].piece {
      pieces.append(piece)
      place = bounds(piece).start
    }
    for piece in pieces.reversed() {
      let (start, end) = bounds(piece)
      body(range.lowerBound + start..<range.lowerBound + end, ways[piece + 1])
    }
    return nodes[range.count].sum
  }
}
