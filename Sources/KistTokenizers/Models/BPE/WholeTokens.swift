/// Which tokens merging makes of their own text, found without merging each of them.
///
/// Merges are looked at in their order. One makes a token of its own text when its two parts are whole, and no two neighbours merge across
/// their border before both parts are there. What stands on the two sides of the border is followed backwards, from the whole parts to
/// single symbols: of the two, the one that came about later is taken apart. A token's last merge comes after those of its parts here, so
/// the order in which all come about is that of their ranks. Tokens for which that does not hold are not found; they have to be merged.
struct WholeTokens {
  private struct Token {
    /// 0 for a token that is not whole, 1 for a symbol, else the rank of its last merge and 2.
    var time: UInt32 = 0
    var left: UInt32 = 0
    var right: UInt32 = 0
  }

  private var tokens: [Token]

  init(idCount: Int) { tokens = Array(repeating: Token(), count: idCount) }

  func contains(_ id: UInt32) -> Bool { Int(id) < tokens.count && tokens[Int(id)].time != 0 }

  /// Adds a token that is a symbol from the beginning.
  mutating func add(symbol: UInt32) { tokens[Int(symbol)].time = 1 }

  /// Adds the token that a merge makes, when it is whole.
  ///
  /// - Parameter table: All merges. Calls come in the order of ranks.
  /// - Complexity: a few lookups.
  mutating func add(_ pair: BPEDefinition.Pair, rank: UInt32, _ table: PairTable) {
    guard tokens[Int(pair.merged)].time == 0, tokens[Int(pair.left)].time != 0, tokens[Int(pair.right)].time != 0,
      Merging.rank(table.find(pair.left, pair.right)) == rank, isUndisturbed(pair.left, pair.right, table)
    else { return }
    tokens[Int(pair.merged)] = Token(time: rank + 2, left: pair.left, right: pair.right)
  }

  /// Whether nothing merges across the border of two whole tokens while they come about.
  private func isUndisturbed(_ left: UInt32, _ right: UInt32, _ table: PairTable) -> Bool {
    var (left, right) = (left, right)
    while true {
      let (leftToken, rightToken) = (tokens[Int(left)], tokens[Int(right)])
      guard leftToken.time > 1 || rightToken.time > 1 else { return true }
      // Ranks from here on come after the merge that is taken apart: of equal merges the one further left comes first.
      let limit: UInt32
      if leftToken.time > rightToken.time {
        left = leftToken.right
        limit = leftToken.time - 2
      } else {
        right = rightToken.left
        limit = rightToken.time - 1
      }
      if Merging.rank(table.find(left, right)) < limit { return false }
    }
  }
}
