/// Characters in a few classes, each known by a small number: 0 is what belongs to none.
@safe final class CharacterClass: Sendable {
  /// Classes of the first 128 scalars: bare memory, as it is read for every byte.
  private nonisolated(unsafe) let ascii: UnsafeMutablePointer<UInt8>
  private let atoms: ScalarAtoms?
  private let classes: [UInt8]

  /// - Parameter sets: Classes 1, 2 and so on. They have no character in common.
  init(_ sets: ScalarSet...) {
    // A few sets never make 256 classes.
    let atoms = try? ScalarAtoms(sets)
    var classes = [UInt8](repeating: 0, count: 256)
    for (index, set) in sets.enumerated() {
      for atom in atoms?.atoms(of: set) ?? [] { classes[Int(atom)] = UInt8(index + 1) }
    }
    self.atoms = atoms
    self.classes = classes
    unsafe ascii = UnsafeMutablePointer<UInt8>.allocate(capacity: 128)
    for scalar in 0..<128 {
      unsafe ascii.advanced(by: scalar).initialize(to: atoms.map { classes[Int($0[UInt32(scalar)])] } ?? 0)
    }
  }

  deinit { unsafe ascii.deallocate() }

  /// The class of the character at a position, and its length.
  @inline(__always)
  private func character(_ bytes: UnsafeBufferPointer<UInt8>, _ position: Int) -> (class: UInt8, length: Int) {
    let byte = unsafe bytes[position]
    if byte < 0x80 { return (unsafe ascii[Int(byte)], 1) }
    let (scalar, length) = unsafe UTF8Walk.scalar(in: bytes, at: position)
    return (atoms.map { classes[Int($0[scalar])] } ?? 0, length)
  }

  /// Splits by the characters of class 1, each a match of its own.
  func split(
    _ bytes: UnsafeBufferPointer<UInt8>, _ piece: Range<Int>, _ behavior: SplitBehavior, into cut: inout [Range<Int>]
  ) {
    var merger = SplitMerger(behavior)
    var (start, position) = (piece.lowerBound, piece.lowerBound)
    while position < piece.upperBound {
      let (found, length) = unsafe character(bytes, position)
      if found == 1 {
        if start < position { merger.add(start..<position, isMatch: false, to: &cut) }
        merger.add(position..<position + length, isMatch: true, to: &cut)
        start = position + length
      }
      position += length
    }
    if start < piece.upperBound { merger.add(start..<piece.upperBound, isMatch: false, to: &cut) }
    merger.finish(&cut)
  }

  /// Leaves out class 1, and makes each character of another class a piece of its own.
  func cutWords(
    _ bytes: UnsafeBufferPointer<UInt8>, _ piece: Range<Int>, isolates isolated: UInt8, into cut: inout [Range<Int>]
  ) {
    var (start, position) = (piece.lowerBound, piece.lowerBound)
    while position < piece.upperBound {
      let (found, length) = unsafe character(bytes, position)
      if found != 0 {
        if start < position { cut.append(start..<position) }
        if found == isolated { cut.append(position..<position + length) }
        start = position + length
      }
      position += length
    }
    if start < piece.upperBound { cut.append(start..<piece.upperBound) }
  }

  /// Runs of characters of one class, those of class 1 left out.
  func cutRuns(_ bytes: UnsafeBufferPointer<UInt8>, _ piece: Range<Int>, into cut: inout [Range<Int>]) {
    var (start, position, current) = (piece.lowerBound, piece.lowerBound, UInt8(1))
    while position < piece.upperBound {
      let (found, length) = unsafe character(bytes, position)
      if found != current {
        if current != 1, start < position { cut.append(start..<position) }
        (start, current) = (position, found)
      }
      position += length
    }
    if current != 1, start < piece.upperBound { cut.append(start..<piece.upperBound) }
  }
}

/// The classes that components ask for.
extension CharacterClass {
  /// Rust's `char::is_whitespace`.
  static let whiteSpace = CharacterClass(named("White_Space"))

  /// Rust's `char::is_numeric`, of a later Unicode than the tables: tokenizers 0.23.3 was built with 17.
  static let numeric = CharacterClass(named("N").union(ScalarSet([0x11DE0...0x11DE9, 0x16FF4...0x16FF6])))

  static let punctuation = CharacterClass(punctuationSet)

  /// White space, punctuation. Source: tokenizers, `pre_tokenizers/bert.rs`.
  static let bert = CharacterClass(named("White_Space"), punctuationSet)

  /// White space, then what `\w` finds. Source: tokenizers, `pre_tokenizers/whitespace.rs`: `\w+|[^\w\s]+`.
  static let words = CharacterClass(named("White_Space"), RegexDialect.rust.words)

  private static func named(_ property: String) -> ScalarSet {
    ScalarSet(UnicodeTable.ranges(ofProperty: property) ?? [])
  }

  /// ASCII punctuation and symbols, and what the crate `unicode_categories` 0.1.1 takes for punctuation: that of Unicode 8.
  private static let punctuationSet: ScalarSet = {
    let ascii = ScalarSet([0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E])
    return named("P").subtracting(laterPunctuation).union(ascii).union(ScalarSet(0x166D, 0x111C9))
  }()

  /// Punctuation that Unicode 9 to 16 added or made of something else.
  private static let laterPunctuation = ScalarSet([
    0x61D...0x61D, 0x9FD...0x9FD, 0xA76...0xA76, 0xC77...0xC77, 0xC84...0xC84, 0x1B4E...0x1B4F, 0x1B7D...0x1B7F,
    0x2E43...0x2E4F, 0x2E52...0x2E5D, 0x10D6E...0x10D6E, 0x10EAD...0x10EAD, 0x10F55...0x10F59, 0x10F86...0x10F89,
    0x113D4...0x113D5, 0x113D7...0x113D8, 0x1144B...0x1144F, 0x1145A...0x1145B, 0x1145D...0x1145D,
    0x11660...0x1166C, 0x116B9...0x116B9, 0x1183B...0x1183B, 0x11944...0x11946, 0x119E2...0x119E2,
    0x11A3F...0x11A46, 0x11A9A...0x11A9C, 0x11A9E...0x11AA2, 0x11B00...0x11B09, 0x11BE1...0x11BE1,
    0x11C41...0x11C45, 0x11C70...0x11C71, 0x11EF7...0x11EF8, 0x11F43...0x11F4F, 0x11FFF...0x11FFF,
    0x12FF1...0x12FF2, 0x16D6D...0x16D6F, 0x16E97...0x16E9A, 0x16FE2...0x16FE2, 0x1E5FF...0x1E5FF,
    0x1E95E...0x1E95F,
  ])
}
