import KistCore

/// A compiled tokenizer is a list of sections: arrays of little-endian numbers, each on a multiple of 64 bytes, found by number.
///
/// ```
///  0  u32  magic "KTOK"     8  u32  section count
///  4  u32  version         12  u32  reserved
/// 16       sections, 24 bytes each: u32 number, u32 bytes per element, u64 offset, u64 element count
/// ```
///
/// Source: spec/kist-format.md, "The compiled tokenizer".
package enum RecordSection: UInt32, Sendable, CaseIterable {
  /// Everything but the tables, as JSON in the words of tokenizer.json.
  case pipeline = 1

  // The vocabulary: bytes of all tokens one after the other; where each begins, by id (one more than ids); ids by hash.
  case tokenBytes = 16
  case tokenStarts = 17
  case tokenIndex = 18
  /// `PieceKind` by id, for SentencePiece.
  case tokenKinds = 19
  /// Bit patterns of f64 scores by id, for Unigram: as the search adds them (those of user-defined pieces follow from their length).
  case tokenScores = 20

  // Byte pair encoding. Pairs of symbols that merge, first those that merge first: key, then rank and merged symbol; pairs by hash.
  case merges = 32
  case mergeIndex = 33
  /// Symbols that texts begin as: by byte, or by scalar in pages of 64.
  case symbols = 34
  case symbolPages = 35
  /// Numbers and flags of `BPEOptions`, and its prefix and suffix.
  case mergeOptions = 36
  case mergeAffixes = 37
  /// Ids of `<0x00>` to `<0xFF>`, plus one.
  case byteTokens = 38
  /// Bits by id: the bytes of this token, as a whole piece, are this token.
  case wholePieces = 39
  // Edges of a prefix tree over SentencePiece's user-defined pieces, as pairs; what unused pieces are cut into.
  case userDefined = 40
  case userDefinedIndex = 41
  case unusedPieces = 42
  case unusedSymbols = 43
  /// Where pieces can be cut: `Junctions`. Of Unigram models too.
  case junctionKinds = 44
  case junctions = 45

  // A double-array trie over the vocabulary (Unigram, WordPiece), and what else those models need: see their `compile`.
  case trie = 48
  case unigram = 49
  case wordPiece = 50
  case wordLevel = 51

  // Added tokens: four words each; their bytes; and the tries that find them, in raw text, then in normalized text.
  case addedTokens = 64
  case addedTokenBytes = 65
  case addedRaw = 66
  case addedNormalized = 67

  /// A SentencePiece character map.
  case charsmap = 80
}

/// Lays sections out as one record.
package struct RecordWriter {
  private var sections: [(section: RecordSection, elementByteCount: Int, bytes: [UInt8])] = []

  package static let magic: UInt32 = 0x4B4F_544B
  package static let version: UInt32 = 3

  package init() {}

  package mutating func add<Element: FixedWidthInteger>(_ section: RecordSection, _ elements: [Element]) {
    #if _endian(little)
      let bytes = unsafe elements.withUnsafeBytes { unsafe [UInt8]($0) }
    #else
      let bytes = elements.flatMap { element in unsafe withUnsafeBytes(of: element.littleEndian) { unsafe [UInt8]($0) }
      }
    #endif
    sections.append((section, MemoryLayout<Element>.size, bytes))
  }

  /// Adds the sections of another.
  package mutating func add(_ other: RecordWriter) { sections += other.sections }

  /// The record. Sections stand in the order of their numbers, so equal tokenizers give equal bytes.
  package func encoded() -> [UInt8] {
    let (sorted, head, offsets, byteCount) = layout()
    return unsafe [UInt8](unsafeUninitializedCapacity: byteCount) { memory, count in
      unsafe Self.write(sorted, head, offsets, to: UnsafeMutableRawBufferPointer(memory))
      count = byteCount
    }
  }

  /// The record in memory of its own, ready to be read.
  func storage() -> RecordStorage {
    let (sorted, head, offsets, byteCount) = layout()
    return unsafe RecordStorage(byteCount: byteCount) { unsafe Self.write(sorted, head, offsets, to: $0) }
  }

  private typealias Section = (section: RecordSection, elementByteCount: Int, bytes: [UInt8])

  private func layout() -> (sections: [Section], head: [UInt8], offsets: [Int], byteCount: Int) {
    let sorted = sections.sorted { $0.section.rawValue < $1.section.rawValue }
    var head = words([Self.magic, Self.version, UInt32(sorted.count), 0])
    var offsets: [Int] = []
    var end = 16 + 24 * sorted.count
    for (section, size, bytes) in sorted {
      let offset = (end + 63) & ~63
      head += words([section.rawValue, UInt32(size)]) + words([UInt64(offset), UInt64(bytes.count / size)])
      offsets.append(offset)
      end = offset + bytes.count
    }
    return (sorted, head, offsets, end)
  }

  @unsafe private static func write(
    _ sections: [Section], _ head: [UInt8], _ offsets: [Int], to memory: UnsafeMutableRawBufferPointer
  ) {
    unsafe memory.copyBytes(from: head)
    var end = head.count
    for (section, offset) in zip(sections, offsets) {
      for gap in end..<offset { unsafe memory[gap] = 0 }
      end = offset + section.bytes.count
      unsafe UnsafeMutableRawBufferPointer(rebasing: memory[offset..<end]).copyBytes(from: section.bytes)
    }
  }

  private func words<Word: FixedWidthInteger>(_ words: [Word]) -> [UInt8] {
    words.flatMap { word in unsafe withUnsafeBytes(of: word.littleEndian) { unsafe [UInt8]($0) } }
  }
}

