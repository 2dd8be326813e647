import KistCore

/// Reads added tokens and gives them ids as the library does: the vocabulary's for a token that it has, else the next free one. The ids in
/// the file are not asked. Source: tokenizers, `added_vocabulary.rs`, `add_tokens`.
struct AddedTokenReader {
  private let table: TokenTable
  private var tokens: [AddedToken] = []
  /// Tokens that others of the same content replaced, and that were normalized: decoding keeps to their form.
  private var replaced: [AddedToken] = []
  private var positionByContent: [[UInt8]: Int] = [:]
  private var positionByID: [UInt32: Int] = [:]
  private var nextID: UInt32

  init(table: TokenTable) {
    self.table = table
    nextID = UInt32(truncatingIfNeeded: table.count)
  }

  mutating func read(_ value: JSONValue, _ path: String) throws(KistError) -> [AddedToken] {
    guard let elements = value.elementSequence else { throw KistError(.damaged, field: path, "is not an array") }
    var index = 0
    for (_, element) in elements {
      let fields = try JSONFields(element, path: "\(path)[\(index)]")
      _ = try fields.id("id")
      add(try Self.token(fields))
      index += 1
    }
    return added
  }

  /// A token with its content, whose id is not known yet.
  static func token(_ fields: JSONFields) throws(KistError) -> AddedToken {
    var token = try flags(fields)
    token.content = try fields.bytes("content")
    return token
  }

  /// A token with everything but its content and id.
  static func flags(_ fields: JSONFields) throws(KistError) -> AddedToken {
    var token = AddedToken(content: [], id: 0)
    token.singleWord = try fields.bool("single_word")
    token.stripsLeft = try fields.bool("lstrip")
    token.stripsRight = try fields.bool("rstrip")
    token.isNormalized = try fields.bool("normalized")
    token.isSpecial = try fields.bool("special")
    return token
  }

  /// Adds a token in its turn; one that replaces another of the same content or id takes its place.
  mutating func add(_ token: AddedToken) {
    guard !token.content.isEmpty else { return }
    var token = token
    if let position = positionByContent[token.content] {
      token.id = tokens[position].id
      // A content that was special once stays so in the library's set.
      token.isSpecial = token.isSpecial || tokens[position].isSpecial
      if tokens[position].isNormalized, !token.isNormalized { replaced.append(tokens[position]) }
      tokens[position] = token
      return
    }
    if let id = table.id(of: token.content) {
      token.id = id
    } else {
      token.id = nextID
      nextID += 1
    }
    if let position = positionByID[token.id] {
      positionByContent[tokens[position].content] = nil
      tokens[position] = token
    } else {
      tokens.append(token)
    }
    let position = positionByID[token.id] ?? tokens.count - 1
    positionByID[token.id] = position
    positionByContent[token.content] = position
  }

  /// All tokens added, by id; those that were replaced first.
  var added: [AddedToken] { replaced + tokens.sorted { $0.id < $1.id } }
}
