/// Pairs that wait to be merged, the most frequent first: a heap with four children a node.
///
/// Counts are those of the moment when a pair came in; whoever takes one out compares. Of equal counts the lower pair is first.
struct PairQueue {
  struct Entry: BitwiseCopyable {
    var count: UInt64
    var pair: UInt64
    /// Where the list of words begins in which the pair was found.
    var list: Int

    func precedes(_ other: Entry) -> Bool {
      if count != other.count { return count > other.count }
      if pair != other.pair { return pair < other.pair }
      return list < other.list
    }
  }

  private let heap = GrowingMemory<Entry>()

  var first: Entry? { heap.count > 0 ? heap[0] : nil }

  mutating func insert(_ entry: Entry) {
    heap.append(entry)
    var index = heap.count - 1
    while index > 0 {
      let parent = (index - 1) / 4
      if !entry.precedes(heap[parent]) { break }
      heap[index] = heap[parent]
      index = parent
    }
    heap[index] = entry
  }

  mutating func removeFirst() {
    let last = heap[heap.count - 1]
    heap.removeLast()
    if heap.count > 0 { sink(last) }
  }

  /// Gives the first entry another count.
  mutating func recountFirst(_ count: UInt64) {
    var entry = heap[0]
    entry.count = count
    sink(entry)
  }

  /// Puts an entry at the root, then down to where it belongs.
  private func sink(_ entry: Entry) {
    var index = 0
    while true {
      let firstChild = 4 * index + 1
      if firstChild >= heap.count { break }
      var best = firstChild
      for child in firstChild + 1..<max(firstChild + 1, min(firstChild + 4, heap.count))
      where heap[child].precedes(heap[best]) { best = child }
      if !heap[best].precedes(entry) { break }
      heap[index] = heap[best]
      index = best
    }
    heap[index] = entry
  }
}
