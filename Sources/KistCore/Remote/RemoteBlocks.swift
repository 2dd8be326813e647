/// Which blocks of a file on a server are here, on their way, or wanted soon.
package struct RemoteBlocks {
  /// Bytes that are fetched together: small things that lie side by side come with one request.
  package static let byteCount = 64 << 10
  /// Blocks that one request asks for at most, so that several share a long range.
  package static let mostPerRequest = (8 << 20) / byteCount

  private var here: Set<Int>
  private var onTheWay: Set<Int> = []
  /// Wanted soon, in order; what came over since then is skipped when its turn comes.
  private var queue: [Range<Int>] = []
  private var queued: Set<Int> = []

  package init(here: Set<Int>) { self.here = here }

  /// The blocks that hold a range of bytes.
  package static func blocks(of range: Range<Int>) -> Range<Int> {
    range.isEmpty ? 0..<0 : range.lowerBound / byteCount..<(range.upperBound - 1) / byteCount + 1
  }

  /// The first of these blocks that is not here.
  package func firstMissing(of blocks: Range<Int>) -> Int? { blocks.first { !here.contains($0) } }

  /// Blocks from this one on that nobody asked for yet, for one request, now on their way; nil when somebody asked for the first.
  package mutating func claim(from first: Int, upTo end: Int) -> Range<Int>? {
    var last = first
    while last < end, last - first < Self.mostPerRequest, !here.contains(last), !onTheWay.contains(last) { last += 1 }
    guard last > first else { return nil }
    onTheWay.formUnion(first..<last)
    return first..<last
  }

  /// Notes that blocks will be wanted; they are fetched in this order.
  package mutating func want(_ blocks: Range<Int>) {
    for block in blocks where !here.contains(block) && !onTheWay.contains(block) && queued.insert(block).inserted {
      if let last = queue.last, last.upperBound == block {
        queue[queue.count - 1] = last.lowerBound..<block + 1
      } else {
        queue.append(block..<block + 1)
      }
    }
  }

  /// The next blocks that are wanted, for one request, now on their way; nil when there are none.
  package mutating func claimNext() -> Range<Int>? {
    while let next = queue.first {
      guard let start = next.first(where: { !here.contains($0) && !onTheWay.contains($0) }),
        let claimed = claim(from: start, upTo: next.upperBound)
      else {
        queued.subtract(next)
        queue.removeFirst()
        continue
      }
      queued.subtract(next.lowerBound..<claimed.upperBound)
      if claimed.upperBound < next.upperBound {
        queue[0] = claimed.upperBound..<next.upperBound
      } else {
        queue.removeFirst()
      }
      return claimed
    }
    return nil
  }

  /// Forgets what is wanted.
  package mutating func wantNothing() {
    queue = []
    queued = []
  }

  /// Notes that blocks are here.
  package mutating func arrived(_ blocks: Range<Int>) {
    here.formUnion(blocks)
    onTheWay.subtract(blocks)
  }

  /// Notes that the rest of what was claimed does not come.
  package mutating func gaveUp(_ blocks: Range<Int>) { onTheWay.subtract(blocks) }
}
