/// Pairs that wait to be merged, the most frequent first; of equally frequent ones the lower pair.
///
/// Counts are those of the moment when a pair came in; whoever takes one out compares.
///
/// A pair can wait twice, with different words, when a token comes about twice. Which of the two is first decides what is counted next, and is
/// left to the layout of the heap. So this is the reference's heap, step by step: eight children a node, a new entry rises past
/// lesser ones only, and the last entry takes the place of the first by way of the bottom, past the greatest child, the last
/// of equal ones. Source: dary_heap, `OctonaryHeap`.
struct PairQueue {
  struct Entry: BitwiseCopyable {
    var count: UInt64
    var pair: UInt64
    /// Where the list of words begins in which the pair was found.
    var list: Int

    func precedes(_ other: Entry) -> Bool { count != other.count ? count > other.count : pair < other.pair }
  }

  private let heap = GrowingMemory<Entry>()

  mutating func insert(_ entry: Entry) {
    heap.append(entry)
    rise(from: heap.count - 1)
  }

  mutating func removeFirst() -> Entry? {
    guard heap.count > 0 else { return nil }
    let last = heap[heap.count - 1]
    heap.removeLast()
    guard heap.count > 0 else { return last }
    let first = heap[0]
    heap[0] = last
    sinkToBottom()
    return first
  }

  private func rise(from start: Int) {
    let entry = heap[start]
    var index = start
    while index > 0 {
      let parent = (index - 1) / 8
      if !entry.precedes(heap[parent]) { break }
      heap[index] = heap[parent]
      index = parent
    }
    heap[index] = entry
  }

  private func sinkToBottom() {
    let entry = heap[0]
    var index = 0
    while 8 * index + 1 < heap.count {
      let children = 8 * index + 1..<min(8 * index + 9, heap.count)
      var greatest = children.lowerBound
      for child in children.dropFirst() where !heap[greatest].precedes(heap[child]) { greatest = child }
      heap[index] = heap[greatest]
      index = greatest
    }
    heap[index] = entry
    rise(from: index)
  }
}
