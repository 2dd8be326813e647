import KistCore
import KistTokenizers
import TestSupport
import Testing

struct VocabularyTableTests {
  private func table(_ tokens: [(id: UInt32, bytes: [UInt8])], unindexed: Set<UInt32> = []) throws -> VocabularyTable {
    var writer = RecordWriter()
    let vocabulary = Vocabulary(tokens: tokens.map { Vocabulary.Token(bytes: $0.bytes, id: $0.id) })
    try VocabularyTable.compile(vocabulary, unindexed: unindexed, into: &writer)
    return try VocabularyTable(RecordReader(RecordStorage(writer.encoded())))
  }

  @Test func `tokens are found by their bytes, and their bytes by their ids`() throws {
    var generator = SeededGenerator(seed: 1)
    var seen: Set<[UInt8]> = []
    while seen.count < 5000 { seen.insert(generator.bytes(Int.random(in: 0...40, using: &generator))) }
    let tokens = seen.enumerated().map { (id: UInt32(3 * $0.offset), bytes: $0.element) }
    let table = try table(tokens)
    for token in tokens {
      #expect(table.id(of: token.bytes) == token.id)
      #expect(table.bytes(of: token.id) == token.bytes)
      #expect(table.contains(token.id) && !table.contains(token.id + 1))
      let other = token.bytes + [0]
      #expect(seen.contains(other) || table.id(of: other) == nil)
    }
    #expect(table.idCount == 3 * 4999 + 1)
  }

  @Test func `an id that no token has is not the empty token`() throws {
    let table = try table([(2, [97]), (5, []), (9, [98])])
    #expect(table.id(of: []) == 5)
    #expect((0..<12).filter { table.contains($0) } == [2, 5, 9])
    #expect(table.bytes(of: 3).isEmpty && table.bytes(of: 10).isEmpty && table.bytes(of: .max).isEmpty)
  }

  @Test func `an unindexed token keeps its bytes and is not found`() throws {
    let table = try table([(0, [97]), (1, [97])], unindexed: [1])
    #expect(table.id(of: [97]) == 0)
    #expect(table.bytes(of: 1) == [97])
  }

  @Test(
    arguments: [
      ([(0, [97]), (1, [97])], "vocabulary: has the token 'a' twice"),
      ([(1, [97]), (1, [98])], "vocabulary: has id 1 twice, or its ids are not in order"),
      ([(20_000_000, [97])], "vocabulary: has the id 20000000; ids up to 16777216 are supported"),
    ] as [([(UInt32, [UInt8])], String)])
  func `a vocabulary that can't be looked up is an error`(_ tokens: [(UInt32, [UInt8])], _ message: String) {
    let error = #expect(throws: KistError.self) { try table(tokens.map { (id: $0.0, bytes: $0.1) }) }
    #expect(error?.description == message)
  }

  @Test func `a damaged vocabulary gives wrong answers at worst`() throws {
    var generator = SeededGenerator(seed: 2)
    for _ in 0..<200 {
      var writer = RecordWriter()
      let (byteCount, idCount) = (Int.random(in: 0...40, using: &generator), Int.random(in: 1...9, using: &generator))
      writer.add(.tokenBytes, generator.bytes(byteCount))
      writer.add(.tokenStarts, (0..<idCount).map { _ in UInt32.random(in: 0...50, using: &generator) })
      writer.add(.tokenIndex, (0..<16).map { _ in UInt32.random(in: 1...12, using: &generator) })
      let table = try VocabularyTable(RecordReader(RecordStorage(writer.encoded())))
      for id in UInt32(0)..<12 { #expect(table.bytes(of: id).count <= byteCount) }
      _ = table.id(of: generator.bytes(Int.random(in: 0...9, using: &generator)))
    }
  }
}
