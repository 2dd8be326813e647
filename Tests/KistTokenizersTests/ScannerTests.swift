import KistCore
import KistTokenizers
import TestSupport
import Testing

struct ScannerTests {
  /// What patterns tell apart, and what they trip over.
  static let fragments: [[UInt8]] =
    parts("   ¦  ¦ ¦ ¦\n¦\r\n¦\r¦\t¦\u{A0}¦\u{3000}¦\u{85}¦\u{2028}¦\u{180E}¦\u{200B}¦\u{FEFF}")
    + parts("a¦b¦ab¦Hello¦world¦WORLD¦iPhone¦HTTPServer¦aaaaaaaa¦aaaaaaaaé¦ABCDEFGHIJK¦s¦ſ¦K¦k¦ß¦İ¦ǅ¦ʰ¦ª¦ﬁ¦Σ")
    + parts("don't¦I'LL¦we'Ve¦'s¦'S¦'ſ¦'t¦'re¦'RE¦'vE¦'ll¦'d¦'m¦'x¦'¦''¦’")
    + parts("0¦1¦12¦123¦1234¦12345¦٣¦४¦²¦½¦Ⅷ¦①¦〇¦.¦,¦!¦?!¦...¦-¦_¦/¦//¦\\¦(¦[¦$¦+¦^¦`¦|¦~¦€¦、¦。")
    + parts("é¦e\u{301}¦\u{301}¦\u{301}\u{302}¦\u{345}¦\u{20DD}¦क्षि¦ุ¦한국어¦京¦東京¦どこで¦カタカナ¦ー¦\u{1D7D8}¦𐐀¦𐐨¦я¦שלום")
    + parts("😀¦👩‍👧¦☃¦\u{FE0F}¦\u{E000}¦\u{378}¦\u{1FFFE}¦\u{0}¦\u{1}¦\u{7F}¦▁")

  /// By scalars: a mark that comes first must not join the sign between.
  private static func parts(_ text: String) -> [[UInt8]] {
    text.unicodeScalars.split(separator: "¦").map { Array(String($0).utf8) }
  }

  @Test(arguments: Scanner.knownPatterns.indices)
  func `scanners find what PCRE2 and their plain twins find`(index: Int) throws {
    let pattern = Scanner.knownPatterns[index]
    let scanner = try #require(Scanner(pattern))
    let compiled = try CompiledPattern(pattern)
    var generator = SeededGenerator(seed: UInt64(index) + 1)
    for _ in 0..<2000 {
      let text = Self.text(&generator)
      let expected = try Self.pieces(compiled, text)
      let (fast, plain) = unsafe text.withUnsafeBufferPointer { buffer in
        var (fast, plain): ([Range<Int>], [Range<Int>]) = ([], [])
        unsafe scanner.forEachPiece(in: buffer) { fast.append($0..<$1) }
        unsafe scanner.forEachPlainPiece(in: buffer) { plain.append($0..<$1) }
        return (fast, plain)
      }
      guard fast == expected, plain == expected else {
        func cut(_ ranges: [Range<Int>]) -> String { shown(ranges.map { Array(text[$0]) }) }
        Issue.record("\(pattern), \(shown([text])): \(cut(fast)), plain \(cut(plain)), PCRE2 \(cut(expected))")
        return
      }
    }
  }

  @Test func `scanners cut words of every length alike`() throws {
    let scanner = Scanner.byteLevel
    for length in 0..<40 {
      for next in ["", " ", "é", "\u{301}", "1", "京 "] {
        let text = Array((String(repeating: "z", count: length) + next).utf8)
        unsafe text.withUnsafeBufferPointer { buffer in
          var (fast, plain): ([Int], [Int]) = ([], [])
          unsafe scanner.forEachPiece(in: buffer) { fast.append($1) }
          unsafe scanner.forEachPlainPiece(in: buffer) { plain.append($1) }
          #expect(fast == plain, "\(length) \(next)")
        }
      }
    }
  }

  @Test func `ends come in batches of any size`() throws {
    var generator = SeededGenerator(seed: 3)
    let text = (0..<20).flatMap { _ in Self.text(&generator) }
    for size in [1, 2, 7, 1000] {
      let (batched, whole) = unsafe text.withUnsafeBufferPointer { buffer in
        var (batched, whole): ([Int], [Int]) = ([], [])
        unsafe Scanner.byteLevel.forEachPiece(in: buffer) { whole.append($1) }
        var ends = [Int](repeating: 0, count: size)
        var count = size
        while count == size {
          count = unsafe ends.withUnsafeMutableBufferPointer {
            unsafe Scanner.byteLevel.ends(in: buffer, from: batched.last ?? 0, into: $0)
          }
          batched += ends.prefix(count)
        }
        return (batched, whole)
      }
      #expect(batched == whole)
    }
  }

  @Test func `scanners are chosen by the exact text of a pattern`() {
    #expect(Scanner(.regex(PreTokenizeSamples.gpt2, .oniguruma)) != nil)
    #expect(Scanner(.regex(PreTokenizeSamples.gpt2 + " ", .oniguruma)) == nil)
    #expect(Scanner(.literal(Array(PreTokenizeSamples.gpt2.utf8))) == nil)
  }

  private static func text(_ generator: inout SeededGenerator) -> [UInt8] {
    let count = Int.random(in: 1...12, using: &generator)
    return (0..<count).flatMap { _ in fragments.randomElement(using: &generator) ?? [] }
  }

  /// Matches and what lies between them.
  private static func pieces(_ pattern: CompiledPattern, _ text: [UInt8]) throws -> [Range<Int>] {
    var (pieces, position): ([Range<Int>], Int) = ([], 0)
    for match in try pattern.matches(in: text) where !match.isEmpty {
      if position < match.lowerBound { pieces.append(position..<match.lowerBound) }
      pieces.append(match)
      position = match.upperBound
    }
    return position < text.count ? pieces + [position..<text.count] : pieces
  }
}
