import KistCore
import KistTokenizers
import TestSupport
import Testing

struct BertNormalizerTests {
  private static func bert(_ clean: Bool, _ chinese: Bool, _ accents: Bool, _ lower: Bool) -> Normalizer {
    .bert(cleanText: clean, handlesChineseCharacters: chinese, stripsAccents: accents, lowercases: lower)
  }

  /// Characters that its parts look at, and some that newer versions of Unicode brought.
  private static func text(_ random: inout SeededGenerator) -> [UInt8] {
    let ranges: [ClosedRange<UInt32>] = [
      0x00...0x7F, 0x41...0x5A, 0x61...0x7A, 0x80...0x24F, 0x300...0x36F, 0x370...0x3FF, 0x5B0...0x5EA, 0x900...0x97F,
      0x1E00...0x1FFF, 0x2000...0x206F, 0x302A...0x30FF, 0x4E00...0x4E40, 0xAC00...0xAD00, 0xF900...0xFAFF,
      0x1D160...0x1D172, 0x1E8D0...0x1E94A, 0x16FF0...0x16FF6, 0x10D24...0x10D6F, 0x2F800...0x2F820, 0x130...0x131,
    ]
    var bytes: [UInt8] = []
    for _ in 0..<Int.random(in: 0...12, using: &random) {
      let range = ranges[Int.random(in: 0..<ranges.count, using: &random)]
      guard let scalar = Unicode.Scalar(UInt32.random(in: range, using: &random)) else { continue }
      bytes += Array(String(scalar).utf8)
    }
    return bytes
  }

  @Test(arguments: 0..<16)
  func `one pass gives what its parts give one after the other`(flags: Int) throws {
    let has = { (bit: Int) in flags >> bit & 1 == 1 }
    let whole = try NormalizerStage(Self.bert(has(0), has(1), has(2), has(3)))
    let parts = try NormalizerStage(
      .sequence([
        Self.bert(has(0), false, false, false), Self.bert(false, has(1), false, false),
        Self.bert(false, false, has(2), false), Self.bert(false, false, false, has(3)),
      ]))
    var random = SeededGenerator(seed: UInt64(flags))
    for _ in 0..<4000 {
      let bytes = Self.text(&random)
      var (one, other) = (NormalizedText(bytes: bytes), NormalizedText(bytes: bytes))
      try whole.apply(to: &one)
      try parts.apply(to: &other)
      #expect(one.bytes == other.bytes && one.beginsAtOrigin == other.beginsAtOrigin, "\(bytes)")
    }
  }
}
