import KistCore

/// Reads added tokens and gives them ids as the library does: the vocabulary's for a token that it has, else the next free one. The ids in
/// the file are not asked. Source: tokenizers, `added_vocabulary.rs`, `add_tokens`.
struct AddedTokenReader {
  private let table: TokenTable
  private var tokens: [AddedToken] = []
  private var positionByID: [UInt32: Int] = [:]
  /// The library keeps what it once knew of a content, also when another token took its id: the id, whether it was special, and whether it
  /// was normalized.
  private var idByContent: [[UInt8]: UInt32] = [:]
  private var specialContents: Set<[UInt8]> = []
  private var normalizedByContent: [[UInt8]: AddedToken] = [:]
  /// Normalized tokens that others of the same content replaced: decoding keeps to their form.
  private var replaced: [AddedToken] = []
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

  /// Adds a token in its turn; one that has the id of another takes its place.
  mutating func add(_ token: AddedToken) {
    guard !token.content.isEmpty else { return }
    var token = token
    if let id = idByContent[token.content] ?? table.id(of: token.content) {
      token.id = id
    } else {
      token.id = nextID
      nextID += 1
    }
    idByContent[token.content] = token.id
    if token.isSpecial { specialContents.insert(token.content) }
    token.isSpecial = specialContents.contains(token.content)
    if token.isNormalized {
      normalizedByContent[token.content] = token
    } else if let earlier = normalizedByContent[token.content] {
      replaced.append(earlier)
    }
    if let position = positionByID[token.id] {
      tokens[position] = token
    } else {
      positionByID[token.id] = tokens.count
      tokens.append(token)
    }
  }

  /// All tokens added, by id; those that were replaced first.
  var added: [AddedToken] { replaced + tokens.sorted { $0.id < $1.id } }
}
