import KistTokenizers
import Testing

struct DefinitionTests {
  @Test func `a text is one piece, and no piece when it is empty`() {
    #expect(Pieces(NormalizedText(bytes: [97, 98])).ranges == [0..<2])
    #expect(Pieces(NormalizedText(bytes: [])).ranges.isEmpty)
  }
}
