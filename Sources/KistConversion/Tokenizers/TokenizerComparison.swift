import KistCore
import KistTokenizers

/// Whether two tokenizers give the same ids, text by text.
public struct TokenizerComparison: Sendable, Encodable {
  /// The library whose word the reference is.
  public var referenceName: String
  public var textCount = 0
  public var tokenCount = 0
  public var difference: Difference?
  public var isSame: Bool { difference == nil }

  /// The first text on which they differ.
  public struct Difference: Sendable, Encodable {
    /// `line 12 of corpus.txt`, or the token whose text it is.
    public var place: String
    public var text: String
    public var ids: [UInt32]
    public var referenceIDs: [UInt32]

    enum CodingKeys: String, CodingKey {
      case place, text, ids
      case referenceIDs = "reference_ids"
    }
  }

  enum CodingKeys: String, CodingKey {
    case difference
    case referenceName = "reference"
    case textCount = "texts"
    case tokenCount = "tokens"
    case isSame = "same"
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(referenceName, forKey: .referenceName)
    try container.encode(textCount, forKey: .textCount)
    try container.encode(tokenCount, forKey: .tokenCount)
    try container.encode(isSame, forKey: .isSame)
    try container.encodeIfPresent(difference, forKey: .difference)
  }

  /// Encodes texts with both.
  ///
  /// - Parameter text: A file, of which every line is a text with its line end; the tokens of both vocabularies when nil.
  public init(
    _ tokenizer: Tokenizer, against reference: Tokenizer, text: String?, parallelism: Parallelism,
    progress: any ProgressObserver = NoProgress()
  ) throws(KistError) {
    referenceName = reference.reference
    let texts =
      try text.map { path throws(KistError) in try Self.lines(of: path) } ?? Self.tokens(of: [tokenizer, reference])
    let batches = stride(from: 0, to: texts.count, by: Self.batchCount).map {
      $0..<min($0 + Self.batchCount, texts.count)
    }
    var next = 0
    var (textCount, tokenCount) = (0, 0)
    var difference: Difference?
    progress.begin("Comparing", total: texts.reduce(0) { $0 + $1.bytes.count })
    defer { progress.end() }
    try parallelism.inOrder(
      next: { () throws(KistError) -> Range<Int>? in
        guard next < batches.count, difference == nil else { return nil }
        defer { next += 1 }
        return batches[next]
      },
      produce: { (batch) throws(KistError) -> Self.Batch in
        try Self.compare(texts[batch], tokenizer, reference)
      },
      consume: { (batch, result) throws(KistError) in
        guard difference == nil else { return }
        textCount += batch.count
        tokenCount += result.tokenCount
        difference = result.difference
        progress.advance(by: texts[batch].reduce(0) { $0 + $1.bytes.count })
      })
    (self.textCount, self.tokenCount, self.difference) = (textCount, tokenCount, difference)
  }

  private static let batchCount = 256

  private struct Text: Sendable {
    var place: String
    var bytes: [UInt8]
  }

  private struct Batch: Sendable {
    var tokenCount = 0
    var difference: Difference?
  }

  private static func compare(
    _ texts: ArraySlice<Text>, _ tokenizer: Tokenizer, _ reference: Tokenizer
  ) throws(KistError) -> Batch {
    // Both by the reference's rules, or rules would differ, not tokenizers.
    let settings = reference.referenceSettings
    var batch = Batch()
    for text in texts {
      let ids = try tokenizer.encode(text.bytes, settings)
      let referenceIDs = try reference.encode(text.bytes, settings)
      batch.tokenCount += referenceIDs.count
      guard ids == referenceIDs else {
        batch.difference = Difference(
          place: text.place, text: String(decoding: text.bytes, as: UTF8.self), ids: ids, referenceIDs: referenceIDs)
        return batch
      }
    }
    return batch
  }

  private static func lines(of path: String) throws(KistError) -> [Text] {
    let file = try MappedFile(path: path)
    let bytes = file.bytes.array(0..<file.count)
    guard String(validating: bytes, as: UTF8.self) != nil else {
      throw KistError(.invalid, file: path, "is not valid UTF-8 text")
    }
    var texts: [Text] = []
    var start = 0
    while start < bytes.count {
      let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? bytes.count
      texts.append(Text(place: "line \(texts.count + 1) of \(path)", bytes: Array(bytes[start..<end])))
      start = end
    }
    return texts
  }

  private static func tokens(of tokenizers: [Tokenizer]) -> [Text] {
    tokenizers.flatMap { tokenizer in
      (0..<UInt32(tokenizer.idCount)).compactMap { id in
        let bytes = tokenizer.surface(of: id)
        guard !bytes.isEmpty, String(validating: bytes, as: UTF8.self) != nil else { return nil }
        return Text(place: "token \(id)", bytes: bytes)
      }
    }
  }
}
