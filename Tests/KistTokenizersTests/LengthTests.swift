import Foundation
import KistCore
import KistTokenizers
import TestSupport
import Testing

/// Truncation and padding, as tokenizers has them on request. Golden data: Fixtures/make/tokenizer_lengths.py.
struct LengthTests {
  private struct Case: Decodable {
    struct Output: Decodable {
      var ids: [UInt32]
      var typeIDs: [UInt32]
      var attentionMask: [UInt8]
      var overflow: [Output]?

      enum CodingKeys: String, CodingKey {
        case ids, overflow
        case typeIDs = "type_ids"
        case attentionMask = "attention_mask"
      }

      func matches(_ input: ModelInput) -> Bool {
        ids == input.ids && typeIDs == input.typeIDs && attentionMask == input.attentionMask
          && (overflow.map { $0.count == input.overflow.count && zip($0, input.overflow).allSatisfy { $0.matches($1) } }
            ?? true)
      }
    }

    struct Cut: Decodable {
      var maxLength: Int
      var stride: Int
      var strategy: String
      var direction: String

      enum CodingKeys: String, CodingKey {
        case stride, strategy, direction
        case maxLength = "max_length"
      }

      var truncation: Truncation {
        var truncation = Truncation(maximumLength: maxLength)
        truncation.stride = stride
        truncation.side = direction == "left" ? .left : .right
        truncation.strategy =
          ["only_first": .onlyFirst, "only_second": .onlySecond][strategy] ?? Truncation.Strategy.longestFirst
        return truncation
      }
    }

    struct Fill: Decodable {
      var length: Int?
      var multipleOf: Int?
      var direction: String
      var id: UInt32
      var typeID: UInt32

      enum CodingKeys: String, CodingKey {
        case length, direction
        case multipleOf = "pad_to_multiple_of"
        case id = "pad_id"
        case typeID = "pad_type_id"
      }

      var padding: Padding {
        var padding = Padding()
        (padding.fixedLength, padding.multipleOf) = (length, multipleOf)
        padding.side = direction == "left" ? .left : .right
        (padding.id, padding.typeID) = (id, typeID)
        return padding
      }
    }

    var tokenizer: String
    var truncation: Cut?
    var padding: Fill?
    var adds: Bool
    var batch: [[String]]
    var outputs: [Output]?
    var fails: Bool?
  }

  private func inputs(_ item: Case, _ tokenizer: Tokenizer) throws(KistError) -> [ModelInput] {
    let settings = Tokenizer.EncodingSettings(specialTokens: .parsed, additions: item.adds ? .added : .none)
    var inputs: [ModelInput] = []
    for texts in item.batch {
      inputs.append(
        try tokenizer.modelInput(
          Array(texts[0].utf8), and: texts.count == 2 ? Array(texts[1].utf8) : nil, settings,
          truncation: item.truncation?.truncation))
    }
    try item.padding?.padding.apply(to: &inputs)
    return inputs
  }

  @Test func `texts are cut and filled up as the reference does, and what it refuses is refused`() throws {
    let lines = try readFile(repository + "/Fixtures/tokenizers/lengths.jsonl").split(separator: UInt8(ascii: "\n"))
    #expect(lines.count > 200)
    var tokenizers: [String: Tokenizer] = [:]
    for line in lines {
      let item = try JSONDecoder().decode(Case.self, from: Data(line))
      let tokenizer = try tokenizers[item.tokenizer] ?? Tokenizer(fixture(item.tokenizer))
      tokenizers[item.tokenizer] = tokenizer
      guard let outputs = item.outputs else {
        #expect(throws: KistError.self, "\(String(decoding: line, as: UTF8.self))") { try inputs(item, tokenizer) }
        continue
      }
      let found = try inputs(item, tokenizer)
      #expect(
        found.count == outputs.count && zip(outputs, found).allSatisfy { $0.matches($1) },
        "\(String(decoding: line, as: UTF8.self))\n\(found)")
    }
  }

  @Test func `what the file says is at hand`() throws {
    let tokenizer = try Tokenizer(fixture("bert-uncased"))
    #expect(tokenizer.fileTruncation?.maximumLength == 512)
    #expect(tokenizer.filePadding?.fixedLength == 8)
    #expect(try Tokenizer(fixture("gpt2")).fileTruncation == nil)
  }

  @Test func `a length that no memory holds is refused`() {
    var padding = Padding()
    padding.fixedLength = .max
    #expect(throws: KistError.self) { try apply(padding) }
    padding.fixedLength = nil
    padding.multipleOf = .max
    #expect(throws: KistError.self) { try apply(padding) }
  }

  private func apply(_ padding: Padding) throws(KistError) {
    let tokenizer = try Tokenizer(
      TokenizerDefinition(
        reference: .tokenizers,
        model: .wordLevel(vocabulary: Vocabulary(tokens: [Vocabulary.Token(bytes: [0x61], id: 0)]), unknown: nil)))
    var inputs = [try tokenizer.modelInput([0x61], tokenizer.referenceSettings)]
    try padding.apply(to: &inputs)
  }
}
