import Foundation
import KistCore
import KistFormat
import Synchronization

/// What a large conversion has written of its target: pieces of its files, each with the XXH3 of its bytes.
///
/// The file: `kistpart`, the conversion's fingerprint, and for each piece its number and its hash, all u64, little-endian. Records are
/// appended after the piece was written; whether its bytes are there all the same, a continued conversion checks.
final class Journal: Sendable {
  private static let magic = UInt64(littleEndian: 0x7472_6170_7473_696B)
  private static let recordByteCount = 16

  let path: String
  /// Whether it was there already, of the same conversion.
  let isContinued: Bool
  /// Whether it was there already, of another one.
  let isOfAnother: Bool
  private let descriptor: Int32
  private let hashes: [UInt64: UInt64]
  private let foundByteCount = Atomic<Int>(0)

  /// Bytes of pieces that need not be written again.
  var reusedByteCount: Int { foundByteCount.load(ordering: .relaxed) }

  /// - Throws: `conflict` when another process is writing it.
  init(path: String, fingerprint: UInt64) throws(KistError) {
    self.path = path
    descriptor = unsafe open(path, O_CREAT | O_RDWR | O_APPEND | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw .fromErrno(file: path) }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      close(descriptor)
      throw KistError(.conflict, file: path, "is being written by another process")
    }
    let byteCount = Int(lseek(descriptor, 0, SEEK_END))
    let words = Journal.words(of: descriptor, count: byteCount / 8)
    isContinued = words.count >= 2 && words[0] == Journal.magic && words[1] == fingerprint
    isOfAnother = !words.isEmpty && !isContinued
    var hashes: [UInt64: UInt64] = [:]
    if isContinued {
      for index in stride(from: 2, to: words.count - 1, by: 2) { hashes[words[index]] = words[index + 1] }
    }
    self.hashes = hashes
    // A record that was cut short would shift those that follow.
    let whole = isContinued ? (1 + hashes.count) * Journal.recordByteCount : 0
    guard isContinued, byteCount == whole else {
      guard ftruncate(descriptor, 0) == 0 else { throw .fromErrno(file: path) }
      try append(Journal.magic, fingerprint)
      for (piece, hash) in hashes { try append(piece, hash) }
      return
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

  private func append(_ first: UInt64, _ second: UInt64) throws(KistError) {
    let words = [first.littleEndian, second.littleEndian]
    let written = unsafe words.withUnsafeBytes { unsafe write(descriptor, $0.baseAddress, $0.count) }
    guard written == Journal.recordByteCount else { throw .fromErrno(file: path) }
  }

  /// Notes that a piece is there.
  func add(_ piece: UInt64, hash: UInt64) throws(KistError) { try append(piece, hash) }

  /// Whether a piece was noted by an earlier run.
  func knows(_ piece: UInt64) -> Bool { hashes[piece] != nil }

  /// Whether a piece is there, by its bytes.
  func has(_ piece: UInt64, _ range: Range<Int>, of file: Int32) -> Bool {
    guard let hash = hashes[piece] else { return false }
    var bytes = [UInt8](repeating: 0, count: range.count)
    let read = unsafe bytes.withUnsafeMutableBytes {
      unsafe pread(file, $0.baseAddress, $0.count, off_t(range.lowerBound))
    }
    guard read == range.count, xxh3(bytes) == hash else { return false }
    foundByteCount.add(range.count, ordering: .relaxed)
    return true
  }
}

/// The pieces of one file of an unfinished target.
struct JournaledFile: Sendable {
  let journal: Journal
  /// Which of the target's files it is.
  let number: Int
  let descriptor: Int32

  private func key(_ piece: Int) -> UInt64 { UInt64(number) << 40 | UInt64(piece) }

  func knows(_ piece: Int) -> Bool { journal.knows(key(piece)) }

  func has(_ piece: Int, _ range: Range<Int>) -> Bool { journal.has(key(piece), range, of: descriptor) }

  func add(_ piece: Int, hash: UInt64) throws(KistError) { try journal.add(key(piece), hash: hash) }
}
