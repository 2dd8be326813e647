import KistCore

extension KistFile {
  /// Rewrites a container without what its latest commit does not reach. Stored bytes are copied, not encoded again.
  ///
  /// - Returns: the lengths before and after.
  /// - Throws: `damaged` when a chunk does not match its checksum; the file is then as it was.
  public static func compact(
    path: String, parallelism: Parallelism = Parallelism(), progress: any ProgressObserver = NoProgress()
  ) throws(KistError) -> (before: Int, after: Int) {
    let lock = try FileLock(path: path)
    let file = try KistFile(try MappedFile(descriptor: lock.descriptor, path: path))
    let target = try NewFile(target: path)
    try target.output.write(Head.encoded(), at: 0)

    var copier = ChunkCopier(output: target.output)
    progress.begin("Compacting", total: file.byteCount)
    var records: [EntryRecord] = []
    let entries = file.entries.map { (entry: $0, record: $0.record) }.sorted { $0.record.isStored(before: $1.record) }
    for (entry, _) in entries {
      try parallelism.cancellation.check()
      records.append(try copier.copy(entry, of: file))
      progress.advance(by: entry.byteCount)
    }
    progress.end()
    let commit = Commit(entries: records, newChunks: copier.records, generation: 1, place: file.place)
    let slot = try commit.write(to: target.output, position: copier.position, syncing: false)
    try target.commit(replacing: true)
    return (file.mapped.count, slot.fileByteCount)
  }
}
