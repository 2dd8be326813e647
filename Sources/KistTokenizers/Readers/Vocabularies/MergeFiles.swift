import KistCore

/// vocab.json and merges.txt, as GPT-2 came with them. Source: tokenizers, `models/bpe/model.rs`, `read_file`; transformers, for the
/// pipeline around them.
enum MergeFiles {
  static func read(vocabulary: [UInt8], merges: [UInt8], config: TokenizerConfig) throws(KistError)
    -> TokenizerDefinition
  {
    let family = try self.family(config)
    let table = try self.table(vocabulary)
    var bpe = BPEDefinition(
      vocabulary: try inFile("vocab.json") { () throws(KistError) in try table.vocabulary("") },
      merges: .pairs(
        try inFile("merges.txt") { () throws(KistError) in try MergeReader.read(lines: merges, table: table) }))
    var tokens = AddedTokenReader(table: table)
    for token in config.allTokens(defaults: family.specials) { tokens.add(token) }
    if family == .clip {
      bpe.endOfWordSuffix = Array("</w>".utf8)
      bpe.unknown = config.special(.unknown, default: family.specials[.unknown]).map {
        table.id(of: $0.content) ?? ModelDefinition.absentUnknown
      }
    }
    var definition = TokenizerDefinition(
      reference: .tokenizers, preTokenizer: .byteLevel(addsPrefixSpace: false, usesRegex: true), model: .bpe(bpe),
      decoder: .byteLevel, addedTokens: tokens.added)
    try complete(&definition, family, config)
    return definition
  }

  private static func family(_ config: TokenizerConfig) throws(KistError) -> VocabularyFamily {
    guard let name = config.className else { return .gpt2 }
    guard let family = VocabularyFamily.of(className: name), family != .bert else {
      throw KistError(
        .unsupported, file: "tokenizer_config.json", field: "tokenizer_class",
        "is '\(name)', whose pipeline for vocab.json and merges.txt Kist does not know",
        advice: "save it with transformers as a tokenizer.json")
    }
    return family
  }

  private static func complete(
    _ definition: inout TokenizerDefinition, _ family: VocabularyFamily, _ config: TokenizerConfig
  ) throws(KistError) {
    let addsPrefixSpace = try config.bool("add_prefix_space", default: false)
    let byteLevel = PreTokenizer.byteLevel(addsPrefixSpace: addsPrefixSpace, usesRegex: family != .qwen2)
    let addedTokens = definition.addedTokens
    let token = { (role: TokenizerConfig.Role) -> PostProcessor.SpecialToken? in
      addedTokens.special(config.special(role, default: family.specials[role]))
    }
    switch family {
    case .gpt2, .bert:
      definition.preTokenizer = byteLevel
      definition.postProcessor = try bracketing(beginning: token(.beginning), end: token(.end), config)
    case .qwen2:
      definition.normalizer = .nfc
      definition.preTokenizer = .sequence([
        .split(.regex(qwenPattern, .oniguruma), .isolated, inverted: false), byteLevel,
      ])
      definition.postProcessor = try bracketing(beginning: token(.beginning), end: token(.end), config)
    case .roberta:
      definition.preTokenizer = byteLevel
      guard let separator = token(.separator), let classifier = token(.classifier) else { return }
      definition.postProcessor = .roberta(
        separator: separator, classifier: classifier, trimsOffsets: try config.bool("trim_offsets", default: true),
        addsPrefixSpace: addsPrefixSpace)
    case .clip:
      definition.normalizer = .sequence([
        .nfc, .replace(.regex(#"\s+"#, .oniguruma), with: Array(" ".utf8)), .lowercase,
      ])
      definition.preTokenizer = .sequence([
        .split(.regex(clipPattern, .oniguruma), .removed, inverted: true),
        .byteLevel(addsPrefixSpace: false, usesRegex: true),
      ])
      guard let beginning = token(.beginning), let end = token(.end) else { return }
      definition.postProcessor = .roberta(
        separator: end, classifier: beginning, trimsOffsets: false, addsPrefixSpace: false)
    }
  }

  private static let qwenPattern =
    #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
  private static let clipPattern =
    #"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"#

  /// What `add_bos_token` and `add_eos_token` ask for. Source: transformers, `update_post_processor`.
  private static func bracketing(
    beginning: PostProcessor.SpecialToken?, end: PostProcessor.SpecialToken?, _ config: TokenizerConfig
  ) throws(KistError) -> PostProcessor {
    let beginning = try config.bool("add_bos_token", default: false) ? beginning : nil
    let end = try config.bool("add_eos_token", default: false) ? end : nil
    let around = { (sequence: Int) -> [PostProcessor.TemplateItem] in
      let typeID = UInt32(sequence)
      let special = { (token: PostProcessor.SpecialToken) -> PostProcessor.TemplateItem in
        .special(name: token.content, ids: [token.id], typeID: typeID)
      }
      return (beginning.map { [special($0)] } ?? []) + [.sequence(sequence, typeID: typeID)]
        + (end.map { [special($0)] } ?? [])
    }
    return .template(single: around(0), pair: around(0) + around(1))
  }

  // MARK: Files

  private static func table(_ bytes: [UInt8]) throws(KistError) -> TokenTable {
    try inFile("vocab.json") { () throws(KistError) in
      unsafe try ModelReader.readTable(JSONDocument(bytes.span.bytes).root, "")
    }
  }

  private static func inFile<Result>(
    _ name: String, _ body: () throws(KistError) -> Result
  ) throws(KistError) -> Result {
    do throws(KistError) { return try body() } catch { throw error.inFile(name) }
  }
}

extension [AddedToken] {
  /// An added token with the id that it was given.
  func special(_ token: AddedToken?) -> PostProcessor.SpecialToken? {
    guard let token, let added = first(where: { $0.content == token.content }) else { return nil }
    return PostProcessor.SpecialToken(content: added.content, id: added.id)
  }
}
