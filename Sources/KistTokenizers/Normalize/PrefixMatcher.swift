/// Finds the longest of some strings that a text has at a place: SentencePiece's user-defined symbols.
struct PrefixMatcher: Sendable {
  /// By first byte, the longest first.
  private var symbols: [[[UInt8]]] = Array(repeating: [], count: 256)

  init(_ symbols: [[UInt8]]) {
    for symbol in symbols.sorted(by: { $0.count > $1.count }) {
      if let first = symbol.first { self.symbols[Int(first)].append(symbol) }
    }
  }

  /// - Returns: The length of the longest one at `offset`; 0 when there is none.
  func longestMatch(in text: UnsafeBufferPointer<UInt8>, at offset: Int) -> Int {
    guard offset < text.count else { return 0 }
    let rest = unsafe text[offset...]
    return unsafe symbols[Int(text[offset])].first { unsafe rest.starts(with: $0) }?.count ?? 0
  }
}
