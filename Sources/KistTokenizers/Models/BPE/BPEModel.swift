import KistCore

/// Byte pair encoding, run from a compiled record.
///
/// A piece of text becomes ids in the first of these ways that applies:
/// 1. It came before: its ids are in the cache of this thread.
/// 2. It is a token as a whole, and either the reference looks for that first (tiktoken; `ignore_merges`), or merging would give it.
/// 3. It is cut where no merge reaches over, and its parts are looked up in the cache (``Junctions``).
/// 4. The characters or bytes of a part become symbols, and neighbours are merged, as ``Merging`` tells.
///
/// Symbols are ids, or what ``Symbol`` adds to them. In every family at most one pair of symbols makes a token: where any two whose
/// concatenation is a token merge (SentencePiece, tiktoken), a token can only arise from the two that it consists of when it alone is
/// merged. So one table of pairs serves all families; see ``BPECompiler``.
package struct BPEModel: Sendable {
  package let vocabulary: VocabularyTable
  let options: BPEOptions
  let merges: PairTable
  let symbols: FlatArray<UInt32>
  let symbolPages: FlatArray<UInt16>
  let byteTokens: FlatArray<UInt32>
  let wholePieces: FlatArray<UInt8>
  let userDefined: PairTable?
  let unusedPieces: FlatArray<UInt32>
  let unusedSymbols: FlatArray<UInt32>
  /// Nil where pieces can't be cut: the parts' symbols would depend on each other.
  let junctions: Junctions?

  /// - Throws: `damaged` when sections contradict each other.
  package init(_ reader: RecordReader) throws(KistError) {
    vocabulary = try VocabularyTable(reader)
    options = try BPEOptions(reader)
    merges = try PairTable(reader, entries: .merges, index: .mergeIndex)
    symbols = try reader.array(.symbols)
    symbolPages = try reader.array(.symbolPages)
    byteTokens = try reader.array(.byteTokens)
    wholePieces = try reader.array(.wholePieces)
    let edges: FlatArray<UInt32> = try reader.array(.userDefinedIndex)
    userDefined = edges.count == 0 ? nil : try PairTable(reader, entries: .userDefined, index: .userDefinedIndex)
    unusedPieces = try reader.array(.unusedPieces)
    unusedSymbols = try reader.array(.unusedSymbols)
    junctions = try Junctions(reader)
  }
}
