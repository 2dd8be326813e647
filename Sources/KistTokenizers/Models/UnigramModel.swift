import KistCore

/// The most likely segmentation of a text under a unigram language model, run from a compiled record.
///
/// Two libraries find it, and differ. SentencePiece adds scores as f32 from the beginning of the text on (starting over
/// at ±100,000), so what wins where two segmentations are about as likely depends on all that stands before; tokenizers
/// adds them as f64 within one piece. Each file's own library is followed: SentencePiece when the definition has kinds;
/// llama.cpp has kinds, and adds as tokenizers does.
/// Source: sentencepiece, `unigram_model.cc`, `Model::EncodeOptimized`, and `sentencepiece_processor.cc`,
/// `EncodeOptimized`; tokenizers, `models/unigram/model.rs`.
package struct UnigramModel: Sendable {
  let trie: DoubleArray
  /// Bit patterns of f64, by id.
  let scores: FlatArray<UInt64>
  let followsSentencePiece: Bool
  let fallsBackToBytes: Bool
  let unknown: UInt32?
  let unknownScore: Double
  let maximumTokenByteCount: Int
  let boundaries: SpaceBoundaries
  /// Where words can be cut further; nil when they can't.
  let junctions: Junctions?
  /// Ids of the byte tokens plus one, 256 of them from this place on in `parameters`.
  private let parameters: FlatArray<UInt64>
  private let hasAllBytes: Bool

  /// - Throws: `damaged` when the sections contradict each other.
  package init(_ record: RecordReader) throws(KistError) {
    trie = DoubleArray(try record.array(.trie))
    scores = try record.array(.tokenScores)
    parameters = try record.array(.unigram)
    guard parameters.count == Self.parameterCount else { throw RecordReader.damage("Unigram parameters") }
    let flags = Flags(rawValue: parameters[0])
    followsSentencePiece = flags.contains(.followsSentencePiece)
    fallsBackToBytes = flags.contains(.fallsBackToBytes)
    hasAllBytes = flags.contains(.hasAllBytes)
    unknown = flags.contains(.hasUnknown) ? UInt32(truncatingIfNeeded: parameters[1]) : nil
    unknownScore = Double(bitPattern: parameters[2])
    maximumTokenByteCount = Int(min(parameters[3], UInt64(DoubleArrayBuilder.maximumKeyByteCount)))
    boundaries = SpaceBoundaries(words: parameters.copy(4..<12))
    junctions = try Junctions(record)
  }

  /// What a thread keeps between calls, for one model.
  package struct Scratch: ~Copyable {
    /// Short pieces of tokenizers.
    var pieces = PieceCache()
    /// Short words: ``WordList``.
    var words = PieceCache()
    let bounds = BoundsMemory(PieceWindow.partCount)
    let parts = BoundsMemory(PieceWindow.partCount)
    let lattice = UnigramLattice()
    /// Of each byte, where unknown characters become bytes at once.
    var byteIDs: [UInt32] = []
    /// Of the pieces: ``KeyBeginnings``. Gathered for a longer text.
    var beginnings: [UInt64] = []
    var single = UnigramSearch<Float>()
    var double = UnigramSearch<Double>()

    package init() {}
  }

  /// Whether what an unknown character becomes hangs on nothing but whether another stands before it.
  var takesUnknownAtOnce: Bool { followsSentencePiece && unknown != nil && (!fallsBackToBytes || hasAllBytes) }

  /// string_util::OneCharLen.
  @inline(__always)
  static func characterByteCount(_ first: UInt8) -> Int {
    first < 0xC0 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
  }

  func score(of id: UInt32) -> Double { Double(bitPattern: scores[Int(id)]) }

  /// The id of the token that stands for a byte.
  func byteToken(_ byte: UInt8) -> UInt32? {
    let stored = UInt32(truncatingIfNeeded: parameters[12 + Int(byte)])
    return stored == 0 ? nil : stored - 1
  }

  /// Appends the ids of the bytes' tokens, and says whether each byte has one; appends nothing when not.
  func appendByteTokens(of bytes: UnsafeRawBufferPointer, to ids: inout [UInt32]) -> Bool {
    guard unsafe hasAllBytes || bytes.allSatisfy({ byteToken($0) != nil }) else { return false }
    for index in 0..<bytes.count { ids.append(unsafe byteToken(bytes[index]) ?? 0) }
    return true
  }
}

extension UnigramModel {
  private struct Flags: OptionSet {
    let rawValue: UInt64
    static let followsSentencePiece = Flags(rawValue: 1)
    static let fallsBackToBytes = Flags(rawValue: 2)
    static let hasUnknown = Flags(rawValue: 4)
    static let hasAllBytes = Flags(rawValue: 8)
  }

  private static let parameterCount = 12 + 256

