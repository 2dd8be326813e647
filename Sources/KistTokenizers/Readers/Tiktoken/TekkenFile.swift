import KistCore

/// tekken.json, Mistral's file of ranks with pattern and special tokens; ids begin with the special tokens.
/// Source: mistral-common, `tokens/tokenizers/tekken.py`, which encodes with tiktoken.
package enum TekkenFile {
  package static func read(_ text: RawSpan) throws(KistError) -> TokenizerDefinition {
    try read(JSONDocument(text))
  }

  static func recognizes(_ document: JSONDocument) -> Bool {
    document.root["config"]?["pattern"] != nil && document.root["vocab"]?.elementSequence != nil
  }

  static func read(_ document: JSONDocument) throws(KistError) -> TokenizerDefinition {
    let fields = try JSONFields(document.root, path: "")
    let config = try JSONFields(fields.required("config"), path: "config")
    let size = try config.count("default_vocab_size")
    let specialCount = try config.count("default_num_special_tokens")
    guard size <= Int(TokenTable.maximumID), specialCount <= size else {
      throw config.wrong("default_vocab_size", "is \(size), with \(specialCount) special tokens")
    }
    let vocabulary = try self.vocabulary(fields, count: size - specialCount, offset: specialCount)
    try TiktokenFile.checkBytes(vocabulary)
    var definition = TiktokenFile.rankedDefinition(vocabulary, pattern: try config.string("pattern"))
    definition.addedTokens = try specials(fields, config, count: specialCount)
    return definition
  }

  /// The first `count` entries; the file may have more.
  private static func vocabulary(_ fields: JSONFields, count: Int, offset: Int) throws(KistError) -> Vocabulary {
    let value = try fields.required("vocab")
    guard let entries = value.elementSequence else { throw fields.wrong("vocab", "is not an array") }
    var table = TokenTable(count: min(count, value.childCount))
    for (_, value) in entries {
      guard table.count < count else { break }
      let entry = try JSONFields(value, path: "vocab[\(table.count)]")
      guard try entry.count("rank") == table.count else { throw entry.wrong("rank", "is not the entry's position") }
      guard let token = Base64.decode(try entry.bytes("token_bytes")), !token.isEmpty else {
        throw entry.wrong("token_bytes", "is not a token in base64")
      }
      if table.count < 256, token != [UInt8(table.count)] {
        throw entry.wrong("token_bytes", "is not the byte \(table.count)")
      }
      if let other = table.insert(token, id: UInt32(offset + table.count)) {
        throw entry.wrong("token_bytes", "is that of vocab[\(other)], too")
      }
    }
    guard table.count == count else { throw fields.wrong("vocab", "has \(table.count) entries, not \(count)") }
    return try table.vocabulary("vocab")
  }

  /// Those that the file names, then `<SPECIAL_20>` and so on up to their number.
  private static func specials(
    _ fields: JSONFields, _ config: JSONFields, count: Int
  ) throws(KistError) -> [AddedToken] {
    var names = try named(fields, config)
    guard names.count <= count else { throw fields.wrong("special_tokens", "are more than \(count)") }
    for id in names.count..<count { names.append(Array("<SPECIAL_\(id)>".utf8)) }
    guard Set(names).count == count else { throw fields.wrong("special_tokens", "are not all different") }
    return names.enumerated().map { TiktokenFile.special($0.element, UInt32($0.offset)) }
  }

  private static func named(_ fields: JSONFields, _ config: JSONFields) throws(KistError) -> [[UInt8]] {
    guard fields.present("special_tokens") != nil else {
      let version = try config.string("version")
      guard let number = Int(version.utf8.dropFirst().text), number <= 7 else {
        throw fields.wrong("special_tokens", "are missing, which a file of version \(version) must have")
      }
      return oldSpecials.map { Array($0.utf8) }
    }
    var position = 0
    return try fields.elements("special_tokens") { (value, place) throws(KistError) in
      let special = try JSONFields(value, path: place)
      guard try special.count("rank") == position else { throw special.wrong("rank", "is not the token's position") }
      position += 1
      return try special.bytes("token_str")
    }
  }

  /// What files up to version 7 have without naming it.
  private static let oldSpecials = [
    "<unk>", "<s>", "</s>", "[INST]", "[/INST]", "[AVAILABLE_TOOLS]", "[/AVAILABLE_TOOLS]", "[TOOL_RESULTS]",
    "[/TOOL_RESULTS]", "[TOOL_CALLS]", "[IMG]", "<pad>", "[IMG_BREAK]", "[IMG_END]", "[PREFIX]", "[MIDDLE]", "[SUFFIX]",
    "[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]", "[TOOL_CONTENT]",
  ]
}

extension Substring.UTF8View {
  fileprivate var text: String { String(decoding: self, as: UTF8.self) }
}
