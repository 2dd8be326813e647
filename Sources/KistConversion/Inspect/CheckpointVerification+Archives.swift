import KistCheckpoints
import KistCore
import Synchronization

extension CheckpointVerification {
  /// Reads every entry of some zip archives and compares it with its CRC-32.
  mutating func checkArchives(
    _ archives: [ZipArchive], _ parallelism: Parallelism, _ progress: any ProgressObserver
  ) throws(KistError) {
    let jobs = archives.flatMap { archive in archive.entries.map { (archive: archive, entry: $0) } }
    level = "crc32"
    chunkCount = jobs.count
    storedByteCount = jobs.reduce(0) { $0 + $1.entry.range.count }
    rawByteCount = jobs.reduce(0) { $0 + $1.entry.byteCount }
    progress.begin("Checking", total: rawByteCount)
    defer { progress.end() }
    let found = Mutex<[Int: String]>([:])
    let path = path
    try parallelism.forEach(jobs.count) { index throws(KistError) in
      let (archive, entry) = jobs[index]
      do throws(KistError) {
        unsafe try entry.readContent(in: archive.file) { bytes throws(KistError) in
          try parallelism.cancellation.check()
          progress.advance(by: bytes.count)
        }
      } catch {
        guard error.kind == .damaged else { throw error }
        found.withLock { $0[index] = CheckpointVerification.words(error, path) }
      }
    }
    problems += found.withLock { $0 }.sorted { $0.key < $1.key }.map {
      Problem(kind: nil, name: nil, problem: $0.value)
    }
    notes.append("zip has CRC-32 only: it finds damage, not what was changed on purpose")
    let unchecked = jobs.count { $0.entry.crc32 == nil && $0.entry.byteCount > 0 }
    if unchecked > 0 { notes.append("\(unchecked) entries have no CRC-32: their writer was told not to compute it") }
  }
}
