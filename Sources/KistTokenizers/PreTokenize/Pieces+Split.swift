import KistCore

/// What steps do to all pieces alike.
extension Pieces {
  /// Replaces each piece by what `body` appends for it: ranges in order, none of them empty.
  mutating func split(
    _ body: (UnsafeBufferPointer<UInt8>, Range<Int>, inout [Range<Int>]) throws(KistError) -> Void
  ) throws(KistError) {
    let before = ranges
    // A typed error does not pass through the standard library's closure.
    let result = unsafe bytes.withUnsafeBufferPointer { buffer in
      Result { () throws(KistError) in
        var cut: [Range<Int>] = []
        cut.reserveCapacity(before.count + buffer.count / 6)
        for piece in before { unsafe try body(buffer, piece, &cut) }
        return cut
      }
    }
    ranges = try result.get()
    if ranges.first?.lowerBound != before.first?.lowerBound { firstBeginsAtOrigin = false }
  }

  /// Writes each piece anew into a buffer that holds nothing else.
  mutating func rewrite(reserving byteCount: Int, _ body: (ArraySlice<UInt8>, _ isFirst: Bool, inout [UInt8]) -> Void) {
    var written: [UInt8] = []
    written.reserveCapacity(byteCount)
    for index in ranges.indices {
      let start = written.count
      body(bytes[ranges[index]], index == 0, &written)
      ranges[index] = start..<written.count
    }
    bytes = written
  }

  /// A space before each piece that has none. Source: `byte_level.rs`, `add_prefix_space`.
  mutating func addPrefixSpaces() {
    let space = UInt8(ascii: " ")
    guard ranges.contains(where: { bytes[$0.lowerBound] != space }) else { return }
    rewrite(reserving: bytes.count + ranges.count) { piece, _, written in
      if piece.first != space { written.append(space) }
      written += piece
    }
  }

  /// Each byte as GPT-2's alphabet writes it: its own scalar, of one or two bytes. Source: `byte_level.rs`.
  mutating func writeInByteAlphabet() {
    let spellings = Self.byteSpellings
    rewrite(reserving: bytes.count * 5 / 4) { piece, _, written in
      for byte in piece {
        let (first, second) = spellings[Int(byte)]
        written.append(first)
        if second != 0 { written.append(second) }
      }
    }
  }

  private static let byteSpellings: [(first: UInt8, second: UInt8)] = (UInt8.min...UInt8.max).map { byte in
    let spelling = Array(String(ByteAlphabet.scalar(of: byte)).utf8)
    return (spelling[0], spelling.count > 1 ? spelling[1] : 0)
  }
}

/// Spaces become another character, which also begins pieces. Source: tokenizers, `pre_tokenizers/metaspace.rs`.
struct MetaspaceStep: Sendable {
  private let replacement: [UInt8]
  private let prependScheme: Metaspace.PrependScheme
  private let splits: Bool

  init(_ metaspace: Metaspace) {
    replacement = Array(String(metaspace.replacement).utf8)
    prependScheme = metaspace.prependScheme
    splits = metaspace.splits
  }

  func apply(to pieces: inout Pieces) {
    let firstBeginsAtOrigin = pieces.firstBeginsAtOrigin
    pieces.rewrite(reserving: pieces.bytes.count * 3 / 2 + replacement.count) { piece, isFirst, written in
      let space = UInt8(ascii: " ")
      let prepends =
        switch prependScheme {
        case .always: true
        case .first: isFirst && firstBeginsAtOrigin
        case .never: false
        }
      if prepends, piece.first != space, !piece.starts(with: replacement) { written += replacement }
      for byte in piece {
        if byte == space { written += replacement } else { written.append(byte) }
      }
    }
    if splits { split(&pieces) }
  }

  /// Each replacement begins a piece.
  private func split(_ pieces: inout Pieces) {
    var cut: [Range<Int>] = []
    for piece in pieces.ranges {
      var start = piece.lowerBound
      var position = start
      while position < piece.upperBound {
        let isHere = pieces.bytes[position] == replacement[0] && pieces.bytes[position...].starts(with: replacement)
        if isHere, position > start {
          cut.append(start..<position)
          start = position
        }
        position += isHere ? replacement.count : 1
      }
      cut.append(start..<piece.upperBound)
    }
    pieces.ranges = cut
  }
}
