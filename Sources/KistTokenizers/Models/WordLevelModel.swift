import KistCore

/// Whole words only, run from a compiled record. Source: tokenizers, `models/wordlevel/mod.rs`.
package struct WordLevelModel: Sendable {
  private let vocabulary: VocabularyTable
  private let unknown: UInt32?

  /// - Throws: `damaged` when the sections contradict each other.
  package init(_ record: RecordReader) throws(KistError) {
    vocabulary = try VocabularyTable(record)
    let parameters = try record.array(.wordLevel, of: UInt32.self)
    guard parameters.count <= 1 else { throw RecordReader.damage("WordLevel parameters") }
    unknown = parameters.count == 0 ? nil : parameters[0]
  }

  /// Writes the vocabulary, and the section `wordLevel`: the unknown token's id, if there is one.
  package static func compile(
    _ tokens: Vocabulary, unknown: UInt32?, into writer: inout RecordWriter
  ) throws(KistError) {
    try VocabularyTable.compile(tokens, into: &writer)
    writer.add(.wordLevel, unknown.map { [$0] } ?? [])
  }

  /// What a thread keeps between calls: nothing.
  package struct Scratch {
    package init() {}
  }

  /// Appends the id of a word.
  ///
  /// - Throws: `invalid` when the word is not in the vocabulary, and there is no unknown token.
  package func encode(
    _ piece: UnsafeRawBufferPointer, into ids: inout [UInt32], _ scratch: inout Scratch
  ) throws(KistError) {
    guard piece.count > 0 else { return }
    guard let id = unsafe vocabulary.id(of: piece) ?? unknown else {
      throw KistError(
        .invalid, field: "text", "has a word that the vocabulary lacks, and the model has no unknown token",
        advice: "tokenizers fails here too")
    }
    ids.append(id)
  }
}
