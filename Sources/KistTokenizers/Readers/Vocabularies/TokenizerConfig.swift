import KistCore

/// What transformers keeps beside a vocabulary: tokenizer_config.json, special_tokens_map.json, added_tokens.json.
struct TokenizerConfig {
  /// `tokenizer_class`, without the `Fast` at its end.
  private(set) var className: String?
  /// Added tokens by the id that the files give them; their order is that of adding.
  private(set) var added: [(id: UInt32, token: AddedToken)] = []
  private var specials: [Role: AddedToken] = [:]
  private var extraSpecials: [AddedToken] = []
  private var fields: JSONFields?

  /// The special tokens that have names, in the order in which transformers adds them.
  enum Role: String, CaseIterable {
    case beginning = "bos_token"
    case end = "eos_token"
    case unknown = "unk_token"
    case separator = "sep_token"
    case padding = "pad_token"
    case classifier = "cls_token"
    case mask = "mask_token"
  }

  /// - Parameter defaults: Special tokens of the class, for those that the files do not name.
  init(_ folder: TokenizerFiles) throws(KistError) {
    if let root = try folder.json("tokenizer_config.json") {
      let fields = try JSONFields(root, path: "")
      self.fields = fields
      className = fields.present("tokenizer_class")?.string.map(Self.withoutFast)
      try readSpecials(fields)
      try readAddedDecoder(fields)
    }
    if let root = try folder.json("special_tokens_map.json") { try readSpecials(JSONFields(root, path: "")) }
    if let root = try folder.json("added_tokens.json") { try readAddedTokens(root) }
    added.sort { $0.id < $1.id }
  }

  private static func withoutFast(_ name: String) -> String {
    name.utf8.suffix(4).elementsEqual("Fast".utf8) ? String(name.dropLast(4)) : name
  }

  func bool(_ name: String, default missing: Bool) throws(KistError) -> Bool {
    try fields?.optionalBool(name) ?? missing
  }

  func optionalBool(_ name: String) throws(KistError) -> Bool? { try fields?.optionalBool(name) }

  /// The token of a role; the class's own when the files name none.
  func special(_ role: Role, default missing: String?) -> AddedToken? {
    specials[role] ?? missing.map { Self.special(Array($0.utf8)) }
  }

  /// All tokens in the order in which transformers adds them.
  func allTokens(defaults: [Role: String]) -> [AddedToken] {
    added.map(\.token) + Role.allCases.compactMap { special($0, default: defaults[$0]) } + extraSpecials
  }

  static func special(_ content: [UInt8]) -> AddedToken {
    var token = AddedToken(content: content, id: 0)
    token.isNormalized = false
    token.isSpecial = true
    return token
  }

  private mutating func readSpecials(_ fields: JSONFields) throws(KistError) {
    for role in Role.allCases {
      guard specials[role] == nil, let value = fields.present(role.rawValue) else { continue }
      specials[role] = try token(value, fields.place(role.rawValue))
    }
    for name in ["additional_special_tokens", "extra_special_tokens"] {
      guard let value = fields.present(name), value.elementSequence != nil else { continue }
      extraSpecials += try fields.elements(name, token)
    }
  }

  /// A token as a string, or an object with its flags.
  private func token(_ value: JSONValue, _ place: String) throws(KistError) -> AddedToken {
    if let content = value.stringBytes { return Self.special(content) }
    return try flagged(JSONFields(value, path: place), isSpecial: true)
  }

  private func flagged(_ fields: JSONFields, isSpecial: Bool) throws(KistError) -> AddedToken {
    var token = AddedToken(content: try fields.bytes("content"), id: 0)
    token.singleWord = try fields.bool("single_word", default: false)
    token.stripsLeft = try fields.bool("lstrip", default: false)
    token.stripsRight = try fields.bool("rstrip", default: false)
    token.isSpecial = try fields.bool("special", default: isSpecial)
    token.isNormalized = try fields.bool("normalized", default: !token.isSpecial)
    return token
  }

  /// `"added_tokens_decoder": {"50256": {"content": …, …}}`
  private mutating func readAddedDecoder(_ fields: JSONFields) throws(KistError) {
    guard let value = fields.present("added_tokens_decoder") else { return }
    let tokens = try JSONFields(value, path: "added_tokens_decoder")
    for name in tokens.names {
      guard let id = UInt32(name) else { throw tokens.wrong(name, "is not an id") }
      added.append((id, try flagged(JSONFields(tokens.required(name), path: tokens.place(name)), isSpecial: false)))
    }
  }

  /// `{"token": id}`
  private mutating func readAddedTokens(_ root: JSONValue) throws(KistError) {
    let table = try ModelReader.readTable(root, "added_tokens.json")
    let known = Set(added.map(\.id))
    for position in 0..<table.count where !known.contains(table.id(position)) {
      added.append((table.id(position), AddedToken(content: Array(table.token(position)), id: 0)))
    }
  }
}
