import KistCore

/// vocab.txt, BERT's vocabulary, a token a line. Source: transformers, `models/bert/tokenization_bert.py`.
enum WordPieceFile {
  static func read(_ bytes: [UInt8], config: TokenizerConfig) throws(KistError) -> TokenizerDefinition {
    if let name = config.className, VocabularyFamily.of(className: name) != .bert {
      throw KistError(
        .unsupported, file: "tokenizer_config.json", field: "tokenizer_class",
        "is '\(name)', whose pipeline for vocab.txt Kist does not know",
        advice: "save it with transformers as a tokenizer.json")
    }
    let table = try self.table(bytes)
    let defaults = VocabularyFamily.bert.specials
    var tokens = AddedTokenReader(table: table)
    for token in config.allTokens(defaults: defaults) { tokens.add(token) }
    let unknown = config.special(.unknown, default: defaults[.unknown])
    var definition = TokenizerDefinition(
      reference: .tokenizers,
      normalizer: .bert(
        cleanText: true, handlesChineseCharacters: try config.bool("tokenize_chinese_chars", default: true),
        stripsAccents: try config.optionalBool("strip_accents"),
        lowercases: try config.bool("do_lower_case", default: true)),
      preTokenizer: .bert,
      model: .wordPiece(
        WordPieceDefinition(
          vocabulary: try table.vocabulary("vocab.txt"),
          unknown: unknown.flatMap { table.id(of: $0.content) } ?? ModelDefinition.absentUnknown)),
      decoder: .wordPiece(prefix: Array("##".utf8), cleansUp: true), addedTokens: tokens.added)
    let token = { (role: TokenizerConfig.Role) in tokens.added.special(config.special(role, default: defaults[role])) }
    if let classifier = token(.classifier), let separator = token(.separator) {
      definition.postProcessor = template(classifier, separator)
    }
    return definition
  }

  /// Lines end with LF, CR LF or CR; of repeated tokens the last counts.
  private static func table(_ bytes: [UInt8]) throws(KistError) -> TokenTable {
    guard String(validating: bytes, as: UTF8.self) != nil else { throw KistError(.damaged, "is not UTF-8") }
    var table = TokenTable(count: bytes.count / 8)
    var (start, id) = (0, UInt32(0))
    let add = { (line: ArraySlice<UInt8>) in
      if let position = table.insert(Array(line), id: id) { table.setID(position, id) }
      id += 1
    }
    for (index, byte) in bytes.enumerated() where byte == 0x0A || byte == 0x0D {
      if byte == 0x0A, index > 0, bytes[index - 1] == 0x0D {
        start = index + 1
        continue
      }
      add(bytes[start..<index])
      start = index + 1
    }
    if start < bytes.count { add(bytes[start...]) }
    return table
  }

  private static func template(
    _ classifier: PostProcessor.SpecialToken, _ separator: PostProcessor.SpecialToken
  ) -> PostProcessor {
    let item = { (token: PostProcessor.SpecialToken, typeID: UInt32) -> PostProcessor.TemplateItem in
      .special(name: token.content, ids: [token.id], typeID: typeID)
    }
    let single = [item(classifier, 0), .sequence(0, typeID: 0), item(separator, 0)]
    return .template(single: single, pair: single + [.sequence(1, typeID: 1), item(separator, 1)])
  }
}
