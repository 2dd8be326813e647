import KistCore

/// Finds the most frequent pair and merges it, one after the other.
///
/// The steps are those of the reference, since its results hang on them: a pair waits with the words in which it was noted; a merge goes through
/// exactly those words; counts are corrected by what each merge changes, never recounted; an entry of the queue whose count is out of
/// date goes back with the right one. How often a merged pair itself occurs is not corrected: tokens that come about twice meet it again.
@safe final class MergeLearner {
  /// A pair taken from the queue.
  struct Best {
    let left: UInt32
    let right: UInt32
    fileprivate let list: Int
  }

  /// Lists of at least this many words are worth waking other threads for.
  private static let parallelWordCount = 16_384

  private let words: TrainingWords
  private let parallelism: Parallelism
  private let pairs = PairCounts()
  private var queue = PairQueue()
  /// Lists of words: how many, then their indices, ascending. Taken ones stay: all lists together have fewer than three words a symbol.
  private let lists = GrowingMemory<UInt32>()
  /// One for each thread.
  private let tallies: [NeighbourTally]
  private var mergeCount = 0

  /// - Parameter tokenCount: How many tokens there are before the first merge.
  init(_ words: TrainingWords, tokenCount: Int, _ parallelism: Parallelism) throws(KistError) {
    self.words = words
    self.parallelism = parallelism
    tallies = (0..<parallelism.threadCount).map { _ in NeighbourTally() }
    for tally in tallies { tally.reserve(tokenCount) }
    try parallelism.cancellation.check()
    countPairs()
  }

  /// The most frequent pair, taken from the queue; nil when none occurs often enough.
  func takeMostFrequent(atLeast minimum: UInt64) -> Best? {
    while var entry = queue.removeFirst() {
      // A count below zero becomes an enormous one, as in the reference.
      let count = UInt64(bitPattern: pairs[entry.pair])
      if entry.count == count {
        guard count >= max(minimum, 1) else { return nil }
        return Best(left: UInt32(entry.pair >> 32), right: UInt32(truncatingIfNeeded: entry.pair), list: entry.list)
      }
      entry.count = count
      queue.insert(entry)
    }
    return nil
  }

  /// Merges a pair in the words it was noted in.
  ///
  /// - Throws: `interrupted`.
  func merge(_ best: Best, into merged: UInt32) throws(KistError) {
    mergeCount += 1
    if mergeCount % 256 == 0 { try parallelism.cancellation.check() }
    for tally in tallies { tally.reserve(Int(merged) + 1) }
    let count = Int(lists[best.list])
    if count >= Self.parallelWordCount && tallies.count > 1 {
      try parallelism.forEach(tallies.count) { [tallies] (index) in
        let part = count * index / tallies.count..<count * (index + 1) / tallies.count
        self.merge(best, part, into: merged, tallies[index])
      }
      for tally in tallies.dropFirst() { tallies[0].absorb(tally) }
    } else {
      merge(best, 0..<count, into: merged, tallies[0])
    }
    correctCounts(best, merged)
    queueGainedPairs(merged)
    for tally in tallies { tally.clear() }
  }

  private func merge(_ best: Best, _ part: Range<Int>, into merged: UInt32, _ tally: NeighbourTally) {
    let list = unsafe UnsafeBufferPointer(start: lists.base + best.list + 1 + part.lowerBound, count: part.count)
    let merge = NeighbourTally.Merge(left: best.left, right: best.right, merged: merged)
    unsafe tally.merge(merge, in: words, list)
  }

  private func correctCounts(_ best: Best, _ merged: UInt32) {
    let total = tallies[0]
    for index in 0..<total.touched.count {
      let id = total.touched[index]
      let neighbour = total.neighbours[Int(id)]
      if neighbour.lostBefore > 0 { pairs.add(-neighbour.lostBefore, to: PairCounts.pair(id, best.left)) }
      if neighbour.gainedBefore > 0 { pairs.add(neighbour.gainedBefore, to: PairCounts.pair(id, merged)) }
      if neighbour.lostBehind > 0 { pairs.add(-neighbour.lostBehind, to: PairCounts.pair(best.right, id)) }
      if neighbour.gainedBehind > 0 { pairs.add(neighbour.gainedBehind, to: PairCounts.pair(merged, id)) }
    }
  }

