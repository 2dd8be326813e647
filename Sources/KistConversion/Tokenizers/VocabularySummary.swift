import KistCore
import KistTokenizers

/// What is in a vocabulary: what `kist tokenizer inspect --json` prints. docs/json.md describes every field.
public struct VocabularySummary: Sendable, Encodable {
  public var schema = 1
  public var path: String
  /// The model's kind: `BPE`, `Unigram`, `WordPiece` or `WordLevel`.
  public var model: String
  /// The library whose ids are the right ones.
  public var reference: String
  /// Tokens that there are; ids can have gaps.
  public var tokenCount: Int
  public var idCount: Int
  /// The components in words, in the order in which text passes them.
  public var pipeline: [Stage]
  public var specialTokens: [TokenRow]
  /// How many tokens are text of which kind.
  public var kinds: [KindCount]
  public var longest: [TokenRow]
  /// With a text.
  public var sample: Sample?

  public struct Stage: Sendable, Encodable {
    public var stage: String
    public var steps: [String]
  }

  public struct TokenRow: Sendable, Encodable {
    public var id: UInt32
    public var text: String
  }

  public struct KindCount: Sendable, Encodable {
    public var kind: String
    public var tokenCount: Int

    enum CodingKeys: String, CodingKey {
      case kind
      case tokenCount = "tokens"
    }
  }

  public struct Sample: Sendable, Encodable {
    public var path: String
    public var byteCount: Int
    public var tokenCount: Int
    public var bytesPerToken: Double

    enum CodingKeys: String, CodingKey {
      case path
      case byteCount = "bytes"
      case tokenCount = "tokens"
      case bytesPerToken = "bytes_per_token"
    }
  }

  enum CodingKeys: String, CodingKey {
    case schema, path, model, reference, pipeline, kinds, longest, sample
    case tokenCount = "tokens"
    case idCount = "ids"
    case specialTokens = "special_tokens"
  }

  private static let longestCount = 10

  /// - Parameter text: A file whose tokens are counted.
  public init(_ tokenizer: Tokenizer, path: String, text: String? = nil) throws(KistError) {
    self.path = path
    model = tokenizer.modelName
    reference = tokenizer.reference
    idCount = tokenizer.idCount
    pipeline = tokenizer.pipelineInWords.map { Stage(stage: $0.stage, steps: $0.steps) }
    specialTokens = tokenizer.specialTokens.map {
      TokenRow(id: $0.id, text: String(decoding: $0.content, as: UTF8.self))
    }
    let special = Set(specialTokens.map(\.id))
    var counts: [String: Int] = [:]
    var lengths: [(id: UInt32, bytes: [UInt8])] = []
    tokenCount = 0
    for id in 0..<UInt32(tokenizer.idCount) {
      guard tokenizer.token(id) != nil else { continue }
      tokenCount += 1
      let surface = tokenizer.surface(of: id)
      counts[special.contains(id) ? "special" : TokenKind.name(of: surface), default: 0] += 1
      if !special.contains(id) { lengths.append((id, surface)) }
    }
    kinds = counts.map { KindCount(kind: $0.key, tokenCount: $0.value) }
      .sorted { ($1.tokenCount, $0.kind) < ($0.tokenCount, $1.kind) }
    lengths.sort { ($1.bytes.count, $0.id) < ($0.bytes.count, $1.id) }
    longest = lengths.prefix(Self.longestCount).map {
      TokenRow(id: $0.id, text: String(decoding: $0.bytes, as: UTF8.self))
    }
    sample = try text.map { path throws(KistError) in try Self.sample(of: path, tokenizer) }
  }

  private static func sample(of path: String, _ tokenizer: Tokenizer) throws(KistError) -> Sample {
    let file = try MappedFile(path: path)
    var settings = tokenizer.referenceSettings
    settings.additions = .none
    let count = try tokenizer.encode(file.bytes.array(0..<file.count), settings).count
    return Sample(
      path: path, byteCount: file.count, tokenCount: count,
      bytesPerToken: count > 0 ? Double(file.count) / Double(count) : 0)
  }

  /// Tokens whose text contains a part.
  public static func search(_ part: String, in tokenizer: Tokenizer) -> [TokenRow] {
    let part = Array(part.utf8)
    return (0..<UInt32(tokenizer.idCount)).compactMap { id in
      let surface = tokenizer.surface(of: id)
      guard tokenizer.token(id) != nil, contains(surface, part) else { return nil }
      return TokenRow(id: id, text: String(decoding: surface, as: UTF8.self))
    }
  }

  private static func contains(_ bytes: [UInt8], _ part: [UInt8]) -> Bool {
    guard !part.isEmpty, bytes.count >= part.count else { return part.isEmpty }
    return (0...bytes.count - part.count).contains { bytes[$0...].starts(with: part) }
  }
}

/// What a token's text is made of.
private enum TokenKind {
  static func name(of bytes: [UInt8]) -> String {
    guard let text = String(validating: bytes, as: UTF8.self) else { return "parts of characters" }
    let scalars = text.unicodeScalars.filter { $0 != "\u{2581}" && !$0.properties.isWhitespace }
    guard let first = scalars.first else { return "white space" }
    if scalars.allSatisfy({ $0.properties.numericType != nil }) { return "numbers" }
    guard let letter = scalars.first(where: \.properties.isAlphabetic) else {
      return first.isASCII ? "punctuation" : "symbols"
    }
    return UnicodeTable.scriptName(of: letter.value)
  }
}
