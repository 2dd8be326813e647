/// Numbers packed into text: five bits a letter from `0` on, the least significant first, 32 more in every letter but a number's last.
/// Line breaks between letters do not count.
struct PackedNumbers: Sequence, IteratorProtocol {
  private let text: StaticString
  private var offset = 0

  init(_ text: StaticString) { self.text = text }

  mutating func next() -> UInt32? {
    var (number, shift): (UInt32, UInt32) = (0, 0)
    while offset < text.utf8CodeUnitCount {
      let letter = unsafe text.utf8Start[offset]
      offset += 1
      guard letter >= 48 else { continue }
      number |= UInt32((letter - 48) & 31) << shift
      if letter - 48 < 32 { return number }
      shift += 5
    }
    return nil
  }

  /// A number that may be negative: the lowest bit is set when it is.
  static func signed(_ number: UInt32) -> Int { number & 1 == 0 ? Int(number >> 1) : -Int(number >> 1) - 1 }
}

/// Runs of scalars with a value each, from scalar 0 on: length and value in turn.
struct PackedRuns: Sequence, IteratorProtocol {
  private var numbers: PackedNumbers
  private var start: UInt32 = 0

  init(_ text: StaticString) { numbers = PackedNumbers(text) }

  mutating func next() -> (scalars: Range<UInt32>, value: UInt32)? {
    guard let length = numbers.next(), let value = numbers.next() else { return nil }
    defer { start += length }
    return (start..<start + length, value)
  }
}

/// The scalars of a set: lengths of the runs that are without and with, in turn.
struct PackedSet: Sequence, IteratorProtocol {
  private var numbers: PackedNumbers
  private var start: UInt32 = 0

  init(_ text: StaticString) { numbers = PackedNumbers(text) }

  mutating func next() -> ClosedRange<UInt32>? {
    guard let gap = numbers.next(), let length = numbers.next(), length > 0 else { return nil }
    defer { start += gap + length }
    return start + gap...start + gap + length - 1
  }
}
