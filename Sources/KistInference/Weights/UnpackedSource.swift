import Foundation
import KistCore

/// Content that costs something to read (it is packed), kept in memory once it was read.
///
/// Pieces are unpacked as they are asked for, each by the thread that asks first.
@safe final class UnpackedSource: ByteSource, @unchecked Sendable {
  private let source: any ByteSource
  private let pieceByteCount: Int
  /// Whether ``release(_:)`` lets the content be.
  private let isKept: Bool
  private let spare: SpareRoom
  let byteCount: Int

  // A piece and its flag are guarded by one of the locks.
  private let locks = (0..<16).map { _ in NSLock() }
  private let isThere: UnsafeMutablePointer<Bool>
  private let pieceCount: Int
  private var memory: UnsafeMutableRawBufferPointer?
  private let memoryLock = NSLock()

  /// - Parameters:
  ///   - pieceByteCount: What is unpacked at a time, best a chunk of the container; at most 1 MiB.
  ///   - spare: Where memory comes from and goes to.
  init(_ source: any ByteSource, pieceByteCount: Int, isKept: Bool, spare: SpareRoom) {
    self.source = source
    self.pieceByteCount = max(1, pieceByteCount)
    self.isKept = isKept
    self.spare = spare
    byteCount = source.byteCount
    pieceCount = (source.byteCount + self.pieceByteCount - 1) / self.pieceByteCount
    unsafe isThere = .allocate(capacity: pieceCount)
    unsafe isThere.initialize(repeating: false, count: pieceCount)
  }

  deinit {
    unsafe memory?.deallocate()
    unsafe isThere.deallocate()
  }

  func withBytes(
    _ range: Range<Int>, _ body: (UnsafeRawBufferPointer) throws(KistError) -> Void
  ) throws(KistError) {
    guard !range.isEmpty else { return unsafe try body(UnsafeRawBufferPointer(start: nil, count: 0)) }
    let memory = unsafe room()
    for piece in range.lowerBound / pieceByteCount...(range.upperBound - 1) / pieceByteCount {
      unsafe try fetch(piece, into: memory)
    }
    unsafe try body(UnsafeRawBufferPointer(rebasing: memory[range]))
  }

  /// Of a source that is not kept: forgets everything, when everything is released; pieces are shared by neighbours. No reads
  /// may be going on then.
  func release(_ range: Range<Int>) {
    guard !isKept, range.count == byteCount else { return }
    memoryLock.withLock {
      if let memory = unsafe memory { unsafe spare.give(memory) }
      unsafe memory = nil
      unsafe isThere.update(repeating: false, count: pieceCount)
    }
    source.release(0..<byteCount)
  }

  private func room() -> UnsafeMutableRawBufferPointer {
    unsafe memoryLock.withLock {
      if let memory = unsafe memory { return unsafe memory }
      // What stays must not hold a room that is larger than it.
      let new = unsafe isKept ? .allocate(byteCount: byteCount, alignment: 64) : spare.take(byteCount)
      unsafe memory = unsafe new
      return unsafe new
    }
  }

  private func fetch(_ piece: Int, into memory: UnsafeMutableRawBufferPointer) throws(KistError) {
    let lock = locks[piece % locks.count]
    lock.lock()
    defer { lock.unlock() }
    guard unsafe !isThere[piece] else { return }
    let range = piece * pieceByteCount..<min((piece + 1) * pieceByteCount, byteCount)
    unsafe try source.withBytes(range) { bytes throws(KistError) in
      unsafe UnsafeMutableRawBufferPointer(rebasing: memory[range]).copyMemory(from: bytes)
    }
    source.release(range)
    unsafe isThere[piece] = true
  }
}
