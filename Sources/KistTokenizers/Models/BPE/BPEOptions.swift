import KistCore

/// What of a BPE model is not a table.
struct BPEOptions: Sendable {
  /// What texts begin as.
  enum Units: UInt32, Sendable {
    /// Characters, by the rules of tokenizers.
    case scalars
    /// Bytes.
    case bytes
    /// Characters and user-defined pieces, by the rules of SentencePiece.
    case sentencePiece
  }

  struct Flags: OptionSet, Sendable {
    let rawValue: UInt32
    /// Unknown characters in a row are one unknown token.
    static let fusesUnknown = Flags(rawValue: 1)
    static let byteFallback = Flags(rawValue: 2)
    /// Any token can be a piece as a whole.
    static let anyTokenIsWhole = Flags(rawValue: 4)
    /// No merge reaches from another character to a ▁ behind it: texts can be cut there.
    static let splitsAtMarkers = Flags(rawValue: 8)
    /// Bytes stand for characters of GPT-2's alphabet.
    static let byteAlphabet = Flags(rawValue: 16)
    /// Each of the 256 bytes is a symbol, without prefix or suffix.
    static let allBytes = Flags(rawValue: 32)
  }

  var units: Units
  var flags: Flags
  var unknown: UInt32?
  var longestToken = 0
  var prefix: [UInt8] = []
  var suffix: [UInt8] = []

  var hasAffixes: Bool { !prefix.isEmpty || !suffix.isEmpty }

  init(units: Units, flags: Flags, unknown: UInt32?) {
    self.units = units
    self.flags = flags
    self.unknown = unknown
  }

  /// - Throws: `damaged` when there are none.
  init(_ reader: RecordReader) throws(KistError) {
    let numbers: FlatArray<UInt32> = try reader.array(.mergeOptions)
    let affixes: FlatArray<UInt8> = try reader.array(.mergeAffixes)
    let prefixCount = Int(numbers[4])
    guard numbers.count == 6, let units = Units(rawValue: numbers[0]), prefixCount <= affixes.count else {
      throw RecordReader.damage("section 'mergeOptions'")
    }
    self.units = units
    flags = Flags(rawValue: numbers[1])
    unknown = numbers[5] == 0 ? nil : numbers[2]
    longestToken = Int(numbers[3])
    prefix = affixes.copy(0..<prefixCount)
    suffix = affixes.copy(prefixCount..<affixes.count)
  }

  func compile(into writer: inout RecordWriter) {
    writer.add(
      .mergeOptions,
      [
        units.rawValue, flags.rawValue, unknown ?? 0, UInt32(longestToken), UInt32(prefix.count),
        unknown == nil ? 0 : 1,
      ])
    writer.add(.mergeAffixes, prefix + suffix)
  }
}
