import KistTokenizers

/// Byte pair encoding as its references describe it, by strings and with no table: what ``BPEModel`` is compared with.
struct BPENaive {
  private let ids: [[UInt8]: UInt32]
  /// What two neighbours merge into, and how early; nil when they do not.
  private let rank: (_ left: [UInt8], _ right: [UInt8]) -> UInt32?

  /// Tokens whose neighbours merge when their concatenation is a token, the lowest rank first.
  init(ranks: [[UInt8]: UInt32]) {
    ids = ranks
    rank = { ranks[$0 + $1] }
  }

  /// A list of pairs, the first merged first.
  init(vocabulary: [[UInt8]: UInt32], merges: [([UInt8], [UInt8])]) {
    ids = vocabulary
    var ranks: [[[UInt8]]: UInt32] = [:]
    for (rank, pair) in merges.enumerated() { ranks[[pair.0, pair.1]] = UInt32(rank) }
    rank = { ranks[[$0, $1]] }
  }

  /// The ids of a piece whose every symbol is in the vocabulary.
  func ids(_ symbols: [[UInt8]]) -> [UInt32] { self.symbols(symbols).map { ids[$0] ?? .max } }

  /// What is left when none merge any more.
  func symbols(_ symbols: [[UInt8]]) -> [[UInt8]] {
    var symbols = symbols
    while true {
      let ranks = zip(symbols, symbols.dropFirst()).map { rank($0, $1) ?? .max }
      guard let least = ranks.min(), least != .max, let place = ranks.firstIndex(of: least) else { break }
      symbols[place] += symbols[place + 1]
      symbols.remove(at: place + 1)
    }
    return symbols
  }
}
