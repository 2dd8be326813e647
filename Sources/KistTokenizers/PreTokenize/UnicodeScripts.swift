/// Cuts text where the script changes. Source: tokenizers, `pre_tokenizers/unicode_scripts/`, after SentencePiece.
enum UnicodeScripts {
  /// Scripts as small numbers, as the library has them: of Unicode 9, kana and the mark that lengthens them taken for Han; 0, which joins any
  /// neighbour, for spaces and what has no script.
  private static let scripts = ScalarMap(PackedRuns(runs), beyond: 0)

  /// What comes before the first character of a script is lost, as it is in the library.
  static func cut(_ bytes: UnsafeBufferPointer<UInt8>, _ piece: Range<Int>, into cut: inout [Range<Int>]) {
    var position = piece.lowerBound
    var start: Int?
    var current: UInt8 = 0
    while position < piece.upperBound {
      let (scalar, length) = unsafe UTF8Walk.scalar(in: bytes, at: position)
      let script = scripts[scalar]
      if script != 0, script != current {
        if let start { cut.append(start..<position) }
        (start, current) = (position, script)
      }
      position += length
    }
    if let start { cut.append(start..<piece.upperBound) }
  }
}
