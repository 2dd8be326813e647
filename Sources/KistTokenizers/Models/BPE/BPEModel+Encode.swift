extension BPEModel {
  /// Appends the ids of a piece of text.
  ///
  /// - Parameters:
  ///   - piece: What the pre-tokenizer gave: raw bytes for byte-level models, UTF-8 for others. With SentencePiece the whole normalized
  ///     text.
  ///   - scratch: This thread's; used with no other model.
  /// - Complexity: O(n log n) at worst, for one merge after the other of a very long piece.
  package func encode(_ piece: UnsafeRawBufferPointer, into ids: inout [UInt32], _ scratch: inout BPEScratch) {
    if options.flags.contains(.splitsAtMarkers) {
      unsafe encodeAtMarkers(piece, into: &ids, &scratch)
    } else {
      unsafe encodeWhole(piece, 0..<piece.count, into: &ids, &scratch)
    }
  }

  package func encode(_ piece: [UInt8], into ids: inout [UInt32], _ scratch: inout BPEScratch) {
    unsafe piece.withUnsafeBytes { unsafe encode($0, into: &ids, &scratch) }
  }

  /// Appends the ids of pieces of one text, one after the other.
  ///
  /// - Parameter pieces: Ranges of `text`; what lies outside is left out.
  package func encode(
    _ text: UnsafeRawBufferPointer, pieces: [Range<Int>], into ids: inout [UInt32], _ scratch: inout BPEScratch
  ) {
    guard !options.flags.contains(.splitsAtMarkers) else {
      for range in pieces {
        unsafe encode(UnsafeRawBufferPointer(rebasing: text[range.clamped(to: 0..<text.count)]), into: &ids, &scratch)
      }
      return
    }
    unsafe PieceList.forEachWindow(of: pieces) { unsafe encode(text, $0, into: &ids, &scratch) }
  }

  /// Appends the ids of up to ``PieceWindow/pieceCount`` pieces of one text.
  func encode(
    _ text: UnsafeRawBufferPointer, _ pieces: PieceList, into ids: inout [UInt32], _ scratch: inout BPEScratch
  ) {
    var first = 0
    while unsafe first < pieces.count {
      unsafe first += scratch.cache.appendFound(text, pieces, from: first, tag: 0, to: &ids)
      guard unsafe first < pieces.count else { break }
      unsafe encodeWhole(text, pieces[first, in: text], into: &ids, &scratch)
      first += 1
    }
  }

  /// Encodes a piece that is not cut further.
  func encodeWhole(
    _ text: UnsafeRawBufferPointer, _ range: Range<Int>, into ids: inout [UInt32], _ scratch: inout BPEScratch
  ) {
    let start = ids.count
    let piece = unsafe UnsafeRawBufferPointer(rebasing: text[range])
    if piece.count <= PieceCache.longestShortPiece {
      guard piece.count > 0 else { return }
      let key = unsafe PieceCache.shortKey(piece, tag: 0)
      if let slot = scratch.cache.find(key) { return scratch.cache.append(slot, to: &ids) }
      unsafe encodeAnew(text, range, into: &ids, &scratch)
      scratch.cache.insert(key, ids[start...])
    } else if piece.count <= PieceCache.longestPiece {
      let hash = unsafe TokenHash.hash(piece)
      if unsafe scratch.cache.appendLong(piece, hash, to: &ids) { return }
      unsafe encodeAnew(text, range, into: &ids, &scratch)
      if scratch.cache.isMetAgain(hash) { unsafe scratch.cache.insertLong(piece, hash, ids[start...]) }
    } else {
      unsafe encodeAnew(text, range, into: &ids, &scratch)
    }
  }

  /// Encodes a piece that is not in the cache.
  private func encodeAnew(
    _ text: UnsafeRawBufferPointer, _ range: Range<Int>, into ids: inout [UInt32], _ scratch: inout BPEScratch
  ) {
    let piece = unsafe UnsafeRawBufferPointer(rebasing: text[range])
    if let id = unsafe wholePiece(piece) { return ids.append(id) }
    // A short run of bytes is merged sooner than its parts are found.
    let isShort = options.flags.contains(.allBytes) && piece.count <= PieceCache.longestShortPiece
    guard !isShort, let junctions else { return unsafe encodeByMerging(piece, into: &ids, &scratch) }
    unsafe encodeInParts(text, range, junctions, into: &ids, &scratch)
  }

  /// Encodes a piece part by part.
  private func encodeInParts(
    _ text: UnsafeRawBufferPointer, _ piece: Range<Int>, _ junctions: Junctions, into ids: inout [UInt32],
    _ scratch: inout BPEScratch
  ) {
    // A token as a whole piece need not be what merging gives.
    let tag: UInt64 = options.flags.contains(.anyTokenIsWhole) ? PieceCache.partTag : 0
    let bounds = unsafe scratch.parts.bounds
    var start = piece.lowerBound
    while start < piece.upperBound {
      unsafe bounds[0] = start
      let ends = unsafe UnsafeMutableBufferPointer(rebasing: bounds[1...])
      let count = unsafe junctions.cut(text, start..<piece.upperBound, into: ends)
      guard count > 0 else { return }
      let parts = unsafe PieceList(following: bounds, count: count)
      var first = 0
      while first < count {
        unsafe first += scratch.cache.appendFound(text, parts, from: first, tag: tag, to: &ids)
        guard first < count else { break }
        unsafe encodePart(UnsafeRawBufferPointer(rebasing: text[parts[first, in: text]]), tag, into: &ids, &scratch)
        first += 1
      }
      start = unsafe bounds[count]
    }
  }

  private func encodePart(
    _ part: UnsafeRawBufferPointer, _ tag: UInt64, into ids: inout [UInt32], _ scratch: inout BPEScratch
  ) {
    guard part.count <= PieceCache.longestShortPiece else {
      return unsafe encodeByMerging(part, into: &ids, &scratch)
    }
    let start = ids.count
    let key = unsafe PieceCache.shortKey(part, tag: tag)
    if let slot = scratch.cache.find(key) { return scratch.cache.append(slot, to: &ids) }
    unsafe encodeByMerging(part, into: &ids, &scratch)
    scratch.cache.insert(key, ids[start...])
  }

  /// Encodes a piece by its merges alone.
  func encodeByMerging(_ piece: UnsafeRawBufferPointer, into ids: inout [UInt32], _ scratch: inout BPEScratch) {
    if options.flags.contains(.allBytes), piece.count <= Merging.shortCount {
      let memory = scratch.merging.short
      for index in 0..<piece.count { unsafe memory.symbols[index] = symbols[Int(piece[index])] &- 1 }
      let count = Merging.mergeShort(piece.count, merges, memory)
      for index in 0..<count { unsafe ids.append(memory.symbols[index]) }
      return
    }
    scratch.symbols.removeAll(keepingCapacity: scratch.symbols.capacity < 1 << 16)
    unsafe appendSymbols(of: piece, to: &scratch.symbols)
    Merging.merge(&scratch.symbols, merges, &scratch.merging)
    if options.units == .sentencePiece {
      let origin = ids.count
      for symbol in scratch.symbols { appendIDs(of: symbol, from: origin, to: &ids) }
    } else {
      ids += scratch.symbols
    }
  }

  /// The token that a piece is as a whole.
  private func wholePiece(_ piece: UnsafeRawBufferPointer) -> UInt32? {
    guard piece.count <= options.longestToken, let id = unsafe vocabulary.id(of: piece) else { return nil }
    return wholePieces[Int(id >> 3)] >> UInt8(id & 7) & 1 == 1 ? id : nil
  }
}
