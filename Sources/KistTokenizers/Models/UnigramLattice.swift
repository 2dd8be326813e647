/// The ways through a word that may be the best one, whatever stands before it.
///
/// SentencePiece adds scores as f32 to the sum of all that stands before. Where two ways through a word are about as likely, rounding decides
/// between them, and the next time perhaps otherwise. But below 2¹⁷ an addition is off by 2⁻⁸ at most, so a way that is worse than the best
/// by more than twice that for each character never wins. The pieces of the ways that are left are kept, a few for a word, and searched anew
/// each time as the library does, with its sums and its comparisons in its order. Without the other pieces the winner stays the same: its
/// sums are what they were, and no way that it is compared with gains.
@safe final class UnigramLattice {
  /// Words of this sum or more are not searched so.
  static let highestMagnitude = 1900.0
  /// In the memory of words: where a piece begins and ends, its id, the bits of its score.
  static let wordsPerEdge = 3

  private struct Edge {
    var start: Int
    var end: Int
    var id: UInt32
    var score: Double
  }

  private static let nodeCount = WordCache.maximumKeyByteCount + 1
  private var edges: [Edge] = []
  private var packed: [UInt32] = []
  private let sums = UnsafeMutablePointer<Float>.allocate(capacity: nodeCount)
  /// Number of the piece that a node is reached by, plus one.
  private let last = UnsafeMutablePointer<UInt16>.allocate(capacity: nodeCount)
  private var way: [Int] = []

  deinit {
    unsafe sums.deallocate()
    unsafe last.deallocate()
  }

  // MARK: Gathering

  /// The pieces of a word of at most ``WordCache/maximumKeyByteCount`` bytes, as ``replay(_:at:from:_:)`` takes them; nil when a score
  /// is no number.
  func pieces(of word: UnsafeRawBufferPointer, _ model: UnigramModel) -> [UInt32]? {
    let characterCount = unsafe gather(word, model)
    guard edges.allSatisfy({ $0.score.isFinite }) else { return nil }
    var before = [Double](repeating: -.infinity, count: word.count + 1)
    var behind = before
    before[0] = 0
    behind[word.count] = 0
    for edge in edges { before[edge.end] = max(before[edge.end], before[edge.start] + edge.score) }
    for edge in edges.reversed() { behind[edge.start] = max(behind[edge.start], behind[edge.end] + edge.score) }
    // Twice 2⁻⁸ for each addition, and something for the additions here.
    let least = before[word.count] - Double(characterCount) * 0x1.04p-7 - 1e-6
    packed.removeAll(keepingCapacity: true)
    for edge in edges where before[edge.start] + edge.score + behind[edge.end] >= least {
      packed.append(UInt32(edge.start) | UInt32(edge.end) << 8)
      packed.append(edge.id)
      packed.append(Float(edge.score).bitPattern)
    }
    return packed
  }

  /// Takes all pieces of a word, by where they begin, and gives how many characters it has.
  private func gather(_ word: UnsafeRawBufferPointer, _ model: UnigramModel) -> Int {
    edges.removeAll(keepingCapacity: true)
    var (position, characterCount) = (0, 0)
    while position < word.count {
      let next = unsafe min(word.count, position + UnigramModel.characterByteCount(word[position]))
      var (node, end, isKnown) = (model.trie.root, position, false)
      while end < word.count {
        node = unsafe model.trie.child(of: node, word[end])
        guard node.exists else { break }
        end += 1
        guard node.storedValue != 0 else { continue }
        let id = node.storedValue - 1
        edges.append(Edge(start: position, end: end, id: id, score: model.score(of: id)))
        if end == next { isKnown = true }
      }
      if !isKnown {
        edges.append(Edge(start: position, end: next, id: model.unknown ?? .max, score: model.unknownScore))
      }
      (position, characterCount) = (next, characterCount + 1)
    }
    return characterCount
  }

  // MARK: Searching

  /// Appends the pieces of the best way through a word, and gives the sum behind it.
  ///
  /// - Parameters:
  ///   - pieces: What ``pieces(of:_:)`` gave for the word.
  ///   - range: Where the word stands in the text.
  ///   - sum: Of all that stands before.
  func replay(_ pieces: ArraySlice<UInt32>, at range: Range<Int>, from sum: Float, _ body: (Range<Int>, UInt32) -> Void)
    -> Float
  {
    let count = range.count
    guard count < Self.nodeCount else { return sum }
    unsafe last.initialize(repeating: 0, count: count + 1)
    unsafe sums[0] = sum
    return unsafe pieces.withUnsafeBufferPointer { pieces in
      let edgeCount = pieces.count / Self.wordsPerEdge
      for edge in 0..<edgeCount {
        let (start, end) = unsafe Self.bounds(pieces, edge)
        guard end <= count else { continue }
        let candidate = unsafe sums[start] + Float(bitPattern: pieces[Self.wordsPerEdge * edge + 2])
        // Of equal ones the first stands.
        if unsafe last[end] == 0 || candidate > sums[end] {
          unsafe sums[end] = candidate
          unsafe last[end] = UInt16(truncatingIfNeeded: edge + 1)
        }
      }
      way.removeAll(keepingCapacity: true)
      var place = count
      while unsafe place > 0 && last[place] > 0 {
        let edge = unsafe Int(last[place]) - 1
        way.append(edge)
        place = unsafe Self.bounds(pieces, edge).start
      }
      for edge in way.reversed() {
        let (start, end) = unsafe Self.bounds(pieces, edge)
        unsafe body(range.lowerBound + start..<range.lowerBound + end, pieces[Self.wordsPerEdge * edge + 1])
      }
      return unsafe sums[count]
    }
  }

  private static func bounds(_ pieces: UnsafeBufferPointer<UInt32>, _ edge: Int) -> (start: Int, end: Int) {
    let bounds = unsafe pieces[wordsPerEdge * edge]
    return (Int(bounds & 0xFF), Int(bounds >> 8))
  }
}
