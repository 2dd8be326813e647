import KistCore

/// Distinct words, as a pre-tokenizer leaves them, and how often each occurs; ascending by their bytes.
package struct WordCounts: Sendable, Equatable {
  /// All words one after the other.
  package private(set) var bytes: [UInt8] = []
  /// Where each word begins in ``bytes``, and where the last one ends.
  package private(set) var starts: [Int] = [0]
  package private(set) var counts: [UInt64] = []

  package init() {}

  /// Words in any order; equal ones are added up, empty ones left out.
  package init(_ words: [([UInt8], UInt64)]) {
    let table = WordTable()
    for (word, count) in words { unsafe table.add(word.span.bytes, count: count) }
    self = table.sorted()
  }

  /// How many distinct words there are.
  package var count: Int { counts.count }

  package func word(_ index: Int) -> ArraySlice<UInt8> { bytes[starts[index]..<starts[index + 1]] }

  mutating func reserve(_ count: Int) {
    starts.reserveCapacity(count + 1)
    counts.reserveCapacity(count)
    bytes.reserveCapacity(count * 8)
  }

  /// Appends a word that sorts after all others.
  @unsafe mutating func append(_ word: UnsafeRawBufferPointer, count: UInt64) {
    unsafe bytes.append(contentsOf: word)
    starts.append(bytes.count)
    counts.append(count)
  }

  /// - Throws: `invalid` when a word is not valid UTF-8.
  func checkEncoding() throws(KistError) {
    let firstInvalid = bytes.firstInvalidByte
    let splitting = starts.first { $0 < bytes.count && bytes[$0] & 0xC0 == 0x80 }
    guard firstInvalid != nil || splitting != nil else { return }
    throw KistError(.invalid, field: "words to learn from", "one of them is not valid UTF-8")
  }
}

extension [UInt8] {
  /// Where valid UTF-8 ends; nil when all of it is.
  fileprivate var firstInvalidByte: Int? { unsafe withUnsafeBytes { unsafe $0.firstInvalidUTF8Byte } }
}

extension UnsafeRawBufferPointer {
  /// Where valid UTF-8 ends; nil when all of it is.
  package var firstInvalidUTF8Byte: Int? {
    do {
      _ = try unsafe UTF8Span(validating: Span(_unsafeBytes: self))
      return nil
    } catch {
      return error.byteOffsets.lowerBound
    }
  }
}
