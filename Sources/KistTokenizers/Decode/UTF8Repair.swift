import KistCore

/// Puts U+FFFD where bytes are not UTF-8.
package enum UTF8Repair {
  package static let replacement: [UInt8] = [0xEF, 0xBF, 0xBD]

  /// One U+FFFD for each longest beginning of a character, as Rust's `from_utf8_lossy` and Python's `errors="replace"`.
  package static func repaired(_ bytes: [UInt8]) -> [UInt8] {
    // Nearly every text is valid, which is told at the speed of memory.
    if UTF8Check.isValid(bytes) { return bytes }
    return repaired(bytes) { $0.prefixByteCount }
  }

  /// One U+FFFD for each byte that is in no character, as sentencepiece.
  package static func repairedByteByByte(_ bytes: [UInt8]) -> [UInt8] {
    repaired(bytes) { _ in 1 }
  }

  private static func repaired(_ bytes: [UInt8], _ skipped: (Character) -> Int) -> [UInt8] {
    var output: [UInt8] = []
    output.reserveCapacity(bytes.count)
    var position = 0
    while position < bytes.count {
      let character = Character(bytes, position)
      if character.isComplete {
        output += bytes[position..<position + character.prefixByteCount]
        position += character.prefixByteCount
      } else {
        output += replacement
        position += skipped(character)
      }
    }
    return output
  }

  /// What stands at a place: a character, or the beginning of one. Source: Unicode 16, table 3-7.
  private struct Character {
    var isComplete: Bool
    /// Bytes that belong to it; at least 1.
    var prefixByteCount = 1

    init(_ bytes: [UInt8], _ start: Int) {
      let first = bytes[start]
      isComplete = first < 0x80
      guard let (count, second) = Self.form(first) else { return }
      while prefixByteCount < count, start + prefixByteCount < bytes.count,
        (prefixByteCount == 1 ? second : 0x80...0xBF).contains(bytes[start + prefixByteCount])
      {
        prefixByteCount += 1
      }
      isComplete = prefixByteCount == count
    }

    /// How many bytes a character of this first byte has, and what the second may be.
    private static func form(_ first: UInt8) -> (byteCount: Int, second: ClosedRange<UInt8>)? {
      switch first {
      case 0xC2...0xDF: (2, 0x80...0xBF)
      case 0xE0: (3, 0xA0...0xBF)
      case 0xED: (3, 0x80...0x9F)
      case 0xE1...0xEF: (3, 0x80...0xBF)
      case 0xF0: (4, 0x90...0xBF)
      case 0xF1...0xF3: (4, 0x80...0xBF)
      case 0xF4: (4, 0x80...0x8F)
      default: nil
      }
    }
  }
}

extension [UInt8] {
  /// These bytes with each occurrence of a string replaced, from the left, not overlapping. The empty string is found
  /// before each character and at the end, as by Rust's `str::replace`.
  package func replacing(_ found: [UInt8], with replacement: [UInt8]) -> [UInt8] {
    guard let first = found.first else {
      return flatMap { $0 & 0xC0 == 0x80 ? [$0] : replacement + [$0] } + replacement
    }
    guard contains(first) else { return self }
    var output: [UInt8] = []
    output.reserveCapacity(count)
    var position = 0
    while position < count {
      if self[position] == first, self[position...].starts(with: found) {
        output += replacement
        position += found.count
      } else {
        output.append(self[position])
        position += 1
      }
    }
    return output
  }
}
