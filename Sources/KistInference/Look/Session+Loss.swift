import CKernels
import KistArchitectures
import KistCore

/// How well a model foresaw one token.
package struct TokenLoss: Sendable {
  /// −log P(token | the tokens before it), in nats.
  package var loss: Double
  /// How many tokens were likelier, plus one.
  package var rank: Int
  /// The likeliest token, and its −log P.
  package var best: Int
  package var bestLoss: Double
}

extension Session {
  /// The cross-entropy of the tokens that follow states: for each row of `states`, of the token of the same place in `targets`.
  ///
  /// - Complexity: the head's product; memory of 64 MiB of logits at a time, whatever the vocabulary.
  package func losses(_ states: Matrix, rows: Range<Int>, targets: [Int]) throws(KistError) -> [TokenLoss] {
    precondition(targets.count == rows.count, "a target for each row")
    let most = max(16, (1 << 24) / max(1, weights.model.vocabularySize))
    var losses: [TokenLoss] = []
    for start in stride(from: 0, to: rows.count, by: most) {
      let part = start..<min(start + most, rows.count)
      let logits = try logits(states, rows: rows.lowerBound + part.lowerBound..<rows.lowerBound + part.upperBound)
      losses += try self.losses(logits, Array(targets[part]))
    }
    return losses
  }

  private func losses(_ logits: Matrix, _ targets: [Int]) throws(KistError) -> [TokenLoss] {
    let found = LossList(count: targets.count)
    try forRows(logits.rowCount, numbers: logits.count) { rows in
      for row in rows { found.set(row, TokenLoss(of: logits, row: row, target: targets[row])) }
    }
    return found.losses
  }
}

/// Results that several threads write, each a place of its own.
@safe private final class LossList: @unchecked Sendable {
  @unsafe private let places: UnsafeMutableBufferPointer<TokenLoss?>

  init(count: Int) {
    unsafe places = .allocate(capacity: count)
    unsafe places.initialize(repeating: nil)
  }

  deinit { unsafe places.deallocate() }

  func set(_ index: Int, _ loss: TokenLoss) { unsafe places[index] = loss }
  var losses: [TokenLoss] { unsafe places.compactMap { $0 } }
}

extension TokenLoss {
  /// log Σ e^x − x of the target.
  fileprivate init(of logits: Matrix, row: Int, target: Int) {
    let count = logits.columnCount
    let line = unsafe logits.row(row)
    let sum = unsafe Double(kist_log_sum_exp(line, count))
    let own = unsafe line[target]
    var (best, likelier) = (0, 0)
    for index in 0..<count {
      let value = unsafe line[index]
      if value > own { likelier += 1 }
      if unsafe value > line[best] { best = index }
    }
    loss = sum - Double(own)
    rank = likelier + 1
    self.best = best
    bestLoss = unsafe sum - Double(line[best])
  }
}
