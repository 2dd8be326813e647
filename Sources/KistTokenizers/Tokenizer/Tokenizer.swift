import KistCore

/// A tokenizer, ready to turn text into ids and back.
///
/// It runs from a compiled record, in memory or mapped from a container: opening parses the few components, and reads the tables where they
/// lie. Any number of threads may use it at once.
///
/// ```swift
/// let tokenizer = try Tokenizer.open(path: "model.kist")
/// let ids = try tokenizer.encode(Array("The cat sat".utf8), tokenizer.referenceSettings)
/// let text = try tokenizer.decode(ids, skippingSpecialTokens: true)
/// ```
public final class Tokenizer: Sendable {
  /// Everything but the tables.
  let pipeline: TokenizerDefinition
  let model: TokenizerModel
  let vocabulary: VocabularyTable
  let addedTokens: AddedTokens
  /// `PieceKind` by id, for SentencePiece's models.
  let kinds: FlatArray<UInt8>
  let normalizer: NormalizerStage?
  let preTokenizer: PreTokenizerStage?
  let postProcessor: PostProcessorStage
  let decoder: DecoderStage
  /// Pieces and tokens are raw bytes, where the file spells them in GPT-2's alphabet.
  let usesRawBytes: Bool
  /// The file names an unknown token that its vocabulary lacks.
  let lacksUnknown: Bool
  /// Memory that a thread needs while it encodes, with what it remembers of earlier pieces.
  let scratches: ResourcePool<TokenizerScratch>

  /// Compiles a definition and opens what comes of it.
  package convenience init(_ definition: TokenizerDefinition) throws(KistError) {
    try self.init(record: RecordStorage(try Tokenizer.compile(definition)))
  }

  /// Opens a compiled tokenizer where it lies.
  ///
  /// - Throws: `damaged` when it contradicts its format; `unsupported` when another version of Kist wrote it.
  /// - Complexity: what compiling the components' patterns takes; nothing for the vocabulary.
  package init(record: RecordStorage) throws(KistError) {
    let reader = try RecordReader(record)
    pipeline = try Self.pipeline(reader)
    guard pipeline.addedTokens.allSatisfy({ $0.id <= VocabularyTable.highestID }) else {
      throw RecordReader.damage("id of an added token")
    }
    usesRawBytes = pipeline.usesRawBytes
    lacksUnknown = pipeline.model.unknown == ModelDefinition.absentUnknown
    vocabulary = try VocabularyTable(reader)
    model = try TokenizerModel(pipeline.model, reader)
    addedTokens = try AddedTokens(reader)
    kinds = try reader.array(.tokenKinds)
    normalizer = try pipeline.normalizer.map { part throws(KistError) in try NormalizerStage(part) }
    let rawBytes = usesRawBytes
    preTokenizer = try pipeline.preTokenizer.map { part throws(KistError) in
      try PreTokenizerStage(part, keepsRawBytes: rawBytes)
    }
    postProcessor = PostProcessorStage(pipeline.postProcessor)
    decoder = try DecoderStage(pipeline.decoder)
    scratches = ResourcePool { () throws(KistError) in TokenizerScratch() }
  }

  private static func pipeline(_ reader: RecordReader) throws(KistError) -> TokenizerDefinition {
    let json: FlatArray<UInt8> = try reader.array(.pipeline)
    let charsmaps: FlatArray<UInt8> = try reader.array(.charsmap)
    let text = json.copy(0..<json.count)
    do throws(KistError) {
      return unsafe try TokenizerPipeline.decode(text.span.bytes, charsmaps: charsmaps.copy(0..<charsmaps.count))
    } catch {
      throw RecordReader.damage("section 'pipeline': \(error)")
    }
  }

  /// The compiled form of a tokenizer: the same bytes for the same definition.
  ///
  /// - Throws: `unsupported` or `invalid` naming the component that can't be run exactly.
  package static func compile(_ definition: TokenizerDefinition) throws(KistError) -> [UInt8] {
    var writer = RecordWriter()
    let (json, charsmaps) = TokenizerPipeline.encode(definition)
    writer.add(.pipeline, json)
    if !charsmaps.isEmpty { writer.add(.charsmap, charsmaps) }
    try TokenizerModel.compile(definition, into: &writer)
    let normalizer = try definition.normalizer.map { part throws(KistError) in try NormalizerStage(part) }
    try AddedTokens.compile(definition.addedTokens, into: &writer) { (content) throws(KistError) in
      var text = NormalizedText(bytes: content)
      try normalizer?.apply(to: &text)
      return text.bytes
    }
    let record = writer.encoded()
    // What can't be opened is found now.
    _ = try Tokenizer(record: RecordStorage(record))
    return record
  }
}

// MARK: - What it is

extension Tokenizer {
  /// The library whose ids are the right ones: `tokenizers`, `sentencepiece`, `tiktoken` or `llama.cpp`.
  public var reference: String { pipeline.reference.rawValue }

  /// `BPE`, `Unigram`, `WordPiece` or `WordLevel`.
  public var modelName: String { model.name }

  /// One more than the highest id.
  public var idCount: Int {
    max(vocabulary.idCount, pipeline.addedTokens.reduce(0) { max($0, Int($1.id) + 1) })
  }

  /// The token of what is no token; nil when there is none.
  package var unknownToken: UInt32? { lacksUnknown ? nil : pipeline.model.unknown }

  /// A token as its file spells it; nil for an id that no token has.
  public func token(_ id: UInt32) -> [UInt8]? {
    if let added = addedTokens.token(of: id) { return added.bytes }
    guard vocabulary.contains(id) else { return nil }
    let bytes = vocabulary.bytes(of: id)
    // Tokens with characters outside the alphabet keep their own bytes, and are not found by them.
    return usesRawBytes && vocabulary.id(of: bytes) == id ? ByteAlphabet.spelling(of: bytes) : bytes
  }

  /// The id of the token that the file spells so; nil when there is none.
  public func id(of token: [UInt8]) -> UInt32? {
    if let added = pipeline.addedTokens.last(where: { $0.content == token }) { return added.id }
    return vocabulary.id(of: usesRawBytes ? ByteAlphabet.bytes(ofSpelling: token) ?? token : token)
  }

  /// Tokens that mean something other than text, by id.
  public var specialTokens: [(id: UInt32, content: [UInt8])] {
    pipeline.addedTokens.filter(\.isSpecial).map { ($0.id, $0.content) }.sorted { $0.id < $1.id }
  }

  /// The components in words, in the order in which text passes them.
  public var pipelineInWords: [(stage: String, steps: [String])] {
    [
      ("normalizer", pipeline.normalizer?.words ?? ["none"]),
      ("pre-tokenizer", pipeline.preTokenizer?.words ?? ["none"]),
      ("model", [modelName]),
      ("post-processor", pipeline.postProcessor?.words ?? ["none"]),
      ("decoder", pipeline.decoder?.words ?? ["joined with spaces"]),
    ]
  }
}

extension TokenizerDefinition {
  /// Whether pieces can stay raw bytes all through: GPT-2's alphabet is then left out, which changes no id.
  var usesRawBytes: Bool {
    guard case .bpe(let bpe) = model, case .pairs = bpe.merges, let preTokenizer else { return false }
    return PreTokenizerStage.canKeepRawBytes(preTokenizer) && bpe.continuingSubwordPrefix.isEmpty
      && bpe.endOfWordSuffix.isEmpty
  }
}
