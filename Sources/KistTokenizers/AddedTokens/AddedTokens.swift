import KistCore

/// The tokens that are found in the text itself, run from a compiled record.
///
/// They are looked for twice: those that are not normalized in the text as it came, then the others, in their
/// normalized form, in the normalized text of what lies between. Source: tokenizers 0.23, `added_vocabulary.rs`.
package struct AddedTokens: Sendable {
  /// Finds tokens in the text as it came.
  package let raw: AddedTokenFinder
  /// Finds tokens in normalized text.
  package let normalized: AddedTokenFinder
  private let table: AddedTokenTable

  /// - Throws: `damaged` when the sections contradict each other.
  package init(_ record: RecordReader) throws(KistError) {
    table = try AddedTokenTable(record)
    raw = AddedTokenFinder(DoubleArray(try record.array(.addedRaw)), table)
    normalized = AddedTokenFinder(DoubleArray(try record.array(.addedNormalized)), table)
  }

  package var count: Int { table.count }

  /// What decoding makes of an id: its bytes, those of the normalized form if that is looked for; and whether it is
  /// left out when special tokens are. Nil when the id is not that of an added token.
  package func token(of id: UInt32) -> (bytes: [UInt8], isSpecial: Bool)? {
    guard let index = table.index(of: id) else { return nil }
    return (table.bytes(at: index), table.flags(at: index).contains(.isLeftOut))
  }

  /// Writes the sections of added tokens.
  ///
  /// Of tokens with one id or the same content the last stands, but decoding gives the normalized form when any of that content is
  /// normalized. Empty ones are ignored. Where several have the same normalized form, the lowest id is found: tokenizers takes
  /// one of them by chance.
  /// - Parameter normalize: The definition's normalizer, for one token's content.
  /// - Throws: What `normalize` throws; `unsupported` for a content of more than 64 KiB, and for a normalized token of which nothing is
  ///   left: tokenizers finds that between any two bytes, and fails at characters of several.
  package static func compile(
    _ tokens: [AddedToken], into writer: inout RecordWriter,
    normalize: ([UInt8]) throws(KistError) -> [UInt8]
  ) throws(KistError) {
    let specialContents = Set(tokens.filter(\.isSpecial).map(\.content))
    let normalizedContents = Set(tokens.filter(\.isNormalized).map(\.content))
    var (words, bytes): ([UInt32], [UInt8]) = ([], [])
    var (raw, normalized): ([(bytes: [UInt8], value: UInt32)], [(bytes: [UInt8], value: UInt32)]) = ([], [])
    for (index, token) in standing(tokens).enumerated() {
      let form = normalizedContents.contains(token.content) ? try normalize(token.content) : token.content
      if token.isNormalized {
        guard !form.isEmpty else { throw vanishing(token) }
        normalized.append((form, UInt32(index)))
      } else {
        raw.append((token.content, UInt32(index)))
      }
      let flags = AddedTokenTable.Flags(
        token, isSpecial: specialContents.contains(token.content), isLeftOut: specialContents.contains(form))
      words += [token.id, flags.rawValue, UInt32(bytes.count), UInt32(form.count)]
      bytes += form
    }
    writer.add(.addedTokens, words)
    writer.add(.addedTokenBytes, bytes)
    // Of equal keys a trie keeps the last.
    writer.add(.addedRaw, try DoubleArrayBuilder.units(of: raw.reversed()))
    writer.add(.addedNormalized, try DoubleArrayBuilder.units(of: normalized.reversed()))
  }

  private static func vanishing(_ token: AddedToken) -> KistError {
    KistError(
      .unsupported, field: "added_tokens",
      "have '\(String(decoding: token.content, as: UTF8.self))', of which the normalizer leaves nothing",
      advice: "set its 'normalized' to false")
  }

  /// The tokens that count, by id.
  private static func standing(_ tokens: [AddedToken]) -> [AddedToken] {
    var (contents, ids): (Set<[UInt8]>, Set<UInt32>) = ([], [])
    let last = tokens.reversed().filter { token in
      !token.content.isEmpty && contents.insert(token.content).inserted && ids.insert(token.id).inserted
    }
    return last.sorted { $0.id < $1.id }
  }
}

/// What is known of each added token, sorted by id: four words, id, flags, and where its bytes begin and how many they
/// are.
struct AddedTokenTable: Sendable {
  struct Flags: OptionSet, Sendable {
    let rawValue: UInt32
    static let singleWord = Flags(rawValue: 1)
    static let stripsLeft = Flags(rawValue: 2)
    static let stripsRight = Flags(rawValue: 4)
    /// Found only where special tokens are parsed.
    static let isSpecial = Flags(rawValue: 8)
    /// Left out when decoding without special tokens: its form is a special token's content. A special token whose
    /// normalized form is another is not left out.
    static let isLeftOut = Flags(rawValue: 16)
    static let stripsASCIISpaceOnly = Flags(rawValue: 32)
    static let yieldsToLonger = Flags(rawValue: 64)
  }

  private let words: FlatArray<UInt32>
  private let bytes: FlatArray<UInt8>

  init(_ record: RecordReader) throws(KistError) {
    words = try record.array(.addedTokens)
    bytes = try record.array(.addedTokenBytes)
    guard words.count % 4 == 0 else { throw RecordReader.damage("added tokens") }
  }

  var count: Int { words.count / 4 }

  func id(at index: Int) -> UInt32 { words[4 * index] }
  func flags(at index: Int) -> Flags { Flags(rawValue: words[4 * index + 1]) }

  func bytes(at index: Int) -> [UInt8] {
    let start = Int(words[4 * index + 2])
    return bytes.copy(start..<start + Int(words[4 * index + 3]))
  }

  func index(of id: UInt32) -> Int? {
    var range = 0..<count
    while !range.isEmpty {
      let middle = range.lowerBound + range.count / 2
      let found = self.id(at: middle)
      if found == id { return middle }
      range = found < id ? middle + 1..<range.upperBound : range.lowerBound..<middle
    }
    return nil
  }
}

extension AddedTokenTable.Flags {
  init(_ token: AddedToken, isSpecial: Bool, isLeftOut: Bool) {
    self = []
    if token.singleWord { insert(.singleWord) }
    if token.stripsLeft { insert(.stripsLeft) }
    if token.stripsRight { insert(.stripsRight) }
    if isSpecial { insert(.isSpecial) }
    if isLeftOut { insert(.isLeftOut) }
    if token.stripsASCIISpaceOnly { insert(.stripsASCIISpaceOnly) }
    if token.yieldsToLonger { insert(.yieldsToLonger) }
  }
}
