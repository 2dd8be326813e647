import KistCore

/// Greedy longest match first, a word at a time, run from a compiled record. Source: tokenizers,
/// `models/wordpiece/mod.rs`.
package struct WordPieceModel: Sendable {
  private let trie: DoubleArray
  /// Where tokens that continue a word begin: behind the prefix (`##`).
  private let continuation: DoubleArray.Node
  private let unknown: UInt32
  private let maximumCharacterCount: Int
  private let maximumTokenByteCount: Int

  /// - Throws: `damaged` when the sections contradict each other.
  package init(_ record: RecordReader) throws(KistError) {
    trie = DoubleArray(try record.array(.trie))
    let parameters = try record.array(.wordPiece, of: UInt32.self)
    guard parameters.count == 4 else { throw RecordReader.damage("WordPiece parameters") }
    unknown = parameters[0]
    maximumCharacterCount = Int(parameters[1])
    continuation = parameters[2] == .max ? .none : trie.node(at: Int(parameters[2]))
    maximumTokenByteCount = Int(min(parameters[3], UInt32(DoubleArrayBuilder.maximumKeyByteCount)))
  }

  /// Writes the vocabulary, its trie, and the section `wordPiece`: the unknown token's id, the most characters of a
  /// word, the trie's unit behind the continuing prefix (2³² - 1 when no token has it), and the bytes of the longest
  /// token.
  package static func compile(_ definition: WordPieceDefinition, into writer: inout RecordWriter) throws(KistError) {
    let tokens = definition.vocabulary.tokens
    try VocabularyTable.compile(definition.vocabulary, into: &writer)
    let units = try DoubleArrayBuilder.units(of: tokens.map { ($0.bytes, $0.id) })
    writer.add(.trie, units)
    let behindPrefix = DoubleArrayBuilder.index(of: definition.continuingSubwordPrefix, in: units)
    writer.add(
      .wordPiece,
      [
        definition.unknown, UInt32(clamping: definition.maximumCharactersPerWord),
        behindPrefix.map { UInt32($0) } ?? .max, UInt32(tokens.reduce(0) { max($0, $1.bytes.count) }),
      ])
  }

  /// What a thread keeps between calls, for one model.
  package struct Scratch: ~Copyable {
    fileprivate var words = PieceCache()

    package init() {}
  }

  /// Appends the ids of words of one text.
  package func encode(
    _ text: UnsafeRawBufferPointer, words: [Range<Int>], into ids: inout [UInt32], _ scratch: inout Scratch
  ) {
    unsafe PieceList.forEachWindow(of: words) { words in
      var first = 0
      while unsafe first < words.count {
        unsafe first += scratch.words.appendFound(text, words, from: first, tag: 0, to: &ids)
        guard unsafe first < words.count else { break }
        unsafe encode(UnsafeRawBufferPointer(rebasing: text[words[first, in: text]]), into: &ids, &scratch)
        first += 1
      }
    }
  }

  /// Appends the ids of a word.
  package func encode(_ word: UnsafeRawBufferPointer, into ids: inout [UInt32], _ scratch: inout Scratch) {
    guard word.count > 0 else { return }
    guard word.count <= PieceCache.longestShortPiece else { return unsafe search(word, into: &ids) }
    let key = unsafe PieceCache.shortKey(word, tag: 0)
    if let slot = scratch.words.find(key) { return scratch.words.append(slot, to: &ids) }
    let first = ids.count
    unsafe search(word, into: &ids)
    scratch.words.insert(key, ids[first...])
  }

  private func search(_ word: UnsafeRawBufferPointer, into ids: inout [UInt32]) {
    let first = ids.count
    guard unsafe word.count <= maximumCharacterCount || Self.characterCount(word) <= maximumCharacterCount else {
      return ids.append(unknown)
    }
    var position = 0
    while position < word.count {
      guard
        let match = unsafe trie.longestMatch(
          in: word, from: position, startingAt: position == 0 ? trie.root : continuation, atMost: maximumTokenByteCount)
      else {
        // The whole word is unknown, whatever was found before.
        ids.removeSubrange(first...)
        return ids.append(unknown)
      }
      ids.append(match.value)
      position = match.end
    }
  }

  private static func characterCount(_ word: UnsafeRawBufferPointer) -> Int {
    unsafe word.reduce(0) { $1 & 0xC0 == 0x80 ? $0 : $0 + 1 }
  }
}