  /// Writes the vocabulary, its scores, the trie of its pieces, and the section `unigram`, words of 64 bits:
  ///
  /// ```
  ///  0  flags: 1 as SentencePiece, 2 falls back to bytes, 4 has an unknown token, 8 has all byte tokens
  ///  1  id of the unknown token      4  which bytes may stand before ▁ within a piece, 4 words
  ///  2  its score (f64)              8  which bytes may stand after ▁ within a piece, 4 words
  ///  3  bytes of the longest piece  12  id + 1 of each byte's token, or 0: 256 words
  /// ```
  package static func compile(_ definition: UnigramDefinition, into writer: inout RecordWriter) throws(KistError) {
    let tokens = definition.vocabulary.tokens
    let isSentencePiece = !definition.kinds.isEmpty
    guard definition.scores.count == tokens.count, !isSentencePiece || definition.kinds.count == tokens.count else {
      throw KistError(.invalid, field: "vocabulary", "has not one score and kind for each piece")
    }
    try VocabularyTable.compile(definition.vocabulary, kinds: definition.kinds, into: &writer)
    let inText: [PieceKind] = definition.addsAsDouble ? [.normal, .userDefined, .unused] : [.normal, .userDefined]
    let positions = tokens.indices.filter { !isSentencePiece || inText.contains(definition.kinds[$0]) }
    writer.add(.tokenScores, scoreTable(definition).map(\.bitPattern))
    writer.add(.trie, try DoubleArrayBuilder.units(of: positions.map { (tokens[$0].bytes, tokens[$0].id) }))
    writer.add(.unigram, parameters(of: definition, pieces: positions.map { tokens[$0].bytes }))
    junctions(of: positions.map { tokens[$0].bytes })?.compile(into: &writer)
  }

  /// The places within pieces; nil when one of them is no text, and may begin within a character.
  private static func junctions(of pieces: [[UInt8]]) -> JunctionsBuilder? {
    var builder = JunctionsBuilder()
    for piece in pieces {
      guard UTF8Check.isValid(piece) else { return nil }
      for place in piece.indices.dropFirst() where piece[place] & 0xC0 != 0x80 {
        builder.insert(piece[..<place], piece[place...])
      }
    }
    return builder
  }

  private static func scoreTable(_ definition: UnigramDefinition) -> [Double] {
    var scores = [Double](repeating: 0, count: Int(definition.vocabulary.tokens.last.map { $0.id + 1 } ?? 0))
    for (position, token) in definition.vocabulary.tokens.enumerated() {
      let isUserDefined = !definition.kinds.isEmpty && definition.kinds[position] == .userDefined
      // unigram_model.cc, GetUserDefinedScore: computed as a double, kept as a float.
      let bonus = definition.addsAsDouble ? 0 : Double(Float(0.1 * Double(token.bytes.count - 1)))
      scores[Int(token.id)] = isUserDefined ? bonus : definition.scores[position]
    }
    return scores
  }

  private static func parameters(of definition: UnigramDefinition, pieces: [[UInt8]]) -> [UInt64] {
    var byteTokens = [UInt64](repeating: 0, count: 256)
    let names = Dictionary(uniqueKeysWithValues: (0..<256).map { (ByteToken.name(of: UInt8($0)), $0) })
    for token in definition.vocabulary.tokens where token.bytes.count == 6 {
      if let byte = names[token.bytes] { byteTokens[byte] = UInt64(token.id) + 1 }
    }
    var flags: Flags = []
    if !definition.kinds.isEmpty, !definition.addsAsDouble { flags.insert(.followsSentencePiece) }
    if definition.byteFallback { flags.insert(.fallsBackToBytes) }
    if definition.unknown != nil { flags.insert(.hasUnknown) }
    if !byteTokens.contains(0) { flags.insert(.hasAllBytes) }
    let longest = pieces.reduce(0) { max($0, $1.count) }
    return [flags.rawValue, UInt64(definition.unknown ?? 0), unknownScore(definition).bitPattern, UInt64(longest)]
      + SpaceBoundaries(pieces: pieces).words + byteTokens
  }

  /// Ten less than the lowest score: of normal pieces, in f32, or of all tokens, in f64.
  private static func unknownScore(_ definition: UnigramDefinition) -> Double {
    guard !definition.kinds.isEmpty else { return (definition.scores.min() ?? .infinity) - 10 }
    let normal = zip(definition.scores, definition.kinds).filter { $0.1 == .normal }.map { Float($0.0) }
    return Double((normal.min() ?? .greatestFiniteMagnitude) - 10)
  }
}

/// The tokens that stand for single bytes, `<0x00>` to `<0xFF>`.
package enum ByteToken {
  package static func name(of byte: UInt8) -> [UInt8] {
    let digits = Array("0123456789ABCDEF".utf8)
    return Array("<0x".utf8) + [digits[Int(byte >> 4)], digits[Int(byte & 15)], UInt8(ascii: ">")]
  }
}
