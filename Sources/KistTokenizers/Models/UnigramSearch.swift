import KistCore

/// Viterbi's search over a part of a text, with scores added as `Score`.
///
/// For each place in the text it keeps the best way there and by how much that won. Where no piece lies across a place,
/// everything before it is settled, and given out: memory is bounded by the longest stretch without such a place.
final class UnigramSearch<Score: BinaryFloatingPoint> {
  /// The best way to a place.
  struct Node {
    var score: Score = 0
    /// That of the second best way.
    var runnerUp: Score = -.infinity
    /// Where the last piece begins; -1 as long as nothing leads here.
    var start: Int32 = -1
    var id: UInt32 = 0
  }

  /// A piece of the result.
  struct Edge {
    var start: Int
    var end: Int
    var id: UInt32
  }

  /// What is known of the way found.
  struct Outcome {
    var score: Score
    /// The least difference by which a node of the way was won.
    var margin = Score.infinity
    /// The highest score's magnitude on any way.
    var magnitude: Score = 0
    var characterCount = 0
    var meetsUnknown = false
  }

  private let store = NodeStore()
  private(set) var edges: [Edge] = []
  private static var settledByteCount: Int { 1 << 14 }

  /// Segments `range` of the text; the pieces are in ``edges`` after.
  ///
  /// - Parameter start: The score of what stands before.
  /// - Throws: `invalid` when a character is in no piece and the model has no unknown token.
  func run(
    _ model: UnigramModel, _ text: UnsafeRawBufferPointer, _ range: Range<Int>, from start: Score
  ) throws(KistError) -> Outcome {
    edges.removeAll(keepingCapacity: true)
    var path = Path(store)
    var outcome = Outcome(score: start)
    path.begin(at: range.lowerBound, start)
    let longest = max(model.maximumTokenByteCount, 4)
    let limit: Score = model.followsSentencePiece ? 100_000 : .infinity
    var position = range.lowerBound
    while position < range.upperBound {
      let reach = min(range.upperBound, position &+ longest)
      path.prepare(upTo: reach)
      if path[position].score.magnitude > limit { path.startOver(at: position) }
      outcome.magnitude = max(outcome.magnitude, path[position].score.magnitude)
      outcome.characterCount &+= 1
      let next = unsafe min(range.upperBound, position &+ UnigramModel.characterByteCount(text[position]))
      if unsafe !extend(&path, model, text, position, next, reach) {
        outcome.meetsUnknown = true
        let id = model.unknown ?? .max
        let isBest = path.offer(next, path[position].score + Score(model.unknownScore), from: position, id)
        if isBest, model.unknown == nil, !model.followsSentencePiece { throw Self.missingUnknown }
      }
      position = next
      if path.frontier == position, position &- path.base > Self.settledByteCount {
        settle(path, position, &outcome)
        path.begin(at: position, path[position].score)
      }
    }
    outcome.score = path[range.upperBound].score
    settle(path, range.upperBound, &outcome)
    return outcome
  }

  /// Offers all pieces that begin at a place; false when the character that ends at `next` is not one of them.
  @inline(__always)
  private func extend(
    _ path: inout Path, _ model: UnigramModel, _ text: UnsafeRawBufferPointer, _ position: Int, _ next: Int,
    _ reach: Int
  ) -> Bool {
    let here = path[position].score
    var (node, end, isKnown) = (model.trie.root, position, false)
    while end < reach {
      node = unsafe model.trie.child(of: node, text[end])
      guard node.exists else { break }
      end &+= 1
      guard node.storedValue != 0 else { continue }
      let id = node.storedValue &- 1
      _ = path.offer(end, here + Score(model.score(of: id)), from: position, id)
      if end == next { isKnown = true }
    }
    return isKnown
  }

