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
  /// How far a sum may move within a word.
  private static let highestDistance = 30_000.0
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
  /// The best sums from the beginning to a node, and from it to the end.
  private let before = UnsafeMutablePointer<Double>.allocate(capacity: nodeCount)
  private let behind = UnsafeMutablePointer<Double>.allocate(capacity: nodeCount)
  private let sums = UnsafeMutablePointer<Float>.allocate(capacity: nodeCount)
  /// Number of the piece that a node is reached by, plus one.
  private let last = UnsafeMutablePointer<UInt16>.allocate(capacity: nodeCount)
  /// Numbers of the pieces of the best way, from its end on.
  private let way = UnsafeMutablePointer<UInt16>.allocate(capacity: nodeCount)

  deinit {
    unsafe before.deallocate()
    unsafe behind.deallocate()
    unsafe sums.deallocate()
    unsafe last.deallocate()
    unsafe way.deallocate()
  }

  // MARK: Gathering

  /// What may become of a word.
  struct Ways {
    /// As ``replay(_:at:from:_:)`` takes them.
    var pieces: [UInt32]
    /// Of the only way, when there is one, without unknown characters; else nil.
    var ids: [UInt32]?
    /// The highest magnitude that the best sum has before a piece.
    var magnitude: Double
  }

  /// The ways through a word of at most ``WordCache/maximumKeyByteCount`` bytes; nil when scores are so large that sums are
  /// rounded to more than 2⁻⁸.
  func ways(through word: UnsafeRawBufferPointer, _ model: UnigramModel) -> Ways? {
    let count = word.count
    guard count < Self.nodeCount else { return nil }
    var edges: [Edge] = []
    swap(&edges, &self.edges)
    defer { swap(&edges, &self.edges) }
    let characterCount = unsafe Self.gather(word, model, into: &edges)
    let (before, behind) = unsafe (before, behind)
    unsafe before.initialize(repeating: -.infinity, count: count + 1)
    unsafe behind.initialize(repeating: -.infinity, count: count + 1)
    unsafe before[0] = 0
    unsafe behind[count] = 0
    // No sum may reach 2¹⁷, on whatever way.
    let highestScore = Self.highestDistance / Double(max(1, characterCount))
    for edge in edges {
      guard edge.score.magnitude < highestScore else { return nil }
      unsafe before[edge.end] = max(before[edge.end], before[edge.start] + edge.score)
    }
    for edge in edges.reversed() {
      unsafe behind[edge.start] = max(behind[edge.start], behind[edge.end] + edge.score)
    }
    // Twice 2⁻⁸ for each addition, and something for the additions here.
    let least = unsafe before[count] - Double(characterCount) * 0x1.04p-7 - 1e-6
    var ways = Ways(pieces: [], ids: [], magnitude: 0)
    var end = 0
    for edge in edges {
      unsafe ways.magnitude = max(ways.magnitude, before[edge.start].magnitude)
      guard unsafe before[edge.start] + edge.score + behind[edge.end] >= least else { continue }
      ways.pieces.append(UInt32(edge.start) | UInt32(edge.end) << 8)
      ways.pieces.append(edge.id)
      ways.pieces.append(Float(edge.score).bitPattern)
      if edge.start == end, edge.id != model.unknown ?? .max { ways.ids?.append(edge.id) } else { ways.ids = nil }
      end = edge.end
    }
    return ways
  }

  /// Takes all pieces of a word, by where they begin, and gives how many characters it has.
  private static func gather(
    _ word: UnsafeRawBufferPointer, _ model: UnigramModel, into edges: inout [Edge]
  ) -> Int {
    edges.removeAll(keepingCapacity: true)
    var (position, characterCount) = (0, 0)
    while position < word.count {
      let next = unsafe min(word.count, position &+ UnigramModel.characterByteCount(word[position]))
      var (node, end, isKnown) = (model.trie.root, position, false)
      while end < word.count {
        node = unsafe model.trie.child(of: node, word[end])
        guard node.exists else { break }
        end &+= 1
        guard node.storedValue != 0 else { continue }
        let id = node.storedValue &- 1
        edges.append(Edge(start: position, end: end, id: id, score: model.score(of: id)))
        if end == next { isKnown = true }
      }
      if !isKnown {
        edges.append(Edge(start: position, end: next, id: model.unknown ?? .max, score: model.unknownScore))
      }
      (position, characterCount) = (next, characterCount &+ 1)
    }
    return characterCount
  }

  // MARK: Searching

  /// Hands on the pieces of the best way through a word, and gives the sum behind it.
  ///
  /// - Parameters:
  ///   - pieces: What ``ways(through:_:)`` gave for the word.
  ///   - range: Where the word stands in the text.
  ///   - sum: Of all that stands before.
  @inline(__always)
  @unsafe func replay(
    _ pieces: UnsafeBufferPointer<UInt32>, at range: Range<Int>, from sum: Float, _ body: (Range<Int>, UInt32) -> Void
  ) -> Float {
    let (sums, last, way) = unsafe (sums, last, way)
    let count = range.count
    guard count < Self.nodeCount else { return sum }
    unsafe last.initialize(repeating: 0, count: count &+ 1)
    unsafe sums[0] = sum
    for edge in 0..<pieces.count / Self.wordsPerEdge {
      let (start, end) = unsafe Self.bounds(pieces, edge)
      guard end <= count else { continue }
      let candidate = unsafe sums[start] + Float(bitPattern: pieces[Self.wordsPerEdge &* edge &+ 2])
      // Of equal ones the first stands.
      if unsafe last[end] == 0 || candidate > sums[end] {
        unsafe sums[end] = candidate
        unsafe last[end] = UInt16(truncatingIfNeeded: edge &+ 1)
      }
    }
    var (place, length) = (count, 0)
    while unsafe place > 0 && last[place] > 0 {
      unsafe way[length] = last[place] &- 1
      length &+= 1
      place = unsafe Self.bounds(pieces, Int(last[place]) &- 1).start
    }
    while length > 0 {
      length &-= 1
      let edge = unsafe Int(way[length])
      let (start, end) = unsafe Self.bounds(pieces, edge)
      unsafe body(
        range.lowerBound &+ start..<range.lowerBound &+ end, pieces[Self.wordsPerEdge &* edge &+ 1])
    }
    return unsafe sums[count]
  }

  @inline(__always)
  private static func bounds(_ pieces: UnsafeBufferPointer<UInt32>, _ edge: Int) -> (start: Int, end: Int) {
    let bounds = unsafe pieces[wordsPerEdge &* edge]
    return (Int(bounds & 0xFF), Int(bounds >> 8))
  }
}
