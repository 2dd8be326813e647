import KistCore

/// Replaces what a pattern finds by a text, which is taken as it is. Source: tokenizers, `normalizers/replace.rs`.
struct Replacement: Sendable {
  private enum Finder: Sendable {
    case literal([UInt8])
    case pattern(CompiledPattern)
  }

  private let finder: Finder
  private let content: [UInt8]

  init(_ pattern: Pattern, with content: [UInt8]) throws(KistError) {
    self.content = content
    switch pattern {
    case .literal(let literal): finder = .literal(literal)
    case .regex: finder = .pattern(try CompiledPattern(pattern))
    }
  }

  /// - Throws: What matching throws, and what `limit` does.
  func apply(to text: inout OriginText, _ limit: GrowthLimit) throws(KistError) {
    guard !text.bytes.isEmpty else { return }
    if case .literal(let literal) = finder, literal.count == 1, content.count == 1 {
      return replaceByte(literal[0], by: content[0], in: &text)
    }
    let matches =
      switch finder {
      case .literal(let literal): Self.occurrences(of: literal, in: text.bytes)
      case .pattern(let pattern): try pattern.matches(in: text.bytes)
      }
    guard !matches.isEmpty else { return }
    let byteCount = text.bytes.count + matches.count * content.count - matches.reduce(0) { $0 + $1.count }
    try limit.check(byteCount)
    var output: [UInt8] = []
    output.reserveCapacity(byteCount)
    var copied = 0
    for match in matches {
      output += text.bytes[copied..<match.lowerBound]
      output += content
      copied = match.upperBound
    }
    output += text.bytes[copied...]
    text.replace(with: output, originCount: originCount(after: matches, in: text))
  }

  private func replaceByte(_ old: UInt8, by new: UInt8, in text: inout OriginText) {
    guard old < 0x80, new < 0x80 else { return }
    text.mapASCII { $0 == old ? new : $0 }
  }

  /// The new text at a match counts as its last character. Source: tokenizers, `NormalizedString::replace`.
  private func originCount(after matches: [Range<Int>], in text: OriginText) -> Int {
    let origin = text.originCount
    var (count, copied) = (0, 0)
    for match in matches {
      count += max(0, min(match.lowerBound, origin) - copied)
      guard match.upperBound <= origin else { return count }
      count += content.count
      copied = match.upperBound
    }
    return count + origin - copied
  }

  /// Not overlapping, from the left. Nothing is found before every character and at the end.
  static func occurrences(of literal: [UInt8], in text: [UInt8]) -> [Range<Int>] {
    guard let first = literal.first else {
      return text.indices.filter { text[$0] & 0xC0 != 0x80 }.map { $0..<$0 } + [text.count..<text.count]
    }
    var matches: [Range<Int>] = []
    var offset = 0
    while let start = text[offset...].firstIndex(of: first) {
      let end = start + literal.count
      if end <= text.count, text[start..<end].elementsEqual(literal) {
        matches.append(start..<end)
        offset = end
      } else {
        offset = start + 1
      }
    }
    return matches
  }
}
