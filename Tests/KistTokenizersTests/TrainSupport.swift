import Foundation
import KistCore
import KistTokenizers

/// A corpus with options, and what the reference library learned from it; see Fixtures/make/bpe_training.py.
struct TrainingCase: Decodable {
  struct Options: Decodable {
    var vocabularySize: Int
    var minimumFrequency: UInt64?
    var specialTokens: [String]?
    var alphabetLimit: Int?
    var initialAlphabet: [String]?
    var maximumTokenLength: Int?
    var continuingSubwordPrefix: String?
    var endOfWordSuffix: String?

    private enum CodingKeys: String, CodingKey {
      case vocabularySize = "vocab_size"
      case minimumFrequency = "min_frequency"
      case specialTokens = "special_tokens"
      case alphabetLimit = "limit_alphabet"
      case initialAlphabet = "initial_alphabet"
      case maximumTokenLength = "max_token_length"
      case continuingSubwordPrefix = "continuing_subword_prefix"
      case endOfWordSuffix = "end_of_word_suffix"
    }
  }

  enum Added: Equatable { case token(id: UInt32, content: [UInt8], isNormalized: Bool) }

  var lines: [String]
  /// Each line of a file is one word; else words stand between spaces.
  var wholeLines: Bool
  var options: Options
  var tokens: [[UInt8]]
  var merges: [[UInt32]]
  var added: [Added]

  private enum Key: String, CodingKey { case lines, wholeLines, options, tokens, merges, added }

  init(from decoder: any Swift.Decoder) throws {
    let values = try decoder.container(keyedBy: Key.self)
    lines = try values.decode([String].self, forKey: .lines)
    wholeLines = try values.decode(Bool.self, forKey: .wholeLines)
    options = try values.decode(Options.self, forKey: .options)
    tokens = try values.decode([String].self, forKey: .tokens).map { Array($0.utf8) }
    merges = try values.decode([[UInt32]].self, forKey: .merges)
    var list = try values.nestedUnkeyedContainer(forKey: .added)
    added = []
    while !list.isAtEnd {
      var token = try list.nestedUnkeyedContainer()
      let (id, content) = (try token.decode(UInt32.self), try token.decode(String.self))
      added.append(.token(id: id, content: Array(content.utf8), isNormalized: try token.decode(Bool.self)))
    }
  }

  static func all(_ path: String) throws -> [TrainingCase] {
    try JSONDecoder().decode([TrainingCase].self, from: Data(contentsOf: URL(fileURLWithPath: path)))
  }

  var trainer: BPETrainer {
    var trainer = BPETrainer()
    trainer.options.vocabularySize = options.vocabularySize
    trainer.options.minimumFrequency = options.minimumFrequency ?? 0
    trainer.options.specialTokens = (options.specialTokens ?? []).map { Array($0.utf8) }
    trainer.options.alphabetLimit = options.alphabetLimit
    trainer.options.initialAlphabet = Set((options.initialAlphabet ?? []).compactMap(\.unicodeScalars.first))
    trainer.options.maximumTokenLength = options.maximumTokenLength
    trainer.options.continuingSubwordPrefix = Array((options.continuingSubwordPrefix ?? "").utf8)
    trainer.options.endOfWordSuffix = Array((options.endOfWordSuffix ?? "").utf8)
    return trainer
  }

  /// Counted as a stream. Lines that came one by one are put into a stream with line ends between them.
  func words(threads: Int) throws -> WordCounts {
    let bytes = lines.flatMap { line -> [UInt8] in Array(line.utf8) + (wholeLines ? [] : [0x0A]) }
    let counter = wholeLines ? WordCounter.wholeLines : WordCounter.spaces
    return try counter.count(reading: chunks(of: bytes, 1000), parallelism: Parallelism(threads: threads))
  }
}

extension WordCounter {
  static let wholeLines = WordCounter { () throws(KistError) in
    { (line, emit) throws(KistError) in emit(line) }
  }

  /// Words are what stands between spaces and line ends.
  static let spaces = WordCounter { () throws(KistError) in
    { (line, emit) throws(KistError) in
      var start = 0
      for index in 0..<line.byteCount {
        let byte = line.unsafeLoadByte(index)
        guard byte == 0x20 || byte == 0x0A else { continue }
        if index > start { emit(line.extracting(start..<index)) }
        start = index + 1
      }
      if line.byteCount > start { emit(line.extracting(start..<line.byteCount)) }
    }
  }
}

extension RawSpan {
  fileprivate func unsafeLoadByte(_ index: Int) -> UInt8 { unsafe unsafeLoad(fromByteOffset: index, as: UInt8.self) }
}

/// A stream that gives some bytes at a time.
func chunks(of bytes: [UInt8], _ size: Int) -> () throws(KistError) -> [UInt8]? {
  var rest = bytes[...]
  return { () throws(KistError) in
    guard !rest.isEmpty else { return nil }
    defer { rest = rest.dropFirst(size) }
    return Array(rest.prefix(size))
  }
}

extension BPEDefinition {
  var tokenBytes: [[UInt8]] { vocabulary.tokens.map(\.bytes) }

  var pairs: [Pair] {
    if case .pairs(let pairs) = merges { return pairs }
    return []
  }
}