  /// Puts pairs that came about into the queue, with the words they were seen in.
  private func queueGainedPairs(_ merged: UInt32) {
    let total = tallies[0]
    for index in 0..<total.touched.count {
      let id = total.touched[index]
      var neighbour = total.neighbours[Int(id)]
      neighbour.placeBefore = enqueue(PairCounts.pair(id, merged), wordCount: neighbour.wordsBefore)
      neighbour.placeBehind = enqueue(PairCounts.pair(merged, id), wordCount: neighbour.wordsBehind)
      total.neighbours[Int(id)] = neighbour
    }
    for tally in tallies.dropFirst() where tally.sightings.count > 0 {
      for index in 0..<tally.touched.count {
        let id = Int(tally.touched[index])
        let begin = total.neighbours[id]
        tally.neighbours[id].placeBefore =
          begin.placeBefore < 0 ? -1 : begin.placeBefore + tally.neighbours[id].placeBefore
        tally.neighbours[id].placeBehind =
          begin.placeBehind < 0 ? -1 : begin.placeBehind + tally.neighbours[id].placeBehind
      }
    }
    for tally in tallies { distributeWords(tally) }
  }

  /// Makes a list for a pair's words and puts it into the queue. A pair that is gone again by the end of the merge has none.
  ///
  /// - Returns: Where the first word goes; -1 for nowhere.
  private func enqueue(_ pair: UInt64, wordCount: UInt32) -> Int {
    guard wordCount > 0 else { return -1 }
    let count = pairs[pair]
    guard count > 0 else { return -1 }
    let list = lists.count
    lists.append(wordCount)
    lists.extend(to: list + 1 + Int(wordCount), with: 0)
    queue.insert(PairQueue.Entry(count: UInt64(count), pair: pair, list: list))
    return list + 1
  }

  private func distributeWords(_ tally: NeighbourTally) {
    for index in 0..<tally.sightings.count {
      let sighting = tally.sightings[index]
      let neighbour = unsafe tally.neighbours.base + Int(sighting >> 33)
      let isBehind = sighting >> 32 & 1 == 1
      let place = unsafe isBehind ? neighbour.pointee.placeBehind : neighbour.pointee.placeBefore
      if place < 0 { continue }
      lists[place] = UInt32(truncatingIfNeeded: sighting)
      if isBehind { unsafe neighbour.pointee.placeBehind += 1 } else { unsafe neighbour.pointee.placeBefore += 1 }
    }
  }
}

// MARK: - The beginning

extension MergeLearner {
  /// What is known of one distinct pair while pairs are counted.
  private struct Sum: BitwiseCopyable {
    let pair: UInt64
    var count: Int64 = 0
    var wordCount: UInt32 = 0
    var lastWord = UInt32.max
    var place = 0
  }

  /// Counts the pairs of all words, and puts them into the queue with their words.
  private func countPairs() {
    let (sums, indices) = summedPairs()
    for index in 0..<sums.count {
      let sum = sums[index]
      pairs.add(sum.count, to: sum.pair)
      sums[index].place = enqueue(sum.pair, wordCount: sum.wordCount)
      sums[index].lastWord = .max
    }
    var position = 0
    for word in 0..<words.words.count {
      for _ in 1..<words.words[word].length {
        let sum = unsafe sums.base + Int(indices[position])
        position += 1
        if unsafe sum.pointee.lastWord == UInt32(word) { continue }
        unsafe sum.pointee.lastWord = UInt32(word)
        unsafe lists[sum.pointee.place] = UInt32(word)
        unsafe sum.pointee.place += 1
      }
    }
  }

  /// The distinct pairs, and for each pair in the text which one of them it is.
  private func summedPairs() -> (sums: GrowingMemory<Sum>, indices: GrowingMemory<UInt32>) {
    let sums = GrowingMemory<Sum>()
    let indices = GrowingMemory<UInt32>()
    let known = PairCounts()
    for index in 0..<words.words.count {
      let word = words.words[index]
      for position in Int(word.start) + 1..<Int(word.start) + Int(word.length) {
        let pair = PairCounts.pair(words.symbols[position - 1], words.symbols[position])
        var number = Int(known[pair]) - 1
        if number < 0 {
          number = sums.count
          sums.append(Sum(pair: pair))
          known.add(Int64(sums.count), to: pair)
        }
        indices.append(UInt32(number))
        let sum = unsafe sums.base + number
        unsafe sum.pointee.count += word.count
        if unsafe sum.pointee.lastWord == UInt32(index) { continue }
        unsafe sum.pointee.lastWord = UInt32(index)
        unsafe sum.pointee.wordCount += 1
      }
    }
    return (sums, indices)
  }
}
