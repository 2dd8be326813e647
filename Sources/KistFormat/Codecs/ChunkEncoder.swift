import KistCore

/// A chunk as it will be stored.
package struct EncodedChunk: Sendable {
  package var rawByteCount: Int
  /// SHA-256 of the raw bytes.
  package var leaf: Digest
  /// XXH3 of the stored bytes.
  package var hash: UInt64
  /// Length of the packed bytes; nil when the chunk stays raw.
  package var packedByteCount: Int?
  /// Whether the raw bytes of a chunk that stays raw are in the buffer, because they would have to be made again.
  package var isRawInBuffer = false
  /// Whether it is in the file already.
  package var isStored = false
}

/// Room for one packed chunk, from the thread that encodes it to the one that writes it.
@safe package final class ChunkBuffer: @unchecked Sendable {
  fileprivate nonisolated(unsafe) let bytes: UnsafeMutableRawBufferPointer

  /// A chunk whose planes all refuse to shrink still fits.
  fileprivate static let byteCount =
    ZstdEncoder.bound(Layout.maximumChunkByteCount) + Layout.maximumPlaneCount * (4 + ZstdEncoder.bound(0))

  package init() { unsafe bytes = .allocate(byteCount: ChunkBuffer.byteCount, alignment: Layout.alignment) }

  deinit { unsafe bytes.deallocate() }

  /// The first bytes: a packed chunk.
  package func stored(_ byteCount: Int) -> UnsafeRawBufferPointer {
    unsafe UnsafeRawBufferPointer(rebasing: bytes[..<byteCount])
  }

  /// Keeps a raw chunk.
  package func keep(_ raw: UnsafeRawBufferPointer) { unsafe bytes.copyMemory(from: raw) }
}

/// Turns raw chunks into stored ones. One thread at a time; its buffers are used again for every chunk.
@safe package final class ChunkEncoder: @unchecked Sendable {
  private let zstd: ZstdEncoder
  private nonisolated(unsafe) let planes: UnsafeMutableRawBufferPointer
  /// Frames that lost against a smaller one.
  private let trial = ChunkBuffer()

  package init() throws(KistError) {
    zstd = try ZstdEncoder()
    unsafe planes = .allocate(byteCount: Layout.maximumChunkByteCount, alignment: Layout.alignment)
  }

  deinit { unsafe planes.deallocate() }

  /// Encodes one chunk; when it is packed, into the buffer.
  ///
  /// - Parameter isOnly: The entry has no other chunk, so it may still turn out to be better raw.
  package func encode(
    _ raw: UnsafeRawBufferPointer, plan: PackingPlan, minimumSaving: Double, isOnly: Bool, into buffer: ChunkBuffer
  ) throws(KistError) -> EncodedChunk {
    var chunk = unsafe EncodedChunk(rawByteCount: raw.count, leaf: Digest(hashing: raw), hash: 0, packedByteCount: nil)
    if plan.codec == .zstd {
      let byteCount = unsafe try pack(raw, plan, into: buffer.bytes)
      if !isOnly || Double(byteCount) <= Double(raw.count) * (1 - minimumSaving) {
        chunk.packedByteCount = byteCount
        unsafe chunk.hash = xxh3(buffer.stored(byteCount))
        return chunk
      }
    }
    unsafe chunk.hash = xxh3(raw)
    return chunk
  }

  /// Writes the table of plane lengths and the frames.
  private func pack(
    _ raw: UnsafeRawBufferPointer, _ plan: PackingPlan, into output: UnsafeMutableRawBufferPointer
  ) throws(KistError) -> Int {
    let source = unsafe split(raw, plan.layout)
    let unitCount = raw.count / plan.layout.unitByteCount
    var position = 4 * plan.codings.count
    var start = 0
    for (index, (width, codings)) in zip(plan.layout.planeWidths, plan.codings).enumerated() {
      let plane = unsafe UnsafeRawBufferPointer(rebasing: source[start..<start + unitCount * width])
      start += plane.count
      let length = unsafe try packPlane(
        plane, codings, into: UnsafeMutableRawBufferPointer(rebasing: output[position...]))
      unsafe output.storeBytes(of: UInt32(length).littleEndian, toByteOffset: 4 * index, as: UInt32.self)
      position += length
    }
    return position
  }

  /// Writes the smallest of the frames that the codings give.
  private func packPlane(
    _ plane: UnsafeRawBufferPointer, _ codings: [FrameCoding], into place: UnsafeMutableRawBufferPointer
  ) throws(KistError) -> Int {
    guard var best = codings.first else { return 0 }
    var length = unsafe try zstd.encode(plane, as: best, into: place)
    for coding in codings.dropFirst() {
      let other = unsafe try zstd.encode(plane, as: coding, into: trial.bytes)
      guard other < length else { continue }
      (best, length) = (coding, other)
      unsafe place.copyMemory(from: trial.stored(other))
    }
    return length
  }

  private func split(_ raw: UnsafeRawBufferPointer, _ layout: PlaneLayout) -> UnsafeRawBufferPointer {
    guard layout.planeCount > 1 else { return unsafe raw }
    let target = unsafe UnsafeMutableRawBufferPointer(rebasing: planes[..<raw.count])
    unsafe Planes.split(raw, layout, into: target)
    return UnsafeRawBufferPointer(target)
  }

  /// Gives the planes of a sample.
  package func withSplit<Result>(
    _ sample: [UInt8], _ layout: PlaneLayout,
    _ body: (UnsafeRawBufferPointer) throws(KistError) -> Result
  ) throws(KistError) -> Result {
    let result = unsafe sample.withUnsafeBytes { bytes in
      Swift.Result { () throws(KistError) in unsafe try body(split(bytes, layout)) }
    }
    return try result.get()
  }

  /// The length of a frame, which is not kept.
  package func frameByteCount(_ bytes: UnsafeRawBufferPointer, as coding: FrameCoding) throws(KistError) -> Int {
    unsafe try zstd.encode(bytes, as: coding, into: trial.bytes)
  }
}
