import KistCore

extension KistFile {
  /// The bytes of a raw entry where they lie in the mapped file; nil when the entry is packed.
  ///
  /// Nothing is copied or checked; ``verify(_:parallelism:progress:)`` checks.
  @_lifetime(borrow self)
  public func rawBytes(of entry: Entry) -> RawSpan? {
    guard entry.codec == .raw else { return nil }
    let start = entry.layout.runOffset
    let span = unsafe RawSpan(_unsafeBytes: mapped.pointer(start..<start + entry.byteCount))
    return unsafe _overrideLifetime(span, borrowing: self)
  }

  /// Where a raw entry lies in the mapped file; nil when the entry is packed.
  package func mappedRange(of entry: Entry) -> (file: MappedFile, range: Range<Int>)? {
    guard entry.codec == .raw else { return nil }
    let start = entry.layout.runOffset
    return (mapped, start..<start + entry.byteCount)
  }

  /// The whole content of an entry, or some rows of a tensor: row *i* is the part at index *i* of the first dimension.
  ///
  /// - Throws: `damaged` when the content does not match its checksums; `invalid` when there are no such rows.
  public func bytes(of entry: Entry, rows: Range<Int>? = nil) throws(KistError) -> [UInt8] {
    let range = try rows.map { rows throws(KistError) in try byteRange(ofRows: rows, of: entry) } ?? 0..<entry.byteCount
    var failure: KistError?
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: range.count) { buffer, count in
      do throws(KistError) {
        unsafe try read(
          entry, range,
          into: UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[..<range.count]))
        count = range.count
      } catch {
        failure = error
        count = 0
      }
    }
    if let failure { throw failure }
    return bytes
  }

  /// Decodes rows of a tensor into the caller's buffer, whose length must be that of the rows.
  ///
  /// - Throws: `damaged` when the content does not match its checksums; `invalid` when there are no such rows or the buffer has another length.
  public func read(_ entry: Entry, rows: Range<Int>, into buffer: inout MutableRawSpan) throws(KistError) {
    let range = try byteRange(ofRows: rows, of: entry)
    guard buffer.byteCount == range.count else {
      throw KistError(
        .invalid, file: path, field: "'\(entry.name)'",
        "the rows have \(range.count) bytes, the buffer \(buffer.byteCount)")
    }
    let result = unsafe buffer.withUnsafeMutableBytes { output in
      Result { () throws(KistError) in unsafe try read(entry, range, into: output) }
    }
    try result.get()
  }

  /// The bytes that rows of a tensor take in its content.
  public func byteRange(ofRows rows: Range<Int>, of entry: Entry) throws(KistError) -> Range<Int> {
    let rowCount = entry.shape.dimensions.first ?? 1
    guard rows.lowerBound >= 0, rows.upperBound <= rowCount else {
      throw KistError(.invalid, file: path, field: "'\(entry.name)'", "rows \(rows) of \(rowCount)")
    }
    guard rowCount > 0, entry.byteCount % rowCount == 0 else {
      guard rows.isEmpty || rows == 0..<rowCount else {
        throw KistError(.invalid, file: path, field: "'\(entry.name)'", "its rows do not begin at whole bytes")
      }
      return 0..<(rows.isEmpty ? 0 : entry.byteCount)
    }
    let rowByteCount = entry.byteCount / rowCount
    return rows.lowerBound * rowByteCount..<rows.upperBound * rowByteCount
  }

  /// Decodes a range of the content, checking the XXH3 of each chunk that it touches.
  package func read(
    _ entry: Entry, _ range: Range<Int>, into output: UnsafeMutableRawBufferPointer
  ) throws(KistError) {
    let layout = entry.layout
    if mapped.isRemote { try fetch(layout.chunks(of: range), of: entry, layout, isStream: isWholeChunk(range, layout)) }
    for number in layout.chunks(of: range) {
      let chunkRange = layout.rawRange(ofChunk: number)
      let wanted = range.clamped(to: chunkRange)
      let start = wanted.lowerBound - range.lowerBound
      unsafe try readChunk(
        number, of: entry, layout,
        part: wanted.lowerBound - chunkRange.lowerBound..<wanted.upperBound - chunkRange.lowerBound,
        into: UnsafeMutableRawBufferPointer(rebasing: output[start..<start + wanted.count]))
    }
  }

  /// Of content that is read chunk by chunk, so many are on their way.
  private static let chunkCountAhead = 32

  private func isWholeChunk(_ range: Range<Int>, _ layout: ContentLayout) -> Bool {
    range.count == layout.rawBytesPerChunk && range.lowerBound % layout.rawBytesPerChunk == 0
  }

  /// Fetches chunks from a server; when all of the content seems to be read, some of those that follow are fetched ahead.
  private func fetch(
    _ chunks: Range<Int>, of entry: Entry, _ layout: ContentLayout, isStream: Bool
  ) throws(KistError) {
    // Several that are needed at once come together too.
    let end = isStream ? min(chunks.lowerBound + KistFile.chunkCountAhead, layout.chunkCount) : chunks.upperBound
    if end - chunks.lowerBound > 1 { prefetch(chunks.lowerBound..<end, of: entry) }
    for number in chunks { try mapped.fetch(try chunk(number, of: layout, name: entry.name).range) }
  }

  /// Fetches chunks from a server beside other work. A record that is not right is found when the chunk is read.
  func prefetch(_ chunks: Range<Int>, of entry: Entry) {
    guard mapped.isRemote else { return }
    let layout = entry.layout
    for number in chunks {
      if let chunk = try? chunk(number, of: layout, name: entry.name) { mapped.prefetch(chunk.range) }
    }
  }

  private func readChunk(
    _ number: Int, of entry: Entry, _ layout: ContentLayout, part: Range<Int>,
    into output: UnsafeMutableRawBufferPointer
  ) throws(KistError) {
    let chunk = try chunk(number, of: layout, name: entry.name)
    do throws(KistError) {
      let stored = unsafe mapped.pointer(chunk.range)
      guard unsafe xxh3(stored) == chunk.hash else {
        throw KistError(.damaged, field: "XXH3", offset: chunk.offset, "the stored bytes do not match their checksum")
      }
      if layout.codec == .raw {
        unsafe output.copyMemory(from: UnsafeRawBufferPointer(rebasing: stored[part]))
      } else {
        unsafe try decode(stored, chunk, of: layout, part: part, into: output)
      }
      try mapped.checkIntact()
    } catch {
      throw inChunk(error, number, of: entry)
    }
  }

  private func decode(
    _ stored: UnsafeRawBufferPointer, _ chunk: ChunkRecord, of layout: ContentLayout, part: Range<Int>,
    into output: UnsafeMutableRawBufferPointer
  ) throws(KistError) {
    let decoder = try decoders.take()
    defer { decoders.give(decoder) }
    if part.count == chunk.rawByteCount {
      unsafe try decoder.decode(
        stored, transform: layout.transform, planeCount: layout.planeCount, into: output)
    } else {
      unsafe try decoder.decode(
        stored, transform: layout.transform, planeCount: layout.planeCount, rawByteCount: chunk.rawByteCount,
        part: part, into: output)
    }
  }

  /// The record of a chunk, after its block was found right.
  package func chunk(_ number: Int, of entry: Entry) throws(KistError) -> ChunkRecord {
    try chunk(number, of: entry.layout, name: entry.name)
  }

  package func chunk(
    _ number: Int, of layout: ContentLayout, name: @autoclosure () -> String
  ) throws(KistError) -> ChunkRecord {
    let block = layout.chunksBlock
    do throws(KistError) {
      if !checkedBlocks.withLock({ $0.contains(block) }) {
        try index.checkChunksBlock(block)
        checkedBlocks.withLock { _ = $0.insert(block) }
      }
      return try index.chunk(number, of: layout, name: name())
    } catch {
      throw error.inFile(path)
    }
  }

  private func inChunk(_ error: KistError, _ number: Int, of entry: Entry) -> KistError {
    var error = error.inFile(path)
    error.field = "chunk \(number) of '\(entry.name)'" + (error.field.map { ": \($0)" } ?? "")
    return error
  }
}
