import KistCore
import KistTokenizers
import TestSupport
import Testing

struct PreTokenizeTests {
  @Test func `every component cuts texts as tokenizers does`() throws {
    var stages: [String: PreTokenizerStage] = [:]
    var failures = 0
    let count = try PreTokenizeSamples.forEachRow("pieces.jsonl") { row in
      let name = String(decoding: row[0], as: UTF8.self)
      let definition = try #require(PreTokenizeSamples.component(name), "\(name)")
      if stages[name] == nil { stages[name] = try PreTokenizerStage(definition) }
      let stage = try #require(stages[name])
      let pieces = try cut(row[1], stage)
      guard pieces != Array(row.dropFirst(2)), failures < 20 else { return }
      failures += 1
      Issue.record("\(name), \(shown([row[1]])): \(shown(pieces)), not \(shown(Array(row.dropFirst(2))))")
    }
    #expect(count > 500)
  }

  @Test func `raw bytes are what the alphabet of bytes stands for`() throws {
    var checked = 0
    _ = try PreTokenizeSamples.forEachRow("pieces.jsonl") { row in
      let definition = try #require(PreTokenizeSamples.component(String(decoding: row[0], as: UTF8.self)))
      guard PreTokenizerStage.canKeepRawBytes(definition) else { return }
      let stage = try PreTokenizerStage(definition, keepsRawBytes: true)
      #expect(stage.keepsRawBytes)
      let translated = try row.dropFirst(2).map { piece in
        try String(decoding: piece, as: UTF8.self).unicodeScalars.map { try #require(ByteAlphabet.byte(of: $0.value)) }
      }
      #expect(try cut(row[1], stage) == translated)
      checked += 1
    }
    #expect(checked > 100)
  }

  @Test func `only what ends in ByteLevel can keep raw bytes`() throws {
    let byteLevel = PreTokenizer.byteLevel(addsPrefixSpace: false, usesRegex: true)
    #expect(PreTokenizerStage.canKeepRawBytes(.sequence([.whitespace, byteLevel])))
    #expect(!PreTokenizerStage.canKeepRawBytes(.sequence([byteLevel, .digits(individual: true)])))
    #expect(!PreTokenizerStage.canKeepRawBytes(.sequence([])))
    #expect(try !PreTokenizerStage(.whitespace, keepsRawBytes: true).keepsRawBytes)
    #expect(try PreTokenizerStage(byteLevel, keepsRawBytes: true).soleScanner != nil)
    #expect(try PreTokenizerStage(byteLevel).soleScanner == nil)
  }

  @Test func `a piece that lost its beginning does not begin at the origin`() throws {
    for (text, definition, expected) in [
      ("  a b", PreTokenizer.whitespaceSplit, false), ("a b", .whitespaceSplit, true), (" a", .unicodeScripts, false),
      ("a", .byteLevel(addsPrefixSpace: true, usesRegex: true), true), (" ", .whitespaceSplit, false),
    ] {
      var pieces = Pieces(NormalizedText(bytes: Array(text.utf8)))
      try PreTokenizerStage(definition).apply(to: &pieces)
      #expect(pieces.firstBeginsAtOrigin == expected, "\(text)")
    }
    var later = Pieces(NormalizedText(bytes: Array("a b".utf8), beginsAtOrigin: false))
    var metaspace = Metaspace()
    metaspace.prependScheme = .first
    try PreTokenizerStage(.metaspace(metaspace)).apply(to: &later)
    #expect(later.ranges.map { Array(later.bytes[$0]) } == ["a", "▁b"].map { Array($0.utf8) })
  }

  @Test func `a length of nothing is refused`() {
    #expect(throws: KistError.self) { try PreTokenizerStage(.fixedLength(0)) }
  }

  @Test func `bytes that are no text are cut without harm`() throws {
    var generator = SeededGenerator(seed: 7)
    for name in [
      "bert", "bytelevel prefix", "metaspace first", "scripts", "fixed 3", "deepseek", "o200k",
      "split words removed False",
    ] {
      let stage = try PreTokenizerStage(try #require(PreTokenizeSamples.component(name)))
      for _ in 0..<200 { _ = try cut(generator.bytes(Int.random(in: 0..<40, using: &generator)), stage) }
    }
  }

  private func cut(_ text: [UInt8], _ stage: PreTokenizerStage) throws -> [[UInt8]] {
    var pieces = Pieces(NormalizedText(bytes: text))
    try stage.apply(to: &pieces)
    return pieces.ranges.map { Array(pieces.bytes[$0]) }
  }
}

/// Pieces for a person.
func shown(_ pieces: [[UInt8]]) -> String {
  pieces.map { String(decoding: $0, as: UTF8.self).debugDescription }.joined(separator: " ")
}
