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
    case .bpe(let model): unsafe model.encode(text, pieces: ranges[...], into: &ids, &scratch.bpe)
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
  /// Pieces that are gathered before they are encoded: few enough to stay in the processor's cache.
  private static let windowCount = 1024

  /// Appends the ids of a text whose pieces a scanner finds: the same as with all pieces gathered first.
  func encode(_ text: [UInt8], cutBy scanner: Scanner, into ids: inout [UInt32], _ scratch: TokenizerScratch) {
    var window: [Range<Int>] = []
    window.reserveCapacity(Self.windowCount)
    unsafe text.withUnsafeBufferPointer { text in
      unsafe scanner.forEachPiece(in: text) { start, end in
        window.append(start..<end)
        guard window.count == Self.windowCount else { return }
        unsafe encode(UnsafeRawBufferPointer(text), pieces: window[...], into: &ids, &scratch.bpe)
        window.removeAll(keepingCapacity: true)
      }
      unsafe encode(UnsafeRawBufferPointer(text), pieces: window[...], into: &ids, &scratch.bpe)
    }
  }
}

/// What one thread needs while it encodes. Used by one thread at a time, with one tokenizer, so all but one part stay empty.
///
/// No part is lazy: a lazy variable is copied for every change, with all that it remembers.
final class TokenizerScratch: @unchecked Sendable {
  var bpe = BPEScratch()
  var unigram = UnigramModel.Scratch()
  var wordPiece = WordPieceModel.Scratch()
  var wordLevel = WordLevelModel.Scratch()
}
