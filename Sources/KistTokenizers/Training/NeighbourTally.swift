/// What one merge changes around the places where it happens, summed up by neighbour.
///
/// When L and R become N, a neighbour X before them loses the pair (X, L) and gains (X, N); one behind them loses (R, X) and gains (N, X).
/// Sums by neighbour need a look into the table of pairs only once for each neighbour rather than once for each place.
@safe final class NeighbourTally {
  struct Neighbour: BitwiseCopyable {
    var lostBefore: Int64 = 0
    var gainedBefore: Int64 = 0
    var lostBehind: Int64 = 0
    var gainedBehind: Int64 = 0
    /// How many words the gained pairs were noted in, and the last of them.
    var wordsBefore: UInt32 = 0
    var wordsBehind: UInt32 = 0
    var lastBefore = UInt32.max
    var lastBehind = UInt32.max
    /// Where the next of those words goes; see `MergeLearner`.
    var placeBefore = 0
    var placeBehind = 0

    var isUntouched: Bool { lostBefore == 0 && lostBehind == 0 }
  }

  /// Two symbols that become one.
  struct Merge {
    let left: UInt32
    let right: UInt32
    let merged: UInt32
  }

  /// A word in which something was seen, and how often the word occurs.
  private struct Sighting {
    let word: UInt32
    let weight: Int64
  }

  /// By id of the neighbour.
  let neighbours = GrowingMemory<Neighbour>()
  /// The neighbours that something was noted for.
  let touched = GrowingMemory<UInt32>()
  /// Words with gained pairs, in the order of the words: the neighbour's id, whether it is behind (1), and the word in the lower half.
  let sightings = GrowingMemory<UInt64>()

  /// Merges a pair in some words, and sums up what changes.
  ///
  /// - Parameter list: Indices of words, ascending.
  @unsafe func merge(_ merge: Merge, in words: TrainingWords, _ list: UnsafeBufferPointer<UInt32>) {
    for index in 0..<list.count {
      let word = unsafe list[index]
      let run = unsafe words.run(of: word)
      guard let first = unsafe run.place(of: merge.left, merge.right, from: 0) else { continue }
      let place = unsafe words.words.base + Int(word)
      let sighting = unsafe Sighting(word: word, weight: place.pointee.count)
      unsafe place.pointee.length = UInt32(apply(merge, run, from: first, sighting))
    }
  }

  /// Merges a pair in one word, from left to right. What exceeds the maximum length is no pair: it is lost, and nothing is gained.
  ///
  /// - Returns: How many symbols the word has left.
  @unsafe private func apply(_ merge: Merge, _ run: WordRun, from first: Int, _ sighting: Sighting) -> Int {
    var (read, write) = (first, first)
    var next: Int? = first
    while let place = next {
      unsafe run.slide(read..<place, to: write)
      write += place - read
      unsafe run.join(place, to: write, as: merge.merged)
      if write > 0 {
        let fits = unsafe run.fit(write - 1, write)
        unsafe noteBefore(run.symbols[write - 1], merge.merged, sighting, fits: fits)
      }
      if unsafe place + 2 < run.count {
        let fits = unsafe run.fit(write, place + 2)
        unsafe noteBehind(run.symbols[place + 2], sighting, fits: fits)
      }
      read = place + 2
      write += 1
      next = unsafe run.place(of: merge.left, merge.right, from: read)
    }
    unsafe run.slide(read..<run.count, to: write)
    return unsafe write + run.count - read
  }

  private func noteBefore(_ neighbour: UInt32, _ merged: UInt32, _ sighting: Sighting, fits: Bool) {
    let place = unsafe neighbours.base + Int(neighbour)
    if unsafe place.pointee.isUntouched { touched.append(neighbour) }
    unsafe place.pointee.lostBefore += sighting.weight
    guard fits else { return }
    // Two merged tokens side by side are one pair, whichever of them is seen as the neighbour.
    if neighbour == merged { return unsafe noteGainBehind(place, neighbour, sighting) }
    unsafe place.pointee.gainedBefore += sighting.weight
    if unsafe place.pointee.lastBefore == sighting.word { return }
    unsafe place.pointee.lastBefore = sighting.word
    unsafe place.pointee.wordsBefore += 1
    sightings.append(UInt64(neighbour) << 33 | UInt64(sighting.word))
  }

  private func noteBehind(_ neighbour: UInt32, _ sighting: Sighting, fits: Bool) {
    let place = unsafe neighbours.base + Int(neighbour)
    if unsafe place.pointee.isUntouched { touched.append(neighbour) }
    unsafe place.pointee.lostBehind += sighting.weight
    if fits { unsafe noteGainBehind(place, neighbour, sighting) }
  }

  @unsafe private func noteGainBehind(
    _ place: UnsafeMutablePointer<Neighbour>, _ neighbour: UInt32, _ sighting: Sighting
  ) {
    unsafe place.pointee.gainedBehind += sighting.weight
    if unsafe place.pointee.lastBehind == sighting.word { return }
    unsafe place.pointee.lastBehind = sighting.word
    unsafe place.pointee.wordsBehind += 1
    sightings.append(UInt64(neighbour) << 33 | 1 << 32 | UInt64(sighting.word))
  }

  /// Takes over the sums of another tally, whose words come behind those of this one. The other keeps, for each neighbour, how many words
  /// stand before its own.
  func absorb(_ other: NeighbourTally) {
    for index in 0..<other.touched.count {
      let id = other.touched[index]
      var (mine, theirs) = (neighbours[Int(id)], other.neighbours[Int(id)])
      if mine.isUntouched { touched.append(id) }
      mine.lostBefore += theirs.lostBefore
      mine.gainedBefore += theirs.gainedBefore
      mine.lostBehind += theirs.lostBehind
      mine.gainedBehind += theirs.gainedBehind
      theirs.placeBefore = Int(mine.wordsBefore)
      theirs.placeBehind = Int(mine.wordsBehind)
      mine.wordsBefore += theirs.wordsBefore
      mine.wordsBehind += theirs.wordsBehind
      neighbours[Int(id)] = mine
      other.neighbours[Int(id)] = theirs
    }
  }

  /// Makes room for ids below `count`.
  func reserve(_ count: Int) { neighbours.extend(to: count, with: Neighbour()) }

  /// Forgets everything.
  func clear() {
    for index in 0..<touched.count { neighbours[Int(touched[index])] = Neighbour() }
    touched.removeAll()
    sightings.removeAll()
  }
}
