/// What becomes of one scalar, whatever stands beside it.
enum ScalarOutcome {
  case kept
  case removed
  case replaced(UInt32)
  case pair(UInt32, UInt32)
  /// Set between two spaces.
  case spaced
  /// Replaced, and set between two spaces.
  case spacedReplaced(UInt32)
}

/// A normalizer that looks at one scalar at a time.
protocol ScalarRule {
  /// Whether an ASCII byte may change: others are skipped without asking.
  static func changes(ascii: UInt8) -> Bool
  static func outcome(_ scalar: UInt32) -> ScalarOutcome
}

extension OriginText {
  /// Applies a rule to every scalar. What stays is copied a run at a time; nothing is copied when all stays.
  mutating func rewrite<Rule: ScalarRule>(_ rule: Rule.Type) {
    transform { text in unsafe text.withUnsafeBufferPointer { unsafe Self.rewritten($0, by: rule) } }
  }

  /// Nil when all stays.
  private static func rewritten<Rule: ScalarRule>(_ text: UnsafeBufferPointer<UInt8>, by rule: Rule.Type) -> [UInt8]? {
    var output: [UInt8] = []
    var (offset, copied) = (0, 0)
    while offset < text.count {
      if unsafe text[offset] < 0x80, unsafe !rule.changes(ascii: text[offset]) {
        offset += 1
        continue
      }
      let (scalar, length) = unsafe UTF8Walk.scalar(in: text, at: offset)
      let outcome = rule.outcome(scalar)
      if case .kept = outcome {
        offset += length
        continue
      }
      if output.isEmpty { output.reserveCapacity(text.count + 16) }
      unsafe output.append(contentsOf: text[copied..<offset])
      output.append(outcome, of: scalar)
      offset += length
      copied = offset
    }
    guard copied > 0 else { return nil }
    unsafe output.append(contentsOf: text[copied...])
    return output
  }

  /// Source: Rust's `char::to_lowercase`, by scalar: no final sigma, no locale.
  mutating func lowercase() {
    mapASCII { $0 &+ ($0 &- 0x41 < 26 ? 32 : 0) }
    rewrite(LowercaseRule.self)
  }

  /// Writes every byte as its letter of GPT-2's alphabet. Source: tokenizers, `normalizers/byte_level.rs`.
  mutating func spellBytes() {
    transform { text in
      var output: [UInt8] = []
      output.reserveCapacity(text.count + text.count / 2)
      for byte in text { output.append(scalar: ByteAlphabet.scalar(of: byte).value) }
      return output
    }
  }
}

extension [UInt8] {
  @inline(__always)
  fileprivate mutating func append(_ outcome: ScalarOutcome, of scalar: UInt32) {
    switch outcome {
    case .kept: append(scalar: scalar)
    case .removed: break
    case .replaced(let other): append(scalar: other)
    case .pair(let first, let second):
      append(scalar: first)
      append(scalar: second)
    case .spaced, .spacedReplaced:
      append(0x20)
      if case .spacedReplaced(let other) = outcome { append(scalar: other) } else { append(scalar: scalar) }
      append(0x20)
    }
  }
}

enum LowercaseRule: ScalarRule {
  static func changes(ascii: UInt8) -> Bool { ascii &- 0x41 < 26 }

  static func outcome(_ scalar: UInt32) -> ScalarOutcome {
    guard scalar != 0x130 else { return .pair(0x69, 0x307) }
    let lower = UnicodeTable.lowercase(scalar)
    return lower == scalar ? .kept : .replaced(lower)
  }
}

/// Source: tokenizers, `normalizers/bert.rs`, `do_clean_text`.
enum BertCleanRule: ScalarRule {
  static func changes(ascii: UInt8) -> Bool { ascii < 0x20 || ascii == 0x7F }

  static func outcome(_ scalar: UInt32) -> ScalarOutcome {
    let traits = UnicodeTable.traits(of: scalar)
    if traits.contains(.other) { return .removed }
    return traits.contains(.whiteSpace) ? .replaced(0x20) : .kept
  }
}

/// Source: tokenizers, `normalizers/bert.rs`, `is_chinese_char`.
enum BertIdeographRule: ScalarRule {
  static func changes(ascii: UInt8) -> Bool { false }

  static func outcome(_ scalar: UInt32) -> ScalarOutcome {
    switch scalar {
    case 0x4E00...0x9FFF, 0x3400...0x4DBF, 0x20000...0x2A6DF, 0x2A700...0x2B73F, 0x2B740...0x2B81F, 0x2B920...0x2CEAF,
      0xF900...0xFAFF, 0x2F800...0x2FA1F:
      .spaced
    default: .kept
    }
  }
}

/// Source: tokenizers, `normalizers/bert.rs`, `do_strip_accents`.
enum NonspacingMarkRule: ScalarRule {
  static func changes(ascii: UInt8) -> Bool { false }

  static func outcome(_ scalar: UInt32) -> ScalarOutcome {
    UnicodeTable.traits(of: scalar).contains(.nonspacingMark) ? .removed : .kept
  }
}

/// Source: tokenizers, `normalizers/strip.rs`, `StripAccents`.
enum CombiningMarkRule: ScalarRule {
  static func changes(ascii: UInt8) -> Bool { false }

  static func outcome(_ scalar: UInt32) -> ScalarOutcome {
    UnicodeTable.traits(of: scalar).contains(.combiningMark) ? .removed : .kept
  }
}

/// Source: tokenizers, `normalizers/unicode.rs`, `do_nmt`.
enum NmtRule: ScalarRule {
  static func changes(ascii: UInt8) -> Bool { ascii < 0x20 || ascii == 0x7F }

  static func outcome(_ scalar: UInt32) -> ScalarOutcome {
    switch scalar {
    case 0x01...0x08, 0x0B, 0x0E...0x1F, 0x7F, 0x8F, 0x9F: .removed
    case 0x09, 0x0A, 0x0C, 0x0D, 0x1680, 0x200B...0x200F, 0x2028, 0x2029, 0x2581, 0xFEFF, 0xFFFD: .replaced(0x20)
    default: .kept
    }
  }
}
