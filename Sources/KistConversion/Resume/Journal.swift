import Foundation
import KistCore
import Synchronization

/// What a large conversion has written of its target, noted as it goes.
///
/// The file: `kistpart`, the conversion's fingerprint, and records of a fixed number of words, all u64, little-endian. A record is
/// appended after what it speaks of was written; whether that is there all the same, a continued conversion checks.
final class Journal: Sendable {
  private static let magic = UInt64(littleEndian: 0x7472_6170_7473_696B)
  private static let headerByteCount = 16

  let path: String
  /// Whether it was there already, of the same conversion.
  let isContinued: Bool
  /// Whether it was there already, of another one.
  let isOfAnother: Bool
  /// The whole records that were there, one after the other.
  let records: [UInt64]
  private let recordByteCount: Int
  private let descriptor: Int32
  private let foundByteCount = Atomic<Int>(0)

  /// Bytes of content that need not be written again.
  var reusedByteCount: Int { foundByteCount.load(ordering: .relaxed) }

  /// - Throws: `conflict` when another process is writing it.
  init(path: String, fingerprint: UInt64, wordsPerRecord: Int) throws(KistError) {
    self.path = path
    recordByteCount = 8 * wordsPerRecord
    descriptor = unsafe open(path, O_CREAT | O_RDWR | O_APPEND | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw .fromErrno(file: path) }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      close(descriptor)
      throw KistError(.conflict, file: path, "is being written by another process")
    }
    let words = Journal.words(of: descriptor, count: Int(lseek(descriptor, 0, SEEK_END)) / 8)
    isContinued = words.count >= 2 && words[0] == Journal.magic && words[1] == fingerprint
    isOfAnother = !words.isEmpty && !isContinued
    records = isContinued ? Array(words[2..<2 + (words.count - 2) / wordsPerRecord * wordsPerRecord]) : []
    if isContinued {
      // A record that was cut short would shift those that follow.
      try keep(records: records.count / wordsPerRecord)
    } else {
      guard ftruncate(descriptor, 0) == 0 else { throw .fromErrno(file: path) }
      try write([Journal.magic, fingerprint])
    }
  }

  deinit { close(descriptor) }

  /// Whole words of a file; none where it can't be read.
  private static func words(of descriptor: Int32, count: Int) -> [UInt64] {
    guard count > 0 else { return [] }
    var words = [UInt64](repeating: 0, count: count)
    let read = unsafe words.withUnsafeMutableBytes { unsafe pread(descriptor, $0.baseAddress, $0.count, 0) }
    return read == count * 8 ? words.map { UInt64(littleEndian: $0) } : []
  }

  private func write(_ words: [UInt64]) throws(KistError) {
    let words = words.map(\.littleEndian)
    let written = unsafe words.withUnsafeBytes { unsafe Foundation.write(descriptor, $0.baseAddress, $0.count) }
    guard written == 8 * words.count else { throw .fromErrno(file: path) }
  }

  /// Appends a record.
  func add(_ record: [UInt64]) throws(KistError) {
    precondition(8 * record.count == recordByteCount, "all records are of one size")
    try write(record)
  }

  /// Takes away all records but the first.
  func keep(records count: Int) throws(KistError) {
    guard ftruncate(descriptor, off_t(Journal.headerByteCount + count * recordByteCount)) == 0 else {
      throw .fromErrno(file: path)
    }
  }

  /// Counts content that need not be written again.
  func noteReused(_ byteCount: Int) { foundByteCount.add(byteCount, ordering: .relaxed) }
}
