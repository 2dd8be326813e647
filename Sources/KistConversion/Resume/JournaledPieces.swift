import Foundation
import KistCore
import KistFormat

/// A journal of pieces of files: of each its number and the XXH3 of its bytes. They may be written in any order.
struct JournaledPieces: Sendable {
  static let wordsPerRecord = 2

  private let journal: Journal
  private let hashes: [UInt64: UInt64]

  init(_ journal: Journal) {
    self.journal = journal
    let words = journal.records
    hashes = Dictionary(stride(from: 0, to: words.count, by: 2).map { (words[$0], words[$0 + 1]) }) { $1 }
  }

  /// Whether a piece was noted by an earlier run.
  fileprivate func knows(_ piece: UInt64) -> Bool { hashes[piece] != nil }

  /// Whether a piece is there, by its bytes.
  fileprivate func has(_ piece: UInt64, _ range: Range<Int>, of file: DescriptorOutput) -> Bool {
    guard let hash = hashes[piece], let bytes = file.bytes(range), xxh3(bytes) == hash else { return false }
    journal.noteReused(range.count)
    return true
  }

  /// Notes that a piece is there.
  fileprivate func add(_ piece: UInt64, hash: UInt64) throws(KistError) { try journal.add([piece, hash]) }
}

/// The pieces of one file of an unfinished target.
struct JournaledFile: Sendable {
  let pieces: JournaledPieces
  /// Which of the target's files it is.
  let number: Int
  let file: DescriptorOutput

  private func key(_ piece: Int) -> UInt64 { UInt64(number) << 40 | UInt64(piece) }

  func knows(_ piece: Int) -> Bool { pieces.knows(key(piece)) }

  func has(_ piece: Int, _ range: Range<Int>) -> Bool { pieces.has(key(piece), range, of: file) }

  func add(_ piece: Int, hash: UInt64) throws(KistError) { try pieces.add(key(piece), hash: hash) }
}
