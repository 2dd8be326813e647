/// Bert's normalizer in one pass: control characters out, spaces around ideographs, accents out, lower case.
///
/// Each of its parts looks at one character at a time, but for the order that NFD brings combining marks into. The marks are then removed;
/// where one stays, the parts run one after the other, as ``applySeparately(to:)`` has them: that is what this type does.
/// Source: tokenizers, `normalizers/bert.rs`.
struct BertNormalization: Sendable {
  private let cleans: Bool
  private let spaces: Bool
  private let strips: Bool
  private let lowercases: Bool
  /// By ASCII byte: what becomes of it, or ``removed``.
  private let ascii: [UInt8]

  /// Unpacked for text beyond ASCII only: that takes longer than opening a tokenizer may.
  private struct Tables {
    let traits = UnicodeTable.traitMap
    let instability = UnicodeTable.instability
    let classes = UnicodeTable.combiningClass
    let decompositions = UnicodeTable.canonicalDecompositions
  }

  private static let decomposing: UInt8 = 1 << NormalizationForm.nfd.rawValue

  init(cleans: Bool, spaces: Bool, strips: Bool, lowercases: Bool) {
    self.cleans = cleans
    self.spaces = spaces
    self.strips = strips
    self.lowercases = lowercases
    ascii = (0..<128).map { Self.ascii($0, cleans: cleans, lowercases: lowercases) }
  }

  func apply(to text: inout OriginText) {
    guard let output = unsafe text.bytes.withUnsafeBufferPointer({ unsafe normalized($0) }),
      let originCount = originCount(of: text)
    else { return applySeparately(to: &text) }
    text.replace(with: output, originCount: originCount)
  }

  /// The same, part by part.
  func applySeparately(to text: inout OriginText) {
    if cleans { text.rewrite(BertCleanRule.self) }
    if spaces { text.rewrite(BertIdeographRule.self) }
    if strips {
      text.normalize(to: .nfd)
      text.rewrite(NonspacingMarkRule.self)
    }
    if lowercases { text.lowercase() }
  }

  /// How much of the new text stands for the first character of the original, from what becomes of the first few characters; nil when
  /// they don't tell.
  private func originCount(of text: OriginText) -> Int? {
    guard text.originCount > 0 else { return 0 }
    var (end, stableCount) = (text.originCount, 0)
    unsafe text.bytes.withUnsafeBufferPointer { bytes in
      while end < bytes.count, stableCount < 4 {
        let (scalar, length) = unsafe UTF8Walk.scalar(in: bytes, at: end)
        if scalar < 0x80 || UnicodeTable.instability[scalar] & Self.decomposing == 0 { stableCount += 1 }
        end += length
      }
    }
    var beginning = text
    beginning.replace(with: Array(text.bytes[..<end]), originCount: text.originCount)
    applySeparately(to: &beginning)
    return beginning.originCount < beginning.bytes.count || end == text.bytes.count ? beginning.originCount : nil
  }

  /// Nil where a combining mark stays, whose place hangs on those beside it.
  private func normalized(_ text: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
    var output: [UInt8] = []
    output.reserveCapacity(text.count + text.count / 4 + 16)
    var offset = unsafe appendASCII(text, from: 0, to: &output)
    guard offset < text.count else { return output }
    let tables = Tables()
    while offset < text.count {
      let (scalar, length) = unsafe UTF8Walk.scalar(in: text, at: offset)
      guard append(scalar, tables, to: &output) else { return nil }
      unsafe offset = appendASCII(text, from: offset + length, to: &output)
    }
    return output
  }

  // MARK: Characters

  /// Appends what becomes of the ASCII that stands at a place, if any, and gives where it ends.
  private func appendASCII(_ text: UnsafeBufferPointer<UInt8>, from first: Int, to output: inout [UInt8]) -> Int {
    let end = unsafe text.endOfASCII(from: first)
    guard end > first else { return end }
    let start = output.count
    unsafe output.append(contentsOf: UnsafeBufferPointer(rebasing: text[first..<end]))
    let kept = unsafe output.withUnsafeMutableBufferPointer { output in
      unsafe ascii.withUnsafeBufferPointer { ascii in
        var kept = start
        for index in start..<output.count {
          let byte = unsafe ascii[Int(output[index])]
          unsafe output[kept] = byte
          kept &+= byte == Self.removed ? 0 : 1
        }
        return kept
      }
    }
    if kept < output.count { output.removeSubrange(kept...) }
    return end
  }

  private static let removed: UInt8 = 0xFF

  /// What becomes of an ASCII byte.
  private static func ascii(_ byte: UInt8, cleans: Bool, lowercases: Bool) -> UInt8 {
    if cleans, BertCleanRule.changes(ascii: byte) {
      switch BertCleanRule.outcome(UInt32(byte)) {
      case .removed: return removed
      case .replaced(let other): return UInt8(truncatingIfNeeded: other)
      default: break
      }
    }
    return lowercases && LowercaseRule.changes(ascii: byte) ? byte | 0x20 : byte
  }

  /// Appends what becomes of a character outside ASCII; false where its place can't be told.
  @inline(__always)
  private func append(_ scalar: UInt32, _ tables: Tables, to output: inout [UInt8]) -> Bool {
    if cleans {
      let traits = ScalarTraits(rawValue: tables.traits[scalar])
      if traits.contains(.other) { return true }
      if traits.contains(.whiteSpace) {
        output.append(0x20)
        return true
      }
    }
    var isSpaced = false
    if spaces, case .spaced = BertIdeographRule.outcome(scalar) { isSpaced = true }
    if isSpaced { output.append(0x20) }
    if !strips || tables.instability[scalar] & Self.decomposing == 0 {
      appendPart(scalar, tables, to: &output)
    } else if let (leading, vowel, trailing) = Hangul.jamo(of: scalar) {
      output.append(scalar: leading)
      output.append(scalar: vowel)
      if let trailing { output.append(scalar: trailing) }
    } else {
      let parts = tables.decompositions[scalar]
      for part in parts.isEmpty ? [scalar] : parts {
        if tables.classes[part] != 0, !ScalarTraits(rawValue: tables.traits[part]).contains(.nonspacingMark) {
          return false
        }
        appendPart(part, tables, to: &output)
      }
    }
    if isSpaced { output.append(0x20) }
    return true
  }

  /// Appends a character that NFD leaves as it is.
  @inline(__always)
  private func appendPart(_ scalar: UInt32, _ tables: Tables, to output: inout [UInt8]) {
    if strips, ScalarTraits(rawValue: tables.traits[scalar]).contains(.nonspacingMark) { return }
    guard lowercases else { return output.append(scalar: scalar) }
    switch LowercaseRule.outcome(scalar) {
    case .replaced(let lower): output.append(scalar: lower)
    case .pair(let first, let second):
      output.append(scalar: first)
      output.append(scalar: second)
    default: output.append(scalar: scalar)
    }
  }
}
