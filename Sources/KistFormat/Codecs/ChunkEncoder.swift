import KistCore

/// A chunk as it will be stored.
package struct EncodedChunk: Sendable {
  package var rawByteCount: Int
  /// SHA-256 of the raw bytes.
  package var leaf: Digest
  /// XXH3 of the stored bytes.
  package var hash: UInt64
  /// Length of the packed bytes, which are in the encoder's ``ChunkEncoder/stored``; nil when the chunk stays raw.
  package var packedByteCount: Int?
}

/// Turns raw chunks into stored ones. One thread at a time; its buffers are used again for every chunk.
@safe package final class ChunkEncoder: @unchecked Sendable {
  private let zstd: ZstdEncoder
  private nonisolated(unsafe) let planes: UnsafeMutableRawBufferPointer
  private nonisolated(unsafe) let output: UnsafeMutableRawBufferPointer
  private nonisolated(unsafe) let trial: UnsafeMutableRawBufferPointer

  /// Room for a chunk whose planes all refuse to shrink.
  private static let outputByteCount = ZstdEncoder.bound(Layout.maximumChunkByteCount) + 8 * 256

  package init() throws(KistError) {
    zstd = try ZstdEncoder()
    unsafe planes = .allocate(byteCount: Layout.maximumChunkByteCount, alignment: Layout.alignment)
    unsafe output = .allocate(byteCount: ChunkEncoder.outputByteCount, alignment: Layout.alignment)
    unsafe trial = .allocate(byteCount: ChunkEncoder.outputByteCount, alignment: Layout.alignment)
  }

  deinit {
    unsafe planes.deallocate()
    unsafe output.deallocate()
    unsafe trial.deallocate()
  }

  /// The bytes of the last packed chunk.
  package func stored(_ byteCount: Int) -> UnsafeRawBufferPointer {
    unsafe UnsafeRawBufferPointer(rebasing: output[..<byteCount])
  }

  /// Encodes one chunk.
  ///
  /// - Parameter isOnly: The entry has no other chunk, so it may still turn out to be better raw.
  package func encode(
    _ raw: UnsafeRawBufferPointer, plan: PackingPlan, minimumSaving: Double, isOnly: Bool
  ) throws(KistError) -> EncodedChunk {
    var chunk = unsafe EncodedChunk(rawByteCount: raw.count, leaf: Digest(hashing: raw), hash: 0, packedByteCount: nil)
    if plan.codec == .zstd {
      let byteCount = unsafe try pack(raw, plan)
      if !isOnly || Double(byteCount) <= Double(raw.count) * (1 - minimumSaving) {
        chunk.packedByteCount = byteCount
        unsafe chunk.hash = xxh3(stored(byteCount))
        return chunk
      }
    }
    unsafe chunk.hash = xxh3(raw)
    return chunk
  }

  /// Writes the table of plane lengths and the frames into ``output``.
  private func pack(_ raw: UnsafeRawBufferPointer, _ plan: PackingPlan) throws(KistError) -> Int {
    let width = plan.planes.count
    let source = unsafe split(raw, transform: plan.transform, width: width)
    let planeByteCount = raw.count / width
    var position = 4 * width
    for (index, codings) in plan.planes.enumerated() {
      let plane = unsafe UnsafeRawBufferPointer(rebasing: source[index * planeByteCount..<(index + 1) * planeByteCount])
      let length = unsafe try packPlane(plane, codings, at: position)
      unsafe output.storeBytes(of: UInt32(length).littleEndian, toByteOffset: 4 * index, as: UInt32.self)
      position += length
    }
    return position
  }

  /// Writes the smallest of the frames that the codings give.
  private func packPlane(
    _ plane: UnsafeRawBufferPointer, _ codings: [FrameCoding], at position: Int
  ) throws(KistError) -> Int {
    let place = unsafe UnsafeMutableRawBufferPointer(rebasing: output[position...])
    guard var best = codings.first else { return 0 }
    var length = unsafe try zstd.encode(plane, as: best, into: place)
    for coding in codings.dropFirst() {
      let other = unsafe try zstd.encode(plane, as: coding, into: trial)
      guard other < length else { continue }
      (best, length) = (coding, other)
      unsafe place.copyMemory(from: UnsafeRawBufferPointer(rebasing: trial[..<other]))
    }
    return length
  }

  private func split(_ raw: UnsafeRawBufferPointer, transform: Transform, width: Int) -> UnsafeRawBufferPointer {
    guard width > 1 else { return unsafe raw }
    let target = unsafe UnsafeMutableRawBufferPointer(rebasing: planes[..<raw.count])
    unsafe Planes.split(raw, width: width, rotating: transform == .floatPlanes, into: target)
    return UnsafeRawBufferPointer(target)
  }

  /// Gives the planes of a sample.
  package func withSplit<Result>(
    _ sample: [UInt8], transform: Transform, width: Int,
    _ body: (UnsafeRawBufferPointer) throws(KistError) -> Result
  ) throws(KistError) -> Result {
    let result = unsafe sample.withUnsafeBytes { bytes in
      Swift.Result { () throws(KistError) in unsafe try body(split(bytes, transform: transform, width: width)) }
    }
    return try result.get()
  }

  /// The length of a frame, which is not kept.
  package func frameByteCount(_ bytes: UnsafeRawBufferPointer, as coding: FrameCoding) throws(KistError) -> Int {
    unsafe try zstd.encode(bytes, as: coding, into: trial)
  }
}
