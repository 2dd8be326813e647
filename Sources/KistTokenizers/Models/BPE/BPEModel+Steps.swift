/// How a piece was merged.
package struct BPEMergeTrace: Sendable, Equatable {
  package struct Step: Sendable, Equatable {
    /// The earlier a pair merges, the lower its rank: its place among the merges, the rank of the token, or the place of its score.
    package var rank: UInt32
    /// The symbol that the two became.
    package var merged: UInt32
    /// Which of the symbols it is.
    package var place: Int
    /// All symbols afterwards, as bytes.
    package var symbols: [[UInt8]]
  }

  /// What the piece began as, as bytes; unknown and held back symbols as the model has them.
  package var symbols: [[UInt8]]
  package var steps: [Step]
  /// What encoding gives.
  package var ids: [UInt32]
  /// Whether the reference takes this piece as one token without merging; the steps show what merging would have done.
  package var isWhole: Bool
}

extension BPEModel {
  /// Merges one piece step by step.
  ///
  /// - Complexity: O(n²): for people to look at, so for a word.
  package func mergeSteps(of piece: [UInt8]) -> BPEMergeTrace {
    var symbols: [UInt32] = []
    unsafe piece.withUnsafeBytes { unsafe appendSymbols(of: $0, to: &symbols) }
    var scratch = BPEScratch()
    var trace = BPEMergeTrace(symbols: symbols.map(spelling), steps: [], ids: [], isWhole: false)
    encode(piece, into: &trace.ids, &scratch)
    if options.flags.contains(.anyTokenIsWhole), let id = vocabulary.id(of: piece) { trace.isWhole = trace.ids == [id] }
    while true {
      let values = symbols.indices.dropLast().map { merges.find(symbols[$0], symbols[$0 + 1]) }
      guard let rank = values.map(Merging.rank).min(), rank != .max,
        let place = values.firstIndex(where: { Merging.rank($0) == rank })
      else { return trace }
      symbols[place] = Merging.merged(values[place])
      symbols.remove(at: place + 1)
      trace.steps.append(
        BPEMergeTrace.Step(rank: rank, merged: symbols[place], place: place, symbols: symbols.map(spelling)))
    }
  }

  private func spelling(_ symbol: UInt32) -> [UInt8] {
    symbol & Symbol.unknown != 0 ? Symbol.bytes(ofUnknown: symbol) : vocabulary.bytes(of: symbol & ~Symbol.frozen)
  }
}
