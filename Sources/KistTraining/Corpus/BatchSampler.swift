import KistCore

/// Which windows of a corpus each step takes.
///
/// Each epoch cuts the tokens anew into windows, from an offset that it draws, and takes them in an order that it draws. A batch follows
/// from the seed and the step alone, so that nothing needs to be remembered.
package struct BatchSampler: Sendable {
  private let tokenCount: Int
  private let context: Int
  private let seed: UInt64
  private let windowCount: Int
  /// The order of one epoch, kept until another is asked for.
  private var epoch: (number: Int, starts: [Int])?

  /// - Parameter tokenCount: Tokens to train on, from the first.
  /// - Throws: `invalid` when they are fewer than one batch takes.
  package init(tokenCount: Int, context: Int, batch: Int, seed: UInt64) throws(KistError) {
    // Every window has a token behind it, whatever the offset.
    windowCount = max(0, tokenCount - context) / context
    guard windowCount >= batch else {
      throw KistError(
        .invalid, field: "corpus",
        "\(tokenCount) tokens to train on are fewer than a batch takes: \(batch) windows of \(context)",
        advice: "give it more text, or a smaller --batch or --context")
    }
    self.tokenCount = tokenCount
    self.context = context
    self.seed = seed
  }

  /// Where a batch's windows begin.
  ///
  /// - Parameter number: The batch, from 0.
  package mutating func starts(ofBatch number: Int, size: Int) -> [Int] {
    (number * size..<(number + 1) * size).map { window in
      order(ofEpoch: window / windowCount)[window % windowCount]
    }
  }

  private mutating func order(ofEpoch number: Int) -> [Int] {
    if let epoch, epoch.number == number { return epoch.starts }
    var random = RandomNumbers(seed: seed, stream: 1 << 32 + UInt64(number))
    let offset = random.below(context)
    var starts = (0..<windowCount).map { offset + $0 * context }
    random.shuffle(&starts)
    epoch = (number, starts)
    return starts
  }
}
