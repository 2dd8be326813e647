import Foundation
import KistCore
import KistFormat

/// The target of a large conversion until it is complete: `NAME.part` beside it, and its journal `NAME.part.journal`.
///
/// When the conversion is interrupted, both stay, and the same conversion goes on from there.
struct UnfinishedTarget: Sendable {
  let path: String
  let journal: Journal

  /// - Parameters:
  ///   - target: The target's own path.
  ///   - wordsPerRecord: Of the journal.
  /// - Throws: `conflict` when something of another origin is in the way, or another process is at work.
  init(target: String, fingerprint: UInt64, wordsPerRecord: Int) throws(KistError) {
    path = target + ".part"
    let journalPath = path + ".journal"
    let manager = FileManager.default
    guard !manager.fileExists(atPath: path) || manager.fileExists(atPath: journalPath) else {
      throw KistError(
        .conflict, file: path, "is in the way: it is no conversion that was interrupted", advice: "move it away")
    }
    journal = try Journal(path: journalPath, fingerprint: fingerprint, wordsPerRecord: wordsPerRecord)
    if !journal.isContinued { try? manager.removeItem(atPath: path) }
  }

  /// What a person should know before it goes on.
  var notice: String? {
    if journal.reusedByteCount > 0 {
      return "went on from \(path): \(Quantity.bytes(journal.reusedByteCount)) were there already"
    }
    return journal.isOfAnother ? "started anew: \(path) was of another source or other options" : nil
  }

  /// Whether what is there is of use after an error.
  static func isWorthKeeping(after error: KistError) -> Bool { error.kind == .interrupted || error.kind == .system }

  /// The error, telling that the same command goes on.
  func kept(after error: KistError) -> KistError {
    var error = error
    error.advice = error.advice ?? "\(path) is kept: the same command goes on from there"
    return error
  }

  /// Takes the journal away, and what else is left.
  func remove() {
    try? FileManager.default.removeItem(atPath: path)
    try? FileManager.default.removeItem(atPath: journal.path)
  }
}

extension Conversion {
  /// Whether so many bytes are not quickly written again.
  func isWorthResuming(_ byteCount: Int) -> Bool { byteCount >= options.leastResumedByteCount }

  /// - Parameter path: The target's own.
  func unfinishedTarget(_ layouts: [WeightLayout], _ path: String) throws(KistError) -> UnfinishedTarget {
    try UnfinishedTarget(
      target: path, fingerprint: fingerprint(of: layouts), wordsPerRecord: JournaledPieces.wordsPerRecord)
  }

  /// The same of a container, or one of a set.
  ///
  /// - Parameter entries: all that it will hold, in order, as far as it follows from the source.
  func unfinishedContainer(_ path: String, _ entries: [NewEntry]) throws(KistError) -> UnfinishedTarget? {
    // Packing takes longer, and its chunks are hashed in any case.
    guard isWorthResuming(4 * writtenTensors.reduce(0) { $0 + $1.byteCount }) else { return nil }
    return try UnfinishedTarget(
      target: path, fingerprint: fingerprint(of: entries, path), wordsPerRecord: JournaledChunks.wordsPerRecord)
  }

  /// Writes with journals; after an error, keeps what is of use.
  func keeping<Result>(
    _ unfinished: [UnfinishedTarget?], _ body: () throws(KistError) -> Result
  ) throws(KistError) -> Result {
    do throws(KistError) { return try body() } catch {
      let unfinished = unfinished.compactMap { $0 }
      guard let first = unfinished.first else { throw error }
      guard UnfinishedTarget.isWorthKeeping(after: error) else {
        for target in unfinished { target.remove() }
        throw error
      }
      throw first.kept(after: error)
    }
  }

  private func fingerprint(of entries: [NewEntry], _ path: String) -> UInt64 {
    var lines = fingerprintLines + [path, ZstdVersion.name] + options.inManifest.map { "\($0.name) \($0.value)" }
    for entry in entries {
      lines.append("\(entry.name) \(entry.kind) \(entry.dtype?.name ?? "") \(entry.shape) \(entry.source.byteCount)")
    }
    return xxh3(Array(lines.joined(separator: "\n").utf8))
  }

  private var fingerprintLines: [String] {
    [KistVersion.name, options.type.name, targetFormat.rawValue] + sourceFiles
  }

  /// Tells this conversion from others: by the source's files and their times, and by what goes where in the target.
  private func fingerprint(of layouts: [WeightLayout]) -> UInt64 {
    var lines = fingerprintLines
    for layout in layouts {
      lines.append("\(layout.path) \(layout.byteCount) \(xxh3(layout.header))")
      for piece in layout.pieces {
        let dtype = piece.tensor.dtype?.name ?? "unknown"
        lines.append("\(piece.tensor.name) \(dtype) \(piece.offset) \(piece.tensor.byteCount)")
      }
    }
    return xxh3(Array(lines.joined(separator: "\n").utf8))
  }

  /// Paths, lengths and times.
  private var sourceFiles: [String] {
    let root = URL(fileURLWithPath: source.path).standardizedFileURL.path
    let files = [root] + (FileManager.default.subpaths(atPath: root) ?? []).sorted().map { root + "/" + $0 }
    return files.map { path in
      var status = stat()
      guard unsafe stat(path, &status) == 0 else { return path }
      return "\(path) \(status.st_size) \(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec)"
    }
  }
}
