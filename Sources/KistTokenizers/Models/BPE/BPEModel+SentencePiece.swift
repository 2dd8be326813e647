import CKernels

extension BPEModel {
  /// Encodes a text cut before each ▁ that follows another character: no piece of the model reaches over such a place.
  func encodeAtMarkers(_ text: UnsafeRawBufferPointer, into ids: inout [UInt32], _ scratch: inout BPEScratch) {
    if options.units == .sentencePiece, !options.flags.contains(.byteFallback) {
      return unsafe encodeFusing(text, into: &ids, &scratch)
    }
    guard let base = unsafe text.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return }
    let origin = ids.count
    let bounds = unsafe scratch.pieces.bounds
    guard let ends = unsafe bounds.baseAddress.map({ unsafe $0 + 1 }) else { return }
    var start = 0
    while start < text.count {
      unsafe bounds[0] = start
      let count = unsafe kist_marker_ends(base, text.count, start, ends, PieceWindow.pieceCount)
      unsafe encode(text, PieceList(following: bounds, count: count), into: &ids, &scratch)
      start = unsafe bounds[count]
      ids.makeRoom(forRest: text.count - start, atRateOf: ids.count - origin, per: start)
    }
  }

  /// The same where unknown characters in a row are one unknown token, also over a place where the text was cut.
  private func encodeFusing(_ text: UnsafeRawBufferPointer, into ids: inout [UInt32], _ scratch: inout BPEScratch) {
    let origin = ids.count
    var start = 0
    while start < text.count {
      let end = unsafe Self.endOfSegment(text, from: start)
      let join = ids.count
      unsafe encodeWhole(text, start..<end, into: &ids, &scratch)
      if join > origin, join < ids.count, ids[join] == options.unknown, ids[join - 1] == options.unknown {
        ids.remove(at: join)
      }
      start = end
    }
  }

  /// Where the next ▁ stands that follows another character, or the text ends.
  package static func endOfSegment(_ text: UnsafeRawBufferPointer, from start: Int) -> Int {
    var offset = start
    while unsafe isMarker(text, at: offset) { offset += 3 }
    while offset < text.count {
      if unsafe text[offset] == 0xE2, unsafe isMarker(text, at: offset) { return offset }
      offset &+= 1
    }
    return offset
  }

  /// Whether ▁ stands at an offset: E2 96 81.
  @inline(__always)
  private static func isMarker(_ text: UnsafeRawBufferPointer, at offset: Int) -> Bool {
    unsafe offset &+ 3 <= text.count && text[offset] == 0xE2 && text[offset &+ 1] == 0x96 && text[offset &+ 2] == 0x81
  }

  /// Appends what a symbol of SentencePiece becomes at the end.
  ///
  /// Unused pieces are cut again into what they were merged from; unknown characters are tokens for their bytes, or one unknown token for
  /// all in a row. Source: sentencepiece, `bpe_model.cc`, `resegment`; `sentencepiece_processor.cc`, `PopulateSentencePieceText`.
  ///
  /// - Parameter origin: Where the ids of this piece begin in `ids`.
  func appendIDs(of symbol: UInt32, from origin: Int, to ids: inout [UInt32]) {
    if symbol & Symbol.unknown != 0 {
      appendUnknown(symbol, from: origin, to: &ids)
    } else if symbol & Symbol.frozen == 0, unusedPieces.count > 0, let range = unusedRange(symbol) {
      for place in range {
        let part = unusedSymbols[place]
        if part & Symbol.unknown != 0 { appendUnknown(part, from: origin, to: &ids) } else { ids.append(part) }
      }
    } else {
      ids.append(symbol & ~Symbol.frozen)
    }
  }

  private func appendUnknown(_ symbol: UInt32, from origin: Int, to ids: inout [UInt32]) {
    guard let unknown = options.unknown else { return }
    if options.flags.contains(.byteFallback) {
      for byte in Symbol.bytes(ofUnknown: symbol) {
        let entry = byteTokens[Int(byte)]
        ids.append(entry == 0 ? unknown : entry - 1)
      }
    } else if ids.count == origin || ids[ids.count - 1] != unknown {
      ids.append(unknown)
    }
  }

  /// Where the parts of an unused piece lie; nil for other pieces.
  ///
  /// `unusedPieces` has an id and the place behind its parts for each, by id.
  private func unusedRange(_ id: UInt32) -> Range<Int>? {
    var (low, high) = (0, unusedPieces.count / 2)
    while low < high {
      let middle = (low + high) / 2
      if unusedPieces[2 * middle] < id { low = middle + 1 } else { high = middle }
    }
    guard low < unusedPieces.count / 2, unusedPieces[2 * low] == id else { return nil }
    let start = low == 0 ? 0 : Int(unusedPieces[2 * low - 1])
    let end = min(Int(unusedPieces[2 * low + 1]), unusedSymbols.count)
    return start <= end ? start..<end : nil
  }
}
