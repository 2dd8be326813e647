import KistCore

/// What a SentencePiece model file says, as far as it concerns encoding and decoding. Source: sentencepiece, `sentencepiece_model.proto`.
///
/// Fields of other types than the schema's, and unknown ones, are skipped, as protobuf does.
struct SentencePieceModel {
  struct Piece {
    var bytes: [UInt8] = []
    var score: Float = 0
    var kind = PieceKind.normal
  }

  /// `TrainerSpec.ModelType`.
  enum Algorithm: UInt64 {
    case unigram = 1
    case bpe = 2
    case word = 3
    case character = 4
  }

  var pieces: [Piece] = []
  var algorithm = Algorithm.unigram
  var byteFallback = false
  var unknownSurface = Array(" \u{2047} ".utf8)
  var normalizer = SentencePieceNormalizer()
  var denormalizes = false

  private let bytes: [UInt8]

  init(_ bytes: [UInt8]) throws(KistError) {
    self.bytes = bytes
    var reader = ProtobufReader(bytes, name: "ModelProto")
    while let (field, value) = try reader.next() {
      switch (field, value.range) {
      case (1, let range?): pieces.append(try piece(range))
      case (2, let range?): try readTrainerSpec(range)
      case (3, let range?): try readNormalizerSpec(range)
      case (5, let range?): try readDenormalizerSpec(range)
      default: break
      }
    }
  }

  private func piece(_ range: Range<Int>) throws(KistError) -> Piece {
    var reader = ProtobufReader(bytes, range, name: "pieces[\(pieces.count)]")
    var piece = Piece()
    while let (field, value) = try reader.next() {
      switch field {
      case 1: if let range = value.range { piece.bytes = Array(bytes[range]) }
      case 2: if let score = value.float { piece.score = score }
      // A kind that the schema does not have leaves the default.
      case 3:
        if let kind = value.number.flatMap({ PieceKind(rawValue: UInt8(truncatingIfNeeded: $0)) }) { piece.kind = kind }
      default: break
      }
    }
    return piece
  }

  private mutating func readTrainerSpec(_ range: Range<Int>) throws(KistError) {
    var reader = ProtobufReader(bytes, range, name: "trainer_spec")
    while let (field, value) = try reader.next() {
      switch field {
      case 3: if let type = value.number.flatMap(Algorithm.init(rawValue:)) { algorithm = type }
      case 24: if let bool = value.bool { normalizer.treatsWhitespaceAsSuffix = bool }
      case 35: if let bool = value.bool { byteFallback = bool }
      case 44: if let range = value.range { unknownSurface = Array(bytes[range]) }
      default: break
      }
    }
  }

  private mutating func readNormalizerSpec(_ range: Range<Int>) throws(KistError) {
    var reader = ProtobufReader(bytes, range, name: "normalizer_spec")
    while let (field, value) = try reader.next() {
      switch field {
      case 2: if let range = value.range { normalizer.charsmap = Array(bytes[range]) }
      case 3: if let bool = value.bool { normalizer.addsDummyPrefix = bool }
      case 4: if let bool = value.bool { normalizer.removesExtraWhitespaces = bool }
      case 5: if let bool = value.bool { normalizer.escapesWhitespaces = bool }
      default: break
      }
    }
  }

  private mutating func readDenormalizerSpec(_ range: Range<Int>) throws(KistError) {
    var reader = ProtobufReader(bytes, range, name: "denormalizer_spec")
    while let (field, value) = try reader.next() {
      if field == 2, let range = value.range { denormalizes = !range.isEmpty }
    }
  }
}
