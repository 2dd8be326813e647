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
      unsafe try model.encode(text, pieces: ranges, into: &ids, &scratch.unigram.part)
    case .wordPiece(let model):
      unsafe model.encode(text, words: ranges, into: &ids, &scratch.wordPiece.part)
    case .wordLevel(let model):
      let kept = scratch.wordLevel
      for range in ranges {
        unsafe try model.encode(UnsafeRawBufferPointer(rebasing: text[range]), into: &ids, &kept.part)
      }
    }
  }
}

extension BPEModel {
  /// Appends the ids of a text whose pieces a scanner finds: the same as with all pieces gathered first.
  func encode(_ text: [UInt8], cutBy scanner: Scanner, into ids: inout [UInt32], _ scratch: TokenizerScratch) {
    let firstCount = ids.count
    let bounds = unsafe scratch.bpe.pieces.bounds
    unsafe text.withUnsafeBufferPointer { text in
      var position = 0
      while position < text.count {
        unsafe bounds[0] = position
        let count = unsafe scanner.ends(
          in: text, from: position, into: UnsafeMutableBufferPointer(rebasing: bounds[1...]))
        let pieces = unsafe PieceList(following: bounds, count: count)
        unsafe encode(UnsafeRawBufferPointer(text), pieces, into: &ids, &scratch.bpe)
        position = unsafe bounds[count]
        ids.makeRoom(forRest: text.count - position, atRateOf: ids.count - firstCount, per: position)
      }
    }
  }
}

/// What one thread needs while it encodes. Used by one thread at a time, with one tokenizer, so all but one part stay empty.
final class TokenizerScratch: @unchecked Sendable {
  /// A part that is changed where it lies: what a lazy property gives is a copy.
  final class Kept<Part: ~Copyable> {
    var part: Part

    init(_ part: consuming Part) { self.part = part }
  }

  var bpe = BPEScratch()
  lazy var unigram = Kept(UnigramModel.Scratch())
  lazy var wordPiece = Kept(WordPieceModel.Scratch())
  lazy var wordLevel = Kept(WordLevelModel.Scratch())
}
