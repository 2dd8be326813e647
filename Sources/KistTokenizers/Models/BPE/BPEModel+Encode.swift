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
      unsafe encodeWhole(piece, into: &ids, &scratch)
    }
  }

  package func encode(_ piece: [UInt8], into ids: inout [UInt32], _ scratch: inout BPEScratch) {
    unsafe piece.withUnsafeBytes { unsafe encode($0, into: &ids, &scratch) }
  }

  /// Appends the ids of pieces of one text, one after the other.
  ///
  /// - Parameter pieces: Ranges of `text`; what lies outside is left out.
  package func encode(
    _ text: UnsafeRawBufferPointer, pieces: ArraySlice<Range<Int>>, into ids: inout [UInt32],
    _ scratch: inout BPEScratch
  ) {
    guard !options.flags.contains(.splitsAtMarkers) else {
      for range in pieces {
        unsafe encode(UnsafeRawBufferPointer(rebasing: text[range.clamped(to: 0..<text.count)]), into: &ids, &scratch)
      }
      return
    }
    var first = pieces.startIndex
    while first < pieces.endIndex {
      let last = min(first + Self.batchCount, pieces.endIndex)
      first = unsafe encodeBatch(text, pieces[first..<last], into: &ids, &scratch)
    }
  }

  private static let batchCount = 64

  /// Appends the ids of the first pieces of a list, up to one that is not in the cache, and gives the place behind it.
  @inline(__always)
  private func encodeBatch(
    _ text: UnsafeRawBufferPointer, _ pieces: ArraySlice<Range<Int>>, into ids: inout [UInt32],
    _ scratch: inout BPEScratch
  ) -> Int {
    var place = pieces.startIndex
    // Four ids are written for each piece, and those beyond its own are written over by the next piece's.
    unsafe withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 4 * Self.batchCount) { batch in
      var count = 0
      while place < pieces.endIndex {
        let range = pieces[place]
        guard range.upperBound &+ 16 <= text.count, range.lowerBound >= 0, let start = text.baseAddress,
          range.count &- 1 < PieceCache.longestShortPiece
        else { break }
        let key = unsafe PieceCache.shortKey(start + range.lowerBound, range.count)
        guard let slot = scratch.cache.find(key), PieceCache.count(slot) > 0 else { break }
        let to = unsafe UnsafeMutableRawPointer(batch.baseAddress.unsafelyUnwrapped + count)
        unsafe to.storeBytes(of: PieceCache.ids(slot), as: SIMD4<UInt32>.self)
        count &+= PieceCache.count(slot)
        place &+= 1
      }
      unsafe ids.append(contentsOf: UnsafeBufferPointer(rebasing: batch[..<count]))
    }
    if place < pieces.endIndex {
      let range = pieces[place].clamped(to: 0..<text.count)
      unsafe encodeWhole(UnsafeRawBufferPointer(rebasing: text[range]), into: &ids, &scratch)
      place += 1
    }
    return place
  }

  /// Encodes a piece that is not cut further.
  func encodeWhole(_ piece: UnsafeRawBufferPointer, into ids: inout [UInt32], _ scratch: inout BPEScratch) {
    let start = ids.count
    if piece.count <= PieceCache.longestShortPiece {
      guard piece.count > 0 else { return }
      let key = unsafe PieceCache.shortKey(piece)
      if let slot = scratch.cache.find(key) { return scratch.cache.append(slot, to: &ids) }
      unsafe encodeAnew(piece, into: &ids, &scratch)
      scratch.cache.insert(key, ids[start...])
    } else if piece.count <= PieceCache.longestPiece {
      let hash = unsafe TokenHash.hash(piece)
      if unsafe scratch.cache.appendLong(piece, hash, to: &ids) { return }
      unsafe encodeAnew(piece, into: &ids, &scratch)
      unsafe scratch.cache.insertLong(piece, hash, ids[start...])
    } else {
      unsafe encodeAnew(piece, into: &ids, &scratch)
    }
  }

  /// Encodes a piece that is not in the cache.
  private func encodeAnew(_ piece: UnsafeRawBufferPointer, into ids: inout [UInt32], _ scratch: inout BPEScratch) {
    if let id = unsafe wholePiece(piece) { return ids.append(id) }
    unsafe encodeByMerging(piece, into: &ids, &scratch)
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
