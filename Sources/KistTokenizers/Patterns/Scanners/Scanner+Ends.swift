import CKernels

extension Scanner {
  /// The ends of the pieces from a position on: as many as `ends` has room for. Pieces follow each other without gaps.
  ///
  /// ASCII is cut by kernels, 64 bytes at a time; what they can't tell, by the scanners.
  ///
  /// - Returns: How many there are; fewer than there is room for at the end of the text only.
  /// - Complexity: linear; English and source text 1 GB/s, Japanese 350 to 550 MB/s.
  @unsafe package func ends(
    in text: UnsafeBufferPointer<UInt8>, from start: Int, into ends: UnsafeMutableBufferPointer<Int>
  ) -> Int {
    let fast = unsafe FastText(text)
    return switch kind {
    case .gpt2(let scanner): unsafe Self.fill(fast, scanner, text, start, ends)
    case .word(let scanner): unsafe Self.fill(fast, scanner, text, start, ends)
    case .cased(let scanner): unsafe Self.fill(fast, scanner, text, start, ends)
    case .deepSeek(let scanner): unsafe Self.fill(fast, scanner, text, start, ends)
    case .number(let scanner): unsafe Self.fill(fast, scanner, text, start, ends)
    case .cjk(let scanner): unsafe Self.fill(fast, scanner, text, start, ends)
    }
  }

  @inline(__always)
  private static func fill<Text: ScanText>(
    _ fast: Text, _ scanner: some PieceScanner, _ text: UnsafeBufferPointer<UInt8>, _ start: Int,
    _ ends: UnsafeMutableBufferPointer<Int>
  ) -> Int {
    var (start, count) = (start, 0)
    while start < text.count, count < ends.count {
      // A letter may have a sign before it.
      let isASCII = fast.byte(start) < 0x80 && fast.byte(start &+ 1) < 0x80
      if isASCII, ends.count &- count >= ASCIIKernel.leastRoom {
        unsafe count &+= scanner.asciiKernel.ends(in: text, from: &start, into: ends, at: count)
        guard start < text.count, count < ends.count else { break }
      }
      // No rule gives an empty piece; should one, the scan must end all the same.
      start = max(scanner.nextEnd(in: fast, from: start), start &+ 1)
      unsafe ends[count] = start
      count &+= 1
    }
    return count
  }

  /// Calls `body` with the bounds of each piece of a text, from the left.
  @inline(__always)
  @unsafe package func forEachPiece(in text: UnsafeBufferPointer<UInt8>, _ body: (_ start: Int, _ end: Int) -> Void) {
    unsafe withUnsafeTemporaryAllocation(of: Int.self, capacity: 256) { buffer in
      var start = 0
      while start < text.count {
        let count = unsafe ends(in: text, from: start, into: buffer)
        for index in 0..<count {
          let end = unsafe buffer[index]
          body(start, end)
          start = end
        }
      }
    }
  }

  /// The same by the plain twin, for tests.
  @unsafe package func forEachPlainPiece(
    in text: UnsafeBufferPointer<UInt8>, _ body: (_ start: Int, _ end: Int) -> Void
  ) {
    let plain = unsafe PlainText(text)
    switch kind {
    case .gpt2(let scanner): Self.walk(plain, scanner, body)
    case .word(let scanner): Self.walk(plain, scanner, body)
    case .cased(let scanner): Self.walk(plain, scanner, body)
    case .deepSeek(let scanner): Self.walk(plain, scanner, body)
    case .number(let scanner): Self.walk(plain, scanner, body)
    case .cjk(let scanner): Self.walk(plain, scanner, body)
    }
  }

  private static func walk(
    _ text: PlainText, _ scanner: some PieceScanner, _ body: (_ start: Int, _ end: Int) -> Void
  ) {
    var start = 0
    while start < text.count {
      let end = max(scanner.nextEnd(in: text, from: start), start + 1)
      body(start, end)
      start = end
    }
  }
}

/// The kernel that cuts ASCII as a scanner does.
enum ASCIIKernel {
  case none, gpt2
  case word(singleDigits: Bool)
  case cased(singleDigits: Bool, contractions: Bool)

  /// A kernel needs room for this many ends.
  static let leastRoom = 64

  /// Writes the ends of pieces into a list behind `count` others and moves `start` to the last; none when it can't tell.
  @inline(__always)
  @unsafe func ends(
    in text: UnsafeBufferPointer<UInt8>, from start: inout Int, into ends: UnsafeMutableBufferPointer<Int>,
    at count: Int
  ) -> Int {
    guard let to = unsafe ends.baseAddress.map({ unsafe $0 + count }) else { return 0 }
    let room = ends.count &- count
    return switch self {
    case .none: 0
    case .gpt2: unsafe kist_gpt2_ends(text.baseAddress, text.count, &start, to, room)
    case .word(let singleDigits): unsafe kist_word_ends(text.baseAddress, text.count, singleDigits, &start, to, room)
    case .cased(let singleDigits, let contractions):
      unsafe kist_cased_ends(text.baseAddress, text.count, singleDigits, contractions, &start, to, room)
    }
  }
}

extension PieceScanner {
  var asciiKernel: ASCIIKernel { .none }
}

extension GPT2Scanner {
  var asciiKernel: ASCIIKernel { .gpt2 }
}

extension WordScanner {
  var asciiKernel: ASCIIKernel {
    (maximumDigits == 1 || maximumDigits == 3) && contractions != .none && contractions != .lowercase
      ? .word(singleDigits: maximumDigits == 1) : .none
  }
}

extension CasedScanner {
  var asciiKernel: ASCIIKernel {
    maximumDigits == 1 || maximumDigits == 3
      ? .cased(singleDigits: maximumDigits == 1, contractions: contractions != .none) : .none
  }
}
