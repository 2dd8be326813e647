import CKernels
import KistCore

/// SentencePiece's own normalizer. Source: sentencepiece 0.2.3, `normalizer.cc`, `Normalizer::Normalize`.
struct SentencePieceNormalization: Sendable {
  private let settings: SentencePieceNormalizer
  private let map: CharacterMap?
  /// User-defined pieces, which stay as they are; nil when there are none.
  private let symbols: PrefixMatcher?

  private static let space: [UInt8] = [0x20]
  /// U+2581.
  private static let escapedSpace: [UInt8] = [0xE2, 0x96, 0x81]

  init(_ settings: SentencePieceNormalizer) throws(KistError) {
    self.settings = settings
    map = settings.charsmap.isEmpty ? nil : try CharacterMap(settings.charsmap)
    symbols = settings.userDefinedSymbols.isEmpty ? nil : PrefixMatcher(settings.userDefinedSymbols)
  }

  func apply(to text: inout OriginText) {
    let begins = text.originCount > 0
    let normalized = unsafe text.bytes.withUnsafeBufferPointer { unsafe self.normalized($0) }
    text.replace(with: normalized, originCount: begins ? 1 : 0)
  }

  private func normalized(_ text: UnsafeBufferPointer<UInt8>) -> [UInt8] {
    var offset = 0
    if settings.removesExtraWhitespaces {
      while offset < text.count {
        let part = unsafe nextPart(text, at: offset)
        guard unsafe spells(part, Self.space, text) else { break }
        offset = part.end
      }
    }
    guard offset < text.count else { return [] }

    let space = settings.escapesWhitespaces ? Self.escapedSpace : Self.space
    var output: [UInt8] = []
    output.reserveAhead(text.count + text.count / 2 + 6)
    if settings.addsDummyPrefix, !settings.treatsWhitespaceAsSuffix { output += space }
    unsafe appendParts(of: text, from: offset, space: space, to: &output)
    if settings.removesExtraWhitespaces {
      while output.hasSuffix(space) { output.removeLast(space.count) }
    }
    if settings.addsDummyPrefix, settings.treatsWhitespaceAsSuffix { output += space }
    return output
  }

  private func appendParts(
    of text: UnsafeBufferPointer<UInt8>, from start: Int, space: [UInt8], to output: inout [UInt8]
  ) {
    var offset = start
    var followsSpace = settings.removesExtraWhitespaces
    while true {
      unsafe offset = appendPlain(text, from: offset, space, &followsSpace, to: &output)
      guard offset < text.count else { return }
      let part = unsafe nextPart(text, at: offset)
      offset = part.end
      var written = false
      var endsInSpace = false
      unsafe forEachByte(of: part, text) { byte in
        if byte == 0x20, followsSpace, !written { return }
        written = true
        endsInSpace = byte == 0x20
        if endsInSpace { output += space } else { output.append(byte) }
      }
      if written { followsSpace = endsInSpace && settings.removesExtraWhitespaces }
    }
  }

  /// Appends text that stays as it is, but for its spaces, and gives where it ends.
  private func appendPlain(
    _ text: UnsafeBufferPointer<UInt8>, from start: Int, _ space: [UInt8], _ followsSpace: inout Bool,
    to output: inout [UInt8]
  ) -> Int {
    let end = unsafe endOfPlain(text, from: start)
    var position = start
    while position < end, let base = text.baseAddress {
      let count = min(end - position, Self.blockByteCount)
      output.append(addingCapacity: count * space.count + 16) { room in
        unsafe room.withUnsafeMutableBufferPointer { room, written in
          unsafe written = kist_copy_with_spaces(
            base + position, count, space, space.count, settings.removesExtraWhitespaces, &followsSpace,
            room.baseAddress)
        }
      }
      if !settings.removesExtraWhitespaces { followsSpace = false }
      position += count
    }
    return end
  }

  /// Small enough that room for spaces alone is soon filled.
  private static let blockByteCount = 1 << 12

  private func endOfPlain(_ text: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
    guard symbols == nil else { return start }
    return unsafe map?.endOfKept(in: text, from: start) ?? text.count
  }

  /// A part of the text and what it becomes: itself, or a replacement of the map.
  private struct Part {
    var start: Int
    var end: Int
    var replacement: Range<Int>?
  }

  private func nextPart(_ text: UnsafeBufferPointer<UInt8>, at offset: Int) -> Part {
    let byte = unsafe text[offset]
    if let symbols {
      let length = unsafe symbols.longestMatch(in: text, at: offset)
      if length > 0 { return Part(start: offset, end: min(offset + length, text.count)) }
    }
    guard let map else { return unsafe onePart(text, at: offset) }
    if unsafe UTF8Walk.isLoneASCII(text, at: offset), map.isPlain(ascii: byte) {
      return Part(start: offset, end: offset + 1)
    }
    guard let match = unsafe map.longestMatch(text, at: offset) else { return unsafe onePart(text, at: offset) }
    return Part(start: offset, end: offset + match.length, replacement: match.replacement)
  }

  private func onePart(_ text: UnsafeBufferPointer<UInt8>, at offset: Int) -> Part {
    unsafe Part(start: offset, end: offset + UTF8Walk.scalar(in: text, at: offset).length)
  }

  @inline(__always)
  private func forEachByte(of part: Part, _ text: UnsafeBufferPointer<UInt8>, _ body: (UInt8) -> Void) {
    if let replacement = part.replacement, let map {
      for byte in map.bytes(replacement) { body(byte) }
    } else {
      for offset in part.start..<part.end { unsafe body(text[offset]) }
    }
  }

  private func spells(_ part: Part, _ bytes: [UInt8], _ text: UnsafeBufferPointer<UInt8>) -> Bool {
    if let replacement = part.replacement, let map { return map.bytes(replacement).elementsEqual(bytes) }
    return unsafe text[part.start..<part.end].elementsEqual(bytes)
  }
}

extension [UInt8] {
  fileprivate func hasSuffix(_ suffix: [UInt8]) -> Bool {
    count >= suffix.count && self[(count - suffix.count)...].elementsEqual(suffix)
  }
}
