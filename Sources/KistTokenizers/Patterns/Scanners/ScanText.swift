/// Text as the scanners see it: scalars with their classes.
///
/// Two types are one: ``PlainText`` is what the scanners mean, scalar by scalar; ``FastText`` does the same eight bytes at a time. Tests hold
/// them against each other, and both against the patterns run by PCRE2.
protocol ScanText {
  var count: Int { get }

  /// The byte at a position; zero at the end and beyond.
  func byte(_ position: Int) -> UInt8

  /// The classes of the scalar at a position, and its length in bytes; no classes and length 0 at the end.
  func scalar(at position: Int) -> (classes: ScalarClasses, length: Int)

  /// Where a run of scalars that have any of some classes ends.
  func end(of classes: ScalarClasses, from position: Int) -> Int

  /// Where a run of scalars that have none of some classes ends.
  func end(without classes: ScalarClasses, from position: Int) -> Int

  /// Where a run of letters ends; ``end(of:from:)`` for what is most frequent.
  func endOfLetters(from position: Int) -> Int

  /// The end of a run of letters and marks without case, or a place within it.
  func skipCaseless(from position: Int) -> Int
}

/// The definition.
@safe struct PlainText: ScanText {
  private let text: UnsafeBufferPointer<UInt8>
  private let table: UnsafePointer<UInt8>

  init(_ text: UnsafeBufferPointer<UInt8>) {
    unsafe self.text = text
    unsafe table = ScalarClassTable.pointer
  }

  var count: Int { unsafe text.count }

  func byte(_ position: Int) -> UInt8 { position < count ? unsafe text[position] : 0 }

  func scalar(at position: Int) -> (classes: ScalarClasses, length: Int) {
    guard position < count else { return (.none, 0) }
    let (scalar, length) = unsafe UTF8Walk.scalar(in: text, at: position)
    return (ScalarClasses(rawValue: unsafe table[Int(scalar)]), length)
  }

  func end(of classes: ScalarClasses, from position: Int) -> Int {
    var position = position
    while true {
      let (found, length) = scalar(at: position)
      guard length > 0, found.overlaps(classes) else { return position }
      position += length
    }
  }

  func end(without classes: ScalarClasses, from position: Int) -> Int {
    var position = position
    while true {
      let (found, length) = scalar(at: position)
      guard length > 0, !found.overlaps(classes) else { return position }
      position += length
    }
  }

  func endOfLetters(from position: Int) -> Int { end(of: .letter, from: position) }

  func skipCaseless(from position: Int) -> Int { position }
}

/// The same, fast.
@safe struct FastText: ScanText {
  private let base: UnsafePointer<UInt8>
  let count: Int
  private let table: UnsafePointer<UInt8>

  init(_ text: UnsafeBufferPointer<UInt8>) {
    unsafe table = ScalarClassTable.pointer
    // The table is as good as any address where there are no bytes.
    unsafe base = text.baseAddress ?? table
    count = text.count
  }

  @inline(__always) func byte(_ position: Int) -> UInt8 { position < count ? unsafe base[position] : 0 }

  @inline(__always) func scalar(at position: Int) -> (classes: ScalarClasses, length: Int) {
    guard position < count else { return (.none, 0) }
    let byte = unsafe base[position]
    if byte < 0x80 { return (ScalarClasses(rawValue: unsafe table[Int(byte)]), 1) }
    return longScalar(at: position)
  }

  /// A scalar of two bytes or more.
  @inline(__always) private func longScalar(at position: Int) -> (classes: ScalarClasses, length: Int) {
    let text = unsafe UnsafeBufferPointer(start: base, count: count)
    let (scalar, length) = unsafe UTF8Walk.scalar(in: text, at: position)
    return (ScalarClasses(rawValue: unsafe table[Int(scalar)]), length)
  }

  @inline(__always) func end(of classes: ScalarClasses, from position: Int) -> Int {
    var position = position
    while position < count {
      let (found, length) = scalar(at: position)
      guard found.overlaps(classes) else { break }
      position &+= length
    }
    return position
  }

  @inline(__always) func end(without classes: ScalarClasses, from position: Int) -> Int {
    var position = position
    while position < count {
      let (found, length) = scalar(at: position)
      guard !found.overlaps(classes) else { break }
      position &+= length
    }
    return position
  }

  @inline(__always) func endOfLetters(from position: Int) -> Int {
    var position = position
    while position &+ 8 <= count {
      let other = unsafe Self.notLetters(base.advanced(by: position))
      guard other != 0 else {
        position &+= 8
        continue
      }
      position &+= other.trailingZeroBitCount &>> 3
      guard unsafe base[position] >= 0x80 else { return position }
      position = endOfThreeByteScalars(of: .letter, from: position)
      guard position < count, unsafe base[position] >= 0x80 else { continue }
      let (found, length) = longScalar(at: position)
      guard found.overlaps(.letter) else { return position }
      position &+= length
    }
    return end(of: .letter, from: position)
  }

  @inline(__always) func skipCaseless(from position: Int) -> Int {
    endOfThreeByteScalars(of: .upper | .lower, from: position)
  }

  /// Where a run of scalars of three bytes ends that have all of some classes: most of the world's scripts.
  @inline(__always) private func endOfThreeByteScalars(of classes: ScalarClasses, from start: Int) -> Int {
    var position = start
    while position &+ 4 <= count {
      let word = unsafe UnsafeRawPointer(base + position).loadUnaligned(as: UInt32.self).littleEndian
      guard word & 0xC0_C0F0 == 0x80_80E0 else { break }
      let scalar = (word & 0x0F) &<< 12 | (word & 0x3F00) &>> 2 | (word &>> 16) & 0x3F
      // Surrogates and longer spellings than need be are no scalars.
      guard scalar >= 0x800, scalar &>> 11 != 0x1B,
        unsafe table[Int(scalar)] & classes.rawValue == classes.rawValue
      else { break }
      position &+= 3
    }
    return position
  }

  /// The high bit of each of eight bytes that is no ASCII letter.
  @inline(__always) private static func notLetters(_ bytes: UnsafePointer<UInt8>) -> UInt64 {
    let every: UInt64 = 0x0101_0101_0101_0101
    let word = unsafe UnsafeRawPointer(bytes).loadUnaligned(as: UInt64.self).littleEndian
    let lowered = (word | every &* 0x20) & (every &* 0x7F)
    let atLeastA = lowered &+ every &* (0x80 &- 0x61)
    let aboveZ = lowered &+ every &* (0x80 &- 0x7B)
    return ~(atLeastA & ~aboveZ & ~word) & (every &* 0x80)
  }
}
