import KistCore

/// Tokens in the order in which they were made.
struct TrainingVocabulary {
  private(set) var tokens: [[UInt8]] = []
  private var ids: [[UInt8]: UInt32] = [:]

  var count: Int { tokens.count }

  func id(of token: [UInt8]) -> UInt32? { ids[token] }

  /// The token's id; a new one when it was not there.
  @discardableResult mutating func insert(_ token: [UInt8]) -> UInt32 {
    if let id = ids[token] { return id }
    let id = UInt32(tokens.count)
    tokens.append(token)
    ids[token] = id
    return id
  }
}

/// The characters that words may begin as.
struct Alphabet {
  /// In the order of code points.
  let kept: [Unicode.Scalar]

  /// - Parameter words: Valid UTF-8.
  init(of words: WordCounts, _ options: BPETrainer.Options) {
    var counts = [UInt64](repeating: 0, count: 0x11_0000)
    var isThere = [Bool](repeating: false, count: 0x11_0000)
    for index in 0..<words.count {
      let count = words.counts[index]
      for scalar in ScalarWalk(words.word(index)) {
        counts[Int(scalar)] &+= count
        isThere[Int(scalar)] = true
      }
    }
    for scalar in options.initialAlphabet {
      counts[Int(scalar.value)] = .max
      isThere[Int(scalar.value)] = true
    }
    var all = isThere.indices.filter { isThere[$0] }
    if let limit = options.alphabetLimit, all.count > limit {
      // The most frequent first; of equally frequent ones the lower code points.
      all.sort { counts[$0] != counts[$1] ? counts[$0] > counts[$1] : $0 < $1 }
      all = all.prefix(limit).sorted()
    }
    kept = all.compactMap { Unicode.Scalar(UInt32($0)) }
  }
}

/// The scalars of valid UTF-8, as numbers. Reads nothing outside of other bytes.
struct ScalarWalk: Sequence, IteratorProtocol {
  private let bytes: ArraySlice<UInt8>
  private var index: Int

  init(_ bytes: ArraySlice<UInt8>) {
    self.bytes = bytes
    index = bytes.startIndex
  }

  mutating func next() -> UInt32? {
    guard index < bytes.endIndex else { return nil }
    let first = bytes[index]
    index += 1
    switch first {
    case 0..<0x80: return UInt32(first)
    case 0x80..<0xE0: return UInt32(first & 0x1F) << 6 | continuation()
    case 0xE0..<0xF0: return UInt32(first & 0x0F) << 12 | continuation() << 6 | continuation()
    default: return UInt32(first & 0x07) << 18 | continuation() << 12 | continuation() << 6 | continuation()
    }
  }

  private mutating func continuation() -> UInt32 {
    guard index < bytes.endIndex else { return 0 }
    defer { index += 1 }
    return UInt32(bytes[index] & 0x3F)
  }
}

extension Unicode.Scalar {
  var utf8Bytes: [UInt8] { Array(UTF8.encode(self) ?? UTF8.encodedReplacementCharacter) }
}
