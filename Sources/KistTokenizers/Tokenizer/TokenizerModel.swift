import KistCore

/// The model of a tokenizer, of any kind, run from a compiled record.
enum TokenizerModel: Sendable {
  case bpe(BPEModel)
  case unigram(UnigramModel)
  case wordPiece(WordPieceModel)
  case wordLevel(WordLevelModel)

  init(_ definition: ModelDefinition, _ reader: RecordReader) throws(KistError) {
    switch definition {
    case .bpe: self = .bpe(try BPEModel(reader))
    case .unigram: self = .unigram(try UnigramModel(reader))
    case .wordPiece: self = .wordPiece(try WordPieceModel(reader))
    case .wordLevel: self = .wordLevel(try WordLevelModel(reader))
    }
  }

  static func compile(_ definition: TokenizerDefinition, into writer: inout RecordWriter) throws(KistError) {
    switch definition.model {
    case .bpe(let bpe): try BPEModel.compile(bpe, bytesAlphabet: definition.usesRawBytes, into: &writer)
    case .unigram(let unigram): try UnigramModel.compile(unigram, into: &writer)
    case .wordPiece(let wordPiece): try WordPieceModel.compile(wordPiece, into: &writer)
    case .wordLevel(let vocabulary, let unknown):
      try WordLevelModel.compile(vocabulary, unknown: unknown, into: &writer)
    }
  }

  var name: String {
    switch self {
    case .bpe: "BPE"
    case .unigram: "Unigram"
    case .wordPiece: "WordPiece"
    case .wordLevel: "WordLevel"
    }
  }

  /// Appends the ids of pieces of one buffer.
  func encode(_ pieces: Pieces, into ids: inout [UInt32], _ scratch: TokenizerScratch) throws(KistError) {
    var (output, failure): ([UInt32], KistError?) = ([], nil)
    swap(&output, &ids)
    unsafe pieces.bytes.withUnsafeBytes { text in
      do throws(KistError) {
        unsafe try encode(text, pieces.ranges, into: &output, scratch)
      } catch {
        failure = error
      }
    }
    swap(&output, &ids)
    if let failure { throw failure }
  }

  private func encode(
    _ text: UnsafeRawBufferPointer, _ ranges: [Range<Int>], into ids: inout [UInt32], _ scratch: TokenizerScratch
  ) throws(KistError) {
    switch self {
    case .bpe(let model): unsafe model.encode(text, pieces: ranges, into: &ids, &scratch.bpe)
    case .unigram(let model):
      for range in ranges {
        unsafe try model.encode(UnsafeRawBufferPointer(rebasing: text[range]), into: &ids, &scratch.unigram)
      }
    case .wordPiece(let model):
      for range in ranges {
        unsafe model.encode(UnsafeRawBufferPointer(rebasing: text[range]), into: &ids, &scratch.wordPiece)
      }
    case .wordLevel(let model):
      for range in ranges {
        unsafe try model.encode(UnsafeRawBufferPointer(rebasing: text[range]), into: &ids, &scratch.wordLevel)
      }
    }
  }
}

extension BPEModel {
  /// Appends the ids of a text whose pieces a scanner finds: the same as with all pieces gathered first.
  func encode(_ text: [UInt8], cutBy scanner: Scanner, into ids: inout [UInt32], _ scratch: TokenizerScratch) {
    let firstCount = ids.count
    unsafe text.withUnsafeBufferPointer { text in
      unsafe withUnsafeTemporaryAllocation(of: Int.self, capacity: Self.windowCount + 1) { bounds in
        let ends = unsafe UnsafeMutableBufferPointer(rebasing: bounds[1...])
        var position = 0
        while position < text.count {
          unsafe bounds[0] = position
          let count = unsafe scanner.ends(in: text, from: position, into: ends)
          let pieces = unsafe PieceList(following: UnsafeBufferPointer(rebasing: bounds[...count]))
          unsafe encode(UnsafeRawBufferPointer(text), pieces, into: &ids, &scratch.bpe)
          position = unsafe bounds[count]
          reserve(&ids, forRest: text.count - position, atRateOf: ids.count - firstCount, per: position)
        }
      }
    }
  }

  /// Makes room for the ids of the rest of a text, as many to the byte as so far: pages that are copied while a list grows cost more than
  /// the tokens in them.
  private func reserve(_ ids: inout [UInt32], forRest rest: Int, atRateOf count: Int, per byteCount: Int) {
    guard rest > 0, ids.capacity - ids.count < 4 * Self.windowCount else { return }
    ids.reserveCapacity(ids.count + 4 * Self.windowCount + Int(Double(count) / Double(byteCount) * Double(rest) * 1.1))
  }
}

/// What one thread needs while it encodes. Used by one thread at a time, with one tokenizer, so all but one part stay unmade.
final class TokenizerScratch: @unchecked Sendable {
  var bpe = BPEScratch()
  lazy var unigram = UnigramModel.Scratch()
  lazy var wordPiece = WordPieceModel.Scratch()
  lazy var wordLevel = WordLevelModel.Scratch()
}
