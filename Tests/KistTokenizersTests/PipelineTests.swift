import KistCore
import KistTokenizers
import TestSupport
import Testing

struct PipelineTests {
  @Test(arguments: tokenizerFixtures)
  func `a pipeline comes back as it was written`(_ name: String) throws {
    try expectRoundTrip(fixture(name))
  }

  private func expectRoundTrip(_ definition: TokenizerDefinition) throws {
    let (json, charsmaps) = TokenizerPipeline.encode(definition)
    let decoded = try unsafe TokenizerPipeline.decode(json.span.bytes, charsmaps: charsmaps)
    #expect(decoded == definition.withoutTables)
    #expect(TokenizerPipeline.encode(decoded).json == json)
  }

  @Test func `all that no file has comes back, too`() throws {
    var normalizer = SentencePieceNormalizer()
    normalizer.charsmap = [1, 2, 3]
    normalizer.userDefinedSymbols = [[0xFF, 0x00], Array("é\"\\".utf8)]
    var bpe = BPEDefinition(vocabulary: Vocabulary(tokens: []), merges: .byScore([]))
    bpe.dropout = 0.1
    bpe.endOfWordSuffix = [0x80]
    bpe.unknown = ModelDefinition.absentUnknown
    let definition = TokenizerDefinition(
      reference: .llamaCPP,
      normalizer: .sequence([.sentencePiece(normalizer), .precompiled(charsmap: [4, 5]), .prepend(Array("é".utf8))]),
      preTokenizer: .split(.regex(#"\p{L}+"#, .python), .contiguous, inverted: true), model: .bpe(bpe),
      postProcessor: .template(
        single: [.special(name: [0x41], ids: [1, 2], typeID: 3), .sequence(1, typeID: 0)], pair: []),
      decoder: .sequence([
        .sentencePiece(addsDummyPrefix: true, removesExtraWhitespaces: false, unknownSurface: [0xFE]), .bytes,
      ]),
      addedTokens: [AddedToken(content: [0xFF], id: 9)])
    try expectRoundTrip(definition)
  }

  @Test func `a character map outside the record is damage`() throws {
    let definition = try fixture("t5")
    let (json, charsmaps) = TokenizerPipeline.encode(definition)
    #expect(!charsmaps.isEmpty)
    #expect(throws: KistError.self) {
      try unsafe TokenizerPipeline.decode(json.span.bytes, charsmaps: Array(charsmaps.dropLast()))
    }
  }

  @Test func `every change of a byte is read or refused`() throws {
    let (json, charsmaps) = TokenizerPipeline.encode(try fixture("llama2"))
    var random = SeededGenerator(seed: 5)
    for _ in 0..<2000 {
      var changed = json
      changed[Int.random(in: 0..<json.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
      _ = try? unsafe TokenizerPipeline.decode(changed.span.bytes, charsmaps: charsmaps)
    }
  }
}

extension TokenizerDefinition {
  var withoutTables: TokenizerDefinition {
    let nothing = Vocabulary(tokens: [])
    var definition = self
    switch model {
    case .bpe(var bpe):
      bpe.vocabulary = nothing
      bpe.kinds = []
      switch bpe.merges {
      case .pairs: bpe.merges = .pairs([])
      case .byScore: bpe.merges = .byScore([])
      case .byRank: break
      }
      definition.model = .bpe(bpe)
    case .unigram(var unigram):
      unigram.vocabulary = nothing
      unigram.scores = []
      unigram.kinds = []
      definition.model = .unigram(unigram)
    case .wordPiece(var wordPiece):
      wordPiece.vocabulary = nothing
      definition.model = .wordPiece(wordPiece)
    case .wordLevel(_, let unknown): definition.model = .wordLevel(vocabulary: nothing, unknown: unknown)
    }
    return definition
  }
}
