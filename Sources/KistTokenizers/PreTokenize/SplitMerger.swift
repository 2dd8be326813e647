/// Makes pieces of matches and of what lies between them, as they come from the left.
/// Source: tokenizers, `tokenizer/normalizer.rs`, `NormalizedString::split`.
struct SplitMerger {
  private let behavior: SplitBehavior
  private var pending: Range<Int>?
  private var previousIsMatch = false

  init(_ behavior: SplitBehavior) { self.behavior = behavior }

  /// - Parameter range: Begins where the one before ended; empty matches count.
  @inline(__always)
  mutating func add(_ range: Range<Int>, isMatch: Bool, to pieces: inout [Range<Int>]) {
    switch behavior {
    case .removed: if !isMatch { emit(range, to: &pieces) }
    case .isolated: emit(range, to: &pieces)
    case .contiguous: join(range, isMatch, when: isMatch == previousIsMatch, to: &pieces)
    case .mergedWithPrevious: join(range, isMatch, when: isMatch && !previousIsMatch, to: &pieces)
    // The last of several matches in a row joins what follows.
    case .mergedWithNext: join(range, isMatch, when: previousIsMatch && !isMatch, to: &pieces)
    }
  }

  mutating func finish(_ pieces: inout [Range<Int>]) {
    if let pending { emit(pending, to: &pieces) }
    pending = nil
  }

  private mutating func join(_ range: Range<Int>, _ isMatch: Bool, when joins: Bool, to pieces: inout [Range<Int>]) {
    if joins, let before = pending {
      pending = before.lowerBound..<range.upperBound
    } else {
      finish(&pieces)
      pending = range
    }
    previousIsMatch = isMatch
  }

  @inline(__always)
  private func emit(_ range: Range<Int>, to pieces: inout [Range<Int>]) {
    if !range.isEmpty { pieces.append(range) }
  }
}
