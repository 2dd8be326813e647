import KistCore
import KistTokenizers

/// The tokens of a text, mapped: two bytes each, or four where the vocabulary needs them.
public struct TokenCorpus: Sendable {
  private let file: MappedFile
  private let width: Int
  public let tokenCount: Int
  /// Tells texts apart: FNV-1a of the tokens, 64 bits.
  public let fingerprint: UInt64
  /// Bytes of the text.
  public let byteCount: Int

  /// Turns files into tokens, in a file that has no name and goes with the process.
  ///
  /// Text is cut at ends of lines into parts of 1 MiB, each tokenized by itself. Special tokens that stand in the text are taken for
  /// tokens, where the tokenizer's library does so; none are added.
  ///
  /// - Throws: `invalid` for text that is not UTF-8, or a token outside the vocabulary; `missing`; `interrupted`.
  public static func tokenize(
    files: [String], _ tokenizer: Tokenizer, vocabularySize: Int, parallelism: Parallelism,
    progress: any ProgressObserver
  ) throws(KistError) -> TokenCorpus {
    let mapped = try files.map { path throws(KistError) in try MappedFile(path: path) }
    let byteCount = mapped.reduce(0) { $0 + $1.count }
    progress.begin("Tokenizing", total: byteCount)
    defer { progress.end() }
    var settings = tokenizer.referenceSettings
    settings.additions = .none
    let target = try TokenWriter(width: vocabularySize <= 1 << 16 ? 2 : 4)
    var blocks = FileBlocks(mapped, byteCount: 1 << 20)
    let encoding = settings
    try parallelism.inOrder(
      next: { () throws(KistError) in blocks.next() },
      produce: { block throws(KistError) in
        let ids = try tokenizer.encode(try text(of: block), encoding)
        if let wrong = ids.first(where: { $0 >= vocabularySize }) {
          throw KistError(
            .invalid, file: block.file.path,
            "the tokenizer gives token \(wrong), and the model's vocabulary has \(vocabularySize)",
            advice: "the tokenizer and the configuration's vocab_size must go together")
        }
        return ids
      },
      consume: { block, ids throws(KistError) in
        try target.append(ids)
        block.file.release(block.range)
        progress.advance(by: block.range.count)
      })
    return TokenCorpus(
      file: try target.output.mapped(as: files.first ?? ""), width: target.width, tokenCount: target.count,
      fingerprint: target.fingerprint, byteCount: byteCount)
  }

  private static func text(of block: FileBlocks.Block) throws(KistError) -> [UInt8] {
    let bytes = unsafe block.file.pointer(block.range)
    if let place = unsafe bytes.firstInvalidUTF8Byte {
      throw KistError(
        .invalid, file: block.file.path, offset: block.range.lowerBound + place, "the text is not valid UTF-8")
    }
    return unsafe [UInt8](bytes)
  }

  /// Tokens from `start` on.
  package func tokens(_ range: Range<Int>) -> [Int] {
    precondition(range.lowerBound >= 0 && range.upperBound <= tokenCount, "inside the corpus")
    let bytes = unsafe file.pointer(range.lowerBound * width..<range.upperBound * width)
    return range.map { index in
      let start = (index - range.lowerBound) * width
      return unsafe width == 2
        ? Int(bytes.loadUnaligned(fromByteOffset: start, as: UInt16.self))
        : Int(bytes.loadUnaligned(fromByteOffset: start, as: UInt32.self))
    }
  }
}

/// Writes tokens behind each other.
private final class TokenWriter {
  let output: UnnamedFile
  let width: Int
  private(set) var count = 0
  private(set) var fingerprint: UInt64 = 0xCBF2_9CE4_8422_2325

  init(width: Int) throws(KistError) {
    output = try UnnamedFile()
    self.width = width
  }

  func append(_ ids: [UInt32]) throws(KistError) {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(ids.count * width)
    for id in ids {
      for place in 0..<width { bytes.append(UInt8(truncatingIfNeeded: id >> (8 * UInt32(place)))) }
      fingerprint = (fingerprint ^ UInt64(id)) &* 0x100_0000_01B3
    }
    try output.output.write(bytes, at: count * width)
    count += ids.count
  }
}