  /// Gives out the pieces of the way to a place.
  private func settle(_ path: Path, _ last: Int, _ outcome: inout Outcome) {
    let first = edges.count
    var end = last
    while end > path.base {
      let node = path[end]
      let start = path.base &+ Int(node.start)
      // Every character's beginning is reached, so this only guards against texts that are not UTF-8.
      guard node.start >= 0, start < end else { break }
      edges.append(Edge(start: start, end: end, id: node.id))
      outcome.margin = min(outcome.margin, node.score - node.runnerUp)
      end = start
    }
    edges[first...].reverse()
  }

  private static var missingUnknown: KistError {
    KistError(
      .invalid, field: "text", "has a character that the vocabulary lacks, and the model has no unknown token",
      advice: "tokenizers fails here too")
  }
}

extension UnigramSearch {
  /// Memory for nodes, kept from run to run.
  @safe final class NodeStore {
    fileprivate private(set) var nodes: UnsafeMutableBufferPointer<Node>

    init() {
      unsafe nodes = .allocate(capacity: 256)
      unsafe nodes.initialize(repeating: Node())
    }

    deinit { unsafe nodes.deallocate() }

    fileprivate func grow(to count: Int) {
      let larger = unsafe UnsafeMutableBufferPointer<Node>.allocate(capacity: max(count, 2 * nodes.count))
      unsafe larger.initialize(repeating: Node())
      for index in unsafe nodes.indices { unsafe larger[index] = nodes[index] }
      unsafe nodes.deallocate()
      unsafe nodes = larger
    }
  }

  /// The nodes from a place on at which all that stands before is settled. It lives no longer than its store.
  @safe struct Path {
    private let store: NodeStore
    private var nodes: UnsafeMutableBufferPointer<Node>
    fileprivate private(set) var base = 0
    /// The furthest place that is reached.
    fileprivate private(set) var frontier = 0
    private var readyCount = 0

    fileprivate init(_ store: NodeStore) {
      self.store = store
      unsafe nodes = store.nodes
    }

    private var capacity: Int { unsafe nodes.count }

    @inline(__always)
    private subscript(index index: Int) -> Node {
      get {
        precondition(UInt(bitPattern: index) < UInt(bitPattern: capacity))
        return unsafe nodes[index]
      }
      nonmutating set {
        precondition(UInt(bitPattern: index) < UInt(bitPattern: capacity))
        unsafe nodes[index] = newValue
      }
    }

    @inline(__always)
    fileprivate subscript(place: Int) -> Node { self[index: place &- base] }

    /// Starts anew.
    fileprivate mutating func begin(at place: Int, _ score: Score) {
      (base, frontier, readyCount) = (place, place, 0)
      prepare(upTo: place)
      self[index: 0] = Node(score: score, start: .max)
    }

    /// Makes the nodes up to a place ready.
    @inline(__always)
    fileprivate mutating func prepare(upTo place: Int) {
      let count = place &- base &+ 1
      guard readyCount < count else { return }
      if capacity < count {
        store.grow(to: count)
        unsafe nodes = store.nodes
      }
      for index in readyCount..<count { self[index: index] = Node() }
      readyCount = count
    }

    /// Offers a way to a place; true when it is the best so far. Of equal ones the first stands.
    @inline(__always)
    fileprivate mutating func offer(_ place: Int, _ score: Score, from start: Int, _ id: UInt32) -> Bool {
      let index = place &- base
      var node = self[index: index]
      let offset = Int32(truncatingIfNeeded: start &- base)
      if node.start == -1 {
        self[index: index] = Node(score: score, start: offset, id: id)
        frontier = max(frontier, place)
      } else if score > node.score {
        self[index: index] = Node(score: score, runnerUp: node.score, start: offset, id: id)
      } else {
        if score > node.runnerUp {
          node.runnerUp = score
          self[index: index] = node
        }
        return false
      }
      return true
    }

    /// unigram_model.cc, `kScoreResetThreshold`: keeps sums where floats are fine.
    fileprivate mutating func startOver(at place: Int) {
      let offset = self[place].score
      for index in place &- base...max(place, frontier) &- base where self[index: index].start != -1 {
        var node = self[index: index]
        node.score -= offset
        self[index: index] = node
      }
    }
  }
}
