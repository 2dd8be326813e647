import KistCore

/// Learns a byte-level BPE tokenizer from files, as Hugging Face's `ByteLevelBPETokenizer` does.
public struct TokenizerTraining: Sendable {
  public var files: [String]
  public var vocabularySize: Int
  public var minimumFrequency: Int
  public var specialTokens: [String]
  public var maximumTokenLength: Int?

  public init(
    files: [String], vocabularySize: Int = 30_000, minimumFrequency: Int = 0, specialTokens: [String] = [],
    maximumTokenLength: Int? = nil
  ) {
    self.files = files
    self.vocabularySize = vocabularySize
    self.minimumFrequency = minimumFrequency
    self.specialTokens = specialTokens
    self.maximumTokenLength = maximumTokenLength
  }

  /// What was learned.
  public struct Result: Sendable {
    package var definition: TokenizerDefinition
    public var tokenCount: Int
    public var mergeCount: Int
    public var corpusByteCount: Int

    /// As tokenizer.json has it.
    public func json() throws(KistError) -> [UInt8] { try TokenizerJSON.encode(definition) }

    /// Writes it as tokenizer.json.
    public func write(to path: String, replacing: Bool) throws(KistError) {
      let json = try json()
      let file = try NewFile(target: path)
      try file.output.write(json, at: 0)
      try file.commit(replacing: replacing)
    }
  }

  /// - Throws: `invalid` for text that is not UTF-8, naming the place; `missing` for a file that is not there; `interrupted`.
  public func run(
    parallelism: Parallelism = Parallelism(), progress: any ProgressObserver = NoProgress()
  ) throws(KistError) -> Result {
    let preTokenizer = PreTokenizer.byteLevel(addsPrefixSpace: false, usesRegex: true)
    let mapped = try files.map { path throws(KistError) in try MappedFile(path: path) }
    let counter = WordCounter { () throws(KistError) in
      let stage = try PreTokenizerStage(preTokenizer)
      return { (text, emit) throws(KistError) in
        var pieces = Pieces(NormalizedText(bytes: text.array(0..<text.byteCount)))
        try stage.apply(to: &pieces)
        for range in pieces.ranges { unsafe emit(pieces.bytes.span.bytes.extracting(range)) }
      }
    }
    let words = try counter.count(mapped, progress: progress, parallelism: parallelism)
    var options = BPETrainer.Options()
    options.vocabularySize = vocabularySize
    options.minimumFrequency = UInt64(minimumFrequency)
    options.specialTokens = specialTokens.map { Array($0.utf8) }
    options.initialAlphabet = Set((UInt8.min...UInt8.max).map(ByteAlphabet.scalar(of:)))
    options.maximumTokenLength = maximumTokenLength
    let trainer = BPETrainer(options)
    let learned = try trainer.train(words, progress: progress, parallelism: parallelism)
    let definition = TokenizerDefinition(
      reference: .tokenizers, preTokenizer: preTokenizer, model: .bpe(learned), postProcessor: .byteLevel,
      decoder: .byteLevel, addedTokens: trainer.addedTokens(in: learned))
    return Result(
      definition: definition, tokenCount: learned.vocabulary.tokens.count, mergeCount: learned.pairCount,
      corpusByteCount: mapped.reduce(0) { $0 + $1.count })
  }
}

extension BPEDefinition {
  fileprivate var pairCount: Int {
    if case .pairs(let pairs) = merges { pairs.count } else { 0 }
  }
}
