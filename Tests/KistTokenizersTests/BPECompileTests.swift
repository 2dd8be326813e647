import KistCore
import KistTokenizers
import TestSupport
import Testing

struct BPECompileTests {
  private func vocabulary(_ tokens: String...) -> Vocabulary {
    Vocabulary(tokens: tokens.enumerated().map { Vocabulary.Token(bytes: Array($1.utf8), id: UInt32($0)) })
  }

  private func message(_ definition: BPEDefinition) -> String? {
    #expect(throws: KistError.self) { try BPEModel(definition) }?.description
  }

  @Test func `dropout is refused by name`() {
    var definition = BPEDefinition(vocabulary: vocabulary("a"), merges: .pairs([]))
    definition.dropout = 0.1
    #expect(
      message(definition)
        == "dropout: is 0.1: ids would differ from one time to the next; set it to null to encode without")
    definition.dropout = 0
    #expect(throws: Never.self) { try BPEModel(definition) }
  }

  @Test func `a merge of tokens that are not there is an error that names them`() {
    let pairs = [BPEDefinition.Pair(left: 0, right: 1, merged: 2), .init(left: 0, right: 7, merged: 2)]
    #expect(
      message(BPEDefinition(vocabulary: vocabulary("a", "b", "ab"), merges: .pairs(pairs)))
        == "merges: number 2 merges 'a' and id 7 into 'ab'; not all are in the vocabulary")
  }

  @Test func `ranks without a byte are an error that names it`() {
    let tokens = (UInt8.min..<200).map { Vocabulary.Token(bytes: [$0], id: UInt32($0)) }
    #expect(
      message(BPEDefinition(vocabulary: Vocabulary(tokens: tokens), merges: .byRank))
        == "ranks: have no token for the byte 200; every byte needs one")
  }

  @Test func `pieces without scores, or with scores that are no numbers, are errors`() {
    var definition = BPEDefinition(vocabulary: vocabulary("<unk>", "a"), merges: .byScore([0]))
    definition.unknown = 0
    #expect(message(definition) == "pieces: need a score each, and one of them to be the unknown piece")
    definition.merges = .byScore([0, .nan])
    #expect(message(definition) == "pieces: have a score that is not a number")
  }

  @Test func `equal definitions give equal records`() throws {
    for name in BPEFixture.names {
      let fixture = try BPEFixture(name)
      #expect(try fixture.record() == fixture.record())
    }
  }

  @Test func `tokens outside the byte alphabet keep their bytes`() throws {
    let fixture = try BPEFixture("byte-level-outside.json")
    let model = try fixture.model
    for token in fixture.definition.vocabulary.tokens where token.bytes.starts(with: " ".utf8) {
      #expect(model.vocabulary.bytes(of: token.id) == token.bytes)
      #expect(model.vocabulary.id(of: token.bytes) != token.id)
    }
    #expect(model.vocabulary.id(of: Array(" karito".utf8)) != nil)
  }

  @Test func `a word is shown as it is merged`() throws {
    var definition = BPEDefinition(
      vocabulary: vocabulary("a", "b", "c", "ab", "abc"),
      merges: .pairs([.init(left: 3, right: 2, merged: 4), .init(left: 0, right: 1, merged: 3)]))
    let trace = try BPEModel(definition).mergeSteps(of: Array("abcab".utf8))
    #expect(trace.symbols == ["a", "b", "c", "a", "b"].map { Array($0.utf8) })
    #expect(trace.steps.map(\.rank) == [1, 0, 1])
    #expect(trace.steps.map(\.merged) == [3, 4, 3])
    #expect(trace.steps.map(\.place) == [0, 0, 1])
    #expect(trace.steps.last?.symbols == ["abc", "ab"].map { Array($0.utf8) })
    #expect(trace.ids == [4, 3] && !trace.isWhole)
    definition.ignoresMerges = true
    let whole = try BPEModel(definition).mergeSteps(of: Array("abc".utf8))
    #expect(whole.isWhole && whole.ids == [4])
  }
}