/// Finds sections in a record.
package struct RecordReader: Sendable {
  private let storage: RecordStorage
  /// By section, in the order of the list: few enough to look through.
  private var places: [Place] = []

  private struct Place {
    var section: UInt32
    var elementByteCount: Int
    var offset: Int
    var count: Int
  }

  /// Whether a record is of this version's layout, or is no record: then opening it says what is wrong.
  package static func knows(_ storage: RecordStorage) -> Bool {
    guard let head = storage.array(at: 0, count: 2, of: UInt32.self), head[0] == RecordWriter.magic else { return true }
    return head[1] == RecordWriter.version
  }

  /// - Throws: `damaged` when the record's head or its list of sections contradicts itself; `unsupported` for another version.
  package init(_ storage: RecordStorage) throws(KistError) {
    self.storage = storage
    guard let head = storage.array(at: 0, count: 4, of: UInt32.self), head[0] == RecordWriter.magic, head[3] == 0 else {
      throw Self.damage("head")
    }
    guard head[1] == RecordWriter.version else {
      throw KistError(
        .unsupported, field: "compiled tokenizer", "is of version \(head[1])", advice: "convert the model again")
    }
    let count = Int(head[2])
    guard count <= 256, let list = storage.array(at: 16, count: count * 3, of: UInt64.self) else {
      throw Self.damage("list of sections")
    }
    for index in 0..<count {
      let (kind, offset, length) = (list[3 * index], list[3 * index + 1], list[3 * index + 2])
      guard let section = RecordSection(rawValue: UInt32(truncatingIfNeeded: kind)), let offset = Int(exactly: offset),
        let length = Int(exactly: length), !places.contains(where: { $0.section == section.rawValue })
      else { throw Self.damage("section \(UInt32(truncatingIfNeeded: kind))") }
      places.append(
        Place(section: section.rawValue, elementByteCount: Int(kind >> 32), offset: offset, count: length))
    }
  }

  /// A section's elements; an empty array when the record does not have it.
  ///
  /// - Throws: `damaged` when it has elements of another width, or lies outside the record.
  package func array<Element: FixedWidthInteger & BitwiseCopyable>(
    _ section: RecordSection, of type: Element.Type = Element.self
  ) throws(KistError) -> FlatArray<Element> {
    let place =
      places.first { $0.section == section.rawValue }
      ?? Place(section: section.rawValue, elementByteCount: MemoryLayout<Element>.size, offset: 0, count: 0)
    guard place.elementByteCount == MemoryLayout<Element>.size,
      let array = storage.array(at: place.offset, count: place.count, of: type)
    else { throw Self.damage("section '\(section)'") }
    return array
  }

  package static func damage(_ what: String) -> KistError {
    KistError(
      .damaged, field: "compiled tokenizer: \(what)", "contradicts its format",
      advice: "the file was damaged; get it again, or convert the model again")
  }
}
