/// The ways through a word that may be the best one, whatever stands before it.
///
/// SentencePiece adds scores as f32 to the sum of all that stands before. Where two ways through a word are about as likely, rounding decides
/// between them, and the next time perhaps otherwise. But below 2¹⁷ an addition is off by 2⁻⁸ at most, so a way that is worse than the best
/// by more than twice that for each character never wins. The pieces of the ways that are left are kept, a few for a word, and searched anew
/// each time as the library does, with its sums and its comparisons in its order. Without the other pieces the winner stays the same: its
/// sums are what they were, and no way that it is compared with gains.
@safe final class UnigramLattice {
  /// Longer words are not looked at.
  static let longestWord = 48
  /// How far a sum may move within a word.
  private static let highestDistance = 30_000.0

  private struct Edge {
    var start: Int
    var end: Int
    var id: UInt32
    var score: Double
  }

  /// What may become of a word, beside its pieces.
  struct Outcome {
    /// The highest magnitude that the best sum has before a piece.
    var magnitude = 0.0
    /// There is but one way, without unknown characters.
    var isSettled = true
    var meetsUnknown = false
  }

  private static let nodeCount = longestWord + 1
  /// Of every place as many as there are places behind it, and an unknown character.
  private let edges = UnsafeMutablePointer<Edge>.allocate(capacity: nodeCount * (nodeCount + 1) / 2 + nodeCount)
  private var edgeCount = 0
  /// The best sums from the beginning to a node, and from it to the end.
  private let before = UnsafeMutablePointer<Double>.allocate(capacity: nodeCount)
  private let behind = UnsafeMutablePointer<Double>.allocate(capacity: nodeCount)

  /// Of the word looked at last: the pieces of the ways that may win, as ``UnigramModel/replay(_:at:from:_:)`` takes them behind the limit,
  /// which has its place here.
  private var ways: [UInt32] = []
  /// Their ids alone.
  private(set) var ids: [UInt32] = []

  deinit {
    unsafe edges.deallocate()
    unsafe before.deallocate()
    unsafe behind.deallocate()
  }

  /// Finds the ways through a word of at most ``longestWord`` bytes; nil when scores are so large that sums are rounded to more than 2⁻⁸.
  func search(_ word: UnsafeRawBufferPointer, _ model: UnigramModel) -> Outcome? {
    guard word.count <= Self.longestWord else { return nil }
    let (before, behind) = unsafe (before, behind)
    unsafe before.initialize(repeating: -.infinity, count: word.count + 1)
    unsafe behind.initialize(repeating: -.infinity, count: word.count + 1)
    unsafe before[0] = 0
    unsafe behind[word.count] = 0
    let (characterCount, highestScore) = unsafe gather(word, model)
    // No sum may reach 2¹⁷, on whatever way.
    guard highestScore < Self.highestDistance / Double(max(1, characterCount)) else { return nil }
    for index in stride(from: edgeCount - 1, through: 0, by: -1) {
      let edge = unsafe edges[index]
      let sum = unsafe behind[edge.end] + edge.score
      if unsafe sum > behind[edge.start] { unsafe behind[edge.start] = sum }
    }
    // Twice 2⁻⁸ for each addition, and something for the additions here.
    return unsafe keepWays(
      atLeast: before[word.count] - Double(characterCount) * 0x1.04p-7 - 1e-6, model.unknown ?? .max)
  }

  /// Takes all pieces of a word, by where they begin, with the best sums before them.
  private func gather(
    _ word: UnsafeRawBufferPointer, _ model: UnigramModel
  ) -> (characterCount: Int, highestScore: Double) {
    let (edges, before, trie) = unsafe (edges, before, model.trie)
    var (position, characterCount, count, highestScore) = (0, 0, 0, 0.0)
    func add(_ end: Int, _ id: UInt32, _ score: Double) {
      unsafe edges[count] = Edge(start: position, end: end, id: id, score: score)
      count &+= 1
      if score.magnitude > highestScore { highestScore = score.magnitude }
      let sum = unsafe before[position] + score
      if unsafe sum > before[end] { unsafe before[end] = sum }
    }
    while position < word.count {
      let next = unsafe min(word.count, position &+ UnigramModel.characterByteCount(word[position]))
      var (node, end, isKnown) = (trie.root, position, false)
      while end < word.count {
        node = unsafe trie.child(of: node, word[end])
        guard node.exists else { break }
        end &+= 1
        guard node.storedValue != 0 else { continue }
        let id = node.storedValue &- 1
        add(end, id, model.score(of: id))
        if end == next { isKnown = true }
      }
      if !isKnown { add(next, model.unknown ?? .max, model.unknownScore) }
      (position, characterCount) = (next, characterCount &+ 1)
    }
    edgeCount = count
    return (characterCount, highestScore)
  }

  private func keepWays(atLeast least: Double, _ unknown: UInt32) -> Outcome {
    var (outcome, end) = (Outcome(), 0)
    // Lists of an object would be guarded anew at every append.
    var (ways, ids): ([UInt32], [UInt32]) = ([], [])
    swap(&ways, &self.ways)
    swap(&ids, &self.ids)
    defer {
      self.ways = ways
      self.ids = ids
    }
    ways.removeAll(keepingCapacity: true)
    ids.removeAll(keepingCapacity: true)
    ways.append(0)
    for index in 0..<edgeCount {
      let edge = unsafe edges[index]
      let sum = unsafe before[edge.start]
      if sum.magnitude > outcome.magnitude { outcome.magnitude = sum.magnitude }
      guard unsafe sum + edge.score + behind[edge.end] >= least else { continue }
      ways.append(UInt32(truncatingIfNeeded: edge.start | edge.end &<< 8))
      ways.append(edge.id)
      ids.append(edge.id)
      if edge.id == unknown { outcome.meetsUnknown = true }
      if edge.start != end { outcome.isSettled = false }
      end = edge.end
    }
    if outcome.meetsUnknown { outcome.isSettled = false }
    return outcome
  }

  /// The ways with the magnitude of the sum before them up to which they are all.
  func ways(below limit: Float) -> [UInt32] {
    ways[0] = limit.bitPattern
    return ways
  }
}
