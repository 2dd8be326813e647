/// Joins pieces as sentencepiece does. Source: sentencepiece 0.2.3, `sentencepiece_processor.cc`, `Decode`.
///
/// Control pieces vanish, unknown ones become their surface, `▁` becomes a space, runs of byte pieces become
/// characters. Leading spaces go: with `removesExtraWhitespaces` one from each piece as long as there is no text yet;
/// with `addsDummyPrefix` alone one from the first.
package struct SentencePieceDecoder: Sendable {
  package var addsDummyPrefix: Bool
  package var removesExtraWhitespaces: Bool
  package var unknownSurface: [UInt8]

  package init(addsDummyPrefix: Bool, removesExtraWhitespaces: Bool, unknownSurface: [UInt8]) {
    self.addsDummyPrefix = addsDummyPrefix
    self.removesExtraWhitespaces = removesExtraWhitespaces
    self.unknownSurface = unknownSurface
  }

  private static let space: [UInt8] = [0xE2, 0x96, 0x81]
  private static let byteTokens = Dictionary(
    uniqueKeysWithValues: (0..<256).map { (ByteToken.name(of: UInt8($0)), UInt8($0)) })

  /// - Parameter kinds: One for each piece; those that are missing are bytes if they have a byte's name, else normal.
  package func decode(_ pieces: [[UInt8]], kinds: [PieceKind]) -> [UInt8] {
    var text: [UInt8] = []
    var bytes: [UInt8] = []
    var (isAtBeginning, tookSpace) = (true, false)
    for (index, piece) in pieces.enumerated() {
      let byte = piece.count == 6 ? Self.byteTokens[piece] : nil
      let kind = index < kinds.count ? kinds[index] : byte == nil ? .normal : .byte
      if kind == .byte, let byte {
        bytes.append(byte)
        continue
      }
      Self.append(&bytes, to: &text)
      if tookSpace || !text.isEmpty { isAtBeginning = false }
      tookSpace = append(piece, kind, isAtBeginning, to: &text)
    }
    Self.append(&bytes, to: &text)
    return text
  }

  /// Appends one piece; true when it gave up the space of the dummy prefix.
  private func append(_ piece: [UInt8], _ kind: PieceKind, _ isAtBeginning: Bool, to text: inout [UInt8]) -> Bool {
    switch kind {
    case .control: return false
    case .unknown:
      text += unknownSurface
      return false
    default: break
    }
    let dropsSpace =
      isAtBeginning && (addsDummyPrefix || removesExtraWhitespaces) && piece.starts(with: Self.space)
    text += Array(dropsSpace ? piece.dropFirst(3) : piece[...]).replacing(Self.space, with: [0x20])
    return dropsSpace && !removesExtraWhitespaces
  }

  private static func append(_ bytes: inout [UInt8], to text: inout [UInt8]) {
    guard !bytes.isEmpty else { return }
    text += UTF8Repair.repairedByteByByte(bytes)
    bytes.removeAll(keepingCapacity: true)
  }
}
