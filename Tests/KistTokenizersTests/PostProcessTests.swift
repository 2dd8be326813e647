import KistCore
import KistTokenizers
import TestSupport
import Testing

struct PostProcessFixture: Decodable {
  struct Case: Decodable {
    var processor: String
    var first: [UInt32]
    var second: [UInt32]?
    var adds: Bool
    var ids: [UInt32]
    var typeIDs: [UInt32]
    /// How many tokens the processor says that it adds.
    var added: Int
  }

  var cases: [Case]
}

struct PostProcessTests {
  private static let bert = PostProcessor.bert(separator: special("[SEP]", 7), classifier: special("[CLS]", 8))
  private static let roberta = PostProcessor.roberta(
    separator: special("</s>", 5), classifier: special("<s>", 6), trimsOffsets: true, addsPrefixSpace: false)
  private static let template = PostProcessor.template(
    single: [classifier(2), .sequence(0, typeID: 0), other(3)],
    pair: [
      classifier(0), .sequence(1, typeID: 4), other(0), .sequence(0, typeID: 1), .sequence(1, typeID: 1),
    ])
  private static let single = PostProcessor.template(
    single: [.sequence(0, typeID: 3)], pair: [.sequence(0, typeID: 1), .sequence(1, typeID: 2)])

  private static let processors: [String: PostProcessor] = [
    "bert": bert, "roberta": roberta, "byteLevel": .byteLevel, "template": template,
    "byteLevel, template": .sequence([.byteLevel, template]), "template, bert": .sequence([template, bert]),
    "template, roberta": .sequence([template, roberta]), "bert, template": .sequence([bert, template]),
    "single, single": .sequence([single, single]),
  ]

  private static func special(_ content: String, _ id: UInt32) -> PostProcessor.SpecialToken {
    PostProcessor.SpecialToken(content: Array(content.utf8), id: id)
  }

  private static func classifier(_ typeID: UInt32) -> PostProcessor.TemplateItem {
    .special(name: Array("[CLS]".utf8), ids: [8], typeID: typeID)
  }

  private static func other(_ typeID: UInt32) -> PostProcessor.TemplateItem {
    .special(name: Array("[X]".utf8), ids: [5, 6], typeID: typeID)
  }

  @Test func `put special tokens and types where the library does`() throws {
    for sample in try modelFixture("post-processors", as: PostProcessFixture.self).cases {
      let stage = PostProcessorStage(Self.processors[sample.processor])
      let encoding = try stage.process(sample.first, and: sample.second, addsSpecialTokens: sample.adds)
      #expect(encoding.ids == sample.ids, "\(sample)")
      #expect(encoding.typeIDs == sample.typeIDs, "\(sample)")
      #expect(stage.addedTokenCount(isPair: sample.second != nil) == sample.added, "\(sample)")
    }
  }

  @Test func `a template for one text that asks for two is an error`() {
    let stage = PostProcessorStage(.template(single: [.sequence(1, typeID: 0)], pair: []))
    #expect(throws: KistError.self) { try stage.process([1], addsSpecialTokens: true) }
    #expect(throws: KistError.self) {
      try PostProcessorStage(.sequence([Self.template, Self.template])).process([1], addsSpecialTokens: true)
    }
  }
}
