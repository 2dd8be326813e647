import KistCore

/// A file of ranks, `base64-of-token rank` a line, and what the file does not say: pattern and special tokens. Source: tiktoken, `load.py`.
package enum TiktokenFile {
  /// - Parameters:
  ///   - name: The file's name, which may tell the encoding.
  ///   - encoding: Chosen by the caller; nil goes by the name, then by the number of ranks.
  /// - Throws: `damaged` naming the line; `unsupported` when nothing tells the pattern.
  package static func read(
    _ bytes: [UInt8], name: String = "", encoding: TiktokenEncoding? = nil
  ) throws(KistError) -> TokenizerDefinition {
    let table = try ranks(bytes)
    let vocabulary = try table.vocabulary("ranks")
    guard let encoding = encoding ?? TiktokenEncoding.find(name: name, rankCount: table.count) else {
      throw KistError(
        .unsupported, field: "ranks", "are \(table.count), which no known encoding has",
        advice: "name the encoding: \(TiktokenEncoding.known.map(\.name).joined(separator: ", "))")
    }
    return try definition(vocabulary, encoding: encoding)
  }

  /// Whether the bytes look like such a file: their first line does.
  static func recognizes(_ bytes: some Collection<UInt8>) -> Bool {
    let line = Array(bytes.prefix(4096).prefix { $0 != 0x0A && $0 != 0x0D })
    return self.line(line[...]) != nil
  }

  private static func ranks(_ bytes: [UInt8]) throws(KistError) -> TokenTable {
    var table = TokenTable(count: bytes.count / 16)
    var number = 0
    for line in bytes.split(omittingEmptySubsequences: false, whereSeparator: { $0 == 0x0A }) {
      number += 1
      let line = line.last == 0x0D ? line.dropLast() : line
      guard !line.isEmpty else { continue }
      guard let (token, rank) = self.line(line) else {
        throw KistError(.damaged, field: "line \(number)", "is not a token in base64 and its rank")
      }
      if table.insert(token, id: rank) != nil {
        throw KistError(.damaged, field: "line \(number)", "repeats a token")
      }
    }
    return table
  }

  private static func line(_ line: ArraySlice<UInt8>) -> (token: [UInt8], rank: UInt32)? {
    guard let space = line.firstIndex(of: 0x20) else { return nil }
    // Whisper's file ends with a token of no bytes, written `=`, which Python's decoder passes.
    let isEmpty = line[..<space].elementsEqual("=".utf8)
    guard let token = isEmpty ? [] : Base64.decode(line[..<space]), isEmpty || !token.isEmpty else { return nil }
    let digits = line[(space + 1)...]
    guard !digits.isEmpty, digits.count <= 9, digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
    return (token, digits.reduce(0) { 10 * $0 + UInt32($1 - 0x30) })
  }

  private static func definition(
    _ vocabulary: Vocabulary, encoding: TiktokenEncoding
  ) throws(KistError) -> TokenizerDefinition {
    var definition = rankedDefinition(vocabulary, pattern: encoding.pattern)
    definition.normalizer = encoding.normalizer
    definition.addedTokens = encoding.specials(vocabulary.tokens.count).map { special($0.content, $0.id) }
    let ranks = Set(vocabulary.tokens.map(\.id))
    if let token = definition.addedTokens.first(where: { ranks.contains($0.id) }) {
      throw KistError(
        .damaged, field: "ranks", "have \(token.id), which encoding \(encoding.name) gives to '\(token.content.text)'")
    }
    try checkBytes(vocabulary)
    return definition
  }

  /// Text is cut where the pattern matches, and the ids of tokens are their ranks (with an offset that keeps their order).
  static func rankedDefinition(_ vocabulary: Vocabulary, pattern: String) -> TokenizerDefinition {
    TokenizerDefinition(
      reference: .tiktoken, preTokenizer: .split(.regex(pattern, .rust), .removed, inverted: true),
      model: .bpe(BPEDefinition(vocabulary: vocabulary, merges: .byRank)), decoder: .bytes)
  }

  static func special(_ content: [UInt8], _ id: UInt32) -> AddedToken {
    var token = AddedToken(content: content, id: id)
    token.isNormalized = false
    token.isSpecial = true
    return token
  }

  /// Every byte must be a token: the library fails on text with one that is not.
  static func checkBytes(_ vocabulary: Vocabulary) throws(KistError) {
    var found = [Bool](repeating: false, count: 256)
    for token in vocabulary.tokens where token.bytes.count == 1 { found[Int(token.bytes[0])] = true }
    if let byte = found.firstIndex(of: false) {
      throw KistError(.damaged, field: "ranks", "lack the byte \(byte)")
    }
  }
}

extension [UInt8] {
  var text: String { String(decoding: self, as: UTF8.self) }
}
