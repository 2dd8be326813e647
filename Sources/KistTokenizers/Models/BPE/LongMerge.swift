/// Merges long runs of symbols: a linked list, and a heap of what may merge.
///
/// An entry of the heap is a rank and a place. What stands at a place changes as its neighbours merge; an entry counts only while the
/// pair at its place still has its rank.
struct LongMerge {
  private struct Node {
    var symbol: UInt32
    var previous: UInt32
    var next: UInt32
    /// Of this node with the next one; none when they do not merge, or this node is gone.
    var value: UInt64
  }

  private static let end = UInt32.max

  private var nodes: [Node] = []
  private var heap = MinimumHeap()

  /// - Complexity: O(n log n).
  mutating func merge(_ symbols: inout [UInt32], _ table: some PairLookup) {
    fill(symbols, table)
    while let entry = heap.popLeast() {
      let left = Int(UInt32(truncatingIfNeeded: entry))
      let value = nodes[left].value
      guard value != Merging.none, Merging.rank(value) == UInt32(truncatingIfNeeded: entry >> 32) else { continue }
      let right = Int(nodes[left].next)
      let after = nodes[right].next
      nodes[left].symbol = Merging.merged(value)
      nodes[left].next = after
      nodes[right].value = Merging.none
      if after != Self.end { nodes[Int(after)].previous = UInt32(left) }
      look(left, table)
      if nodes[left].previous != Self.end { look(Int(nodes[left].previous), table) }
    }
    var (count, place) = (0, 0)
    while true {
      symbols[count] = nodes[place].symbol
      count += 1
      if nodes[place].next == Self.end { break }
      place = Int(nodes[place].next)
    }
    symbols.removeSubrange(count...)
  }

  private mutating func fill(_ symbols: [UInt32], _ table: some PairLookup) {
    nodes.removeAll(keepingCapacity: nodes.capacity < 1 << 16)
    nodes.reserveCapacity(symbols.count)
    var entries = heap.takeMemory()
    for (place, symbol) in symbols.enumerated() {
      let isLast = place == symbols.count - 1
      let value = isLast ? Merging.none : table.find(symbol, symbols[place + 1])
      if Merging.rank(value) != .max { entries.append(UInt64(Merging.rank(value)) << 32 | UInt64(place)) }
      nodes.append(
        Node(
          symbol: symbol, previous: place == 0 ? Self.end : UInt32(place - 1),
          next: isLast ? Self.end : UInt32(place + 1),
          value: Merging.rank(value) == .max ? Merging.none : value))
    }
    heap.fill(entries)
  }

  /// Looks up what a node and the next one merge into.
  private mutating func look(_ place: Int, _ table: some PairLookup) {
    let next = nodes[place].next
    var value = next == Self.end ? Merging.none : table.find(nodes[place].symbol, nodes[Int(next)].symbol)
    if Merging.rank(value) == .max { value = Merging.none }
    nodes[place].value = value
    if value != Merging.none { heap.insert(UInt64(Merging.rank(value)) << 32 | UInt64(place)) }
  }
}

/// A heap of numbers whose nodes have four children: half as deep as one of two, and the children share a cache line.
struct MinimumHeap {
  private var elements: [UInt64] = []

  /// The heap's array, emptied, to be filled and given back.
  mutating func takeMemory() -> [UInt64] {
    var memory: [UInt64] = []
    swap(&memory, &elements)
    memory.removeAll(keepingCapacity: memory.capacity < 1 << 16)
    return memory
  }

  mutating func fill(_ unordered: [UInt64]) {
    elements = unordered
    guard elements.count > 1 else { return }
    for index in stride(from: (elements.count - 2) / 4, through: 0, by: -1) { sink(elements[index], from: index) }
  }

  mutating func insert(_ element: UInt64) {
    var place = elements.count
    elements.append(element)
    while place > 0 {
      let parent = (place - 1) / 4
      if elements[parent] <= element { break }
      elements[place] = elements[parent]
      place = parent
    }
    elements[place] = element
  }

  mutating func popLeast() -> UInt64? {
    guard let last = elements.popLast() else { return nil }
    guard let least = elements.first else { return last }
    sink(last, from: 0)
    return least
  }

  private mutating func sink(_ element: UInt64, from start: Int) {
    var place = start
    while true {
      let first = 4 * place + 1
      guard first < elements.count else { break }
      var least = first
      for child in first + 1..<max(first + 1, min(first + 4, elements.count)) where elements[child] < elements[least] {
        least = child
      }
      if elements[least] >= element { break }
      elements[place] = elements[least]
      place = least
    }
    elements[place] = element
  }
}
