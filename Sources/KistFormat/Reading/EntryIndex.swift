import KistCore

/// The index of a commit, read in place.
///
/// Everything that reading relies on is checked once, when the file is opened, except chunk records: they are checked when they are
/// used. So an index in hand has sorted unique UTF-8 names, and lengths that agree with dtypes and shapes.
@safe package final class EntryIndex: Sendable {
  private let file: MappedFile
  package let root: Root
  package let fileByteCount: Int
  package let count: Int
  private nonisolated(unsafe) let entries: UnsafeRawBufferPointer
  private nonisolated(unsafe) let names: UnsafeRawBufferPointer
  private nonisolated(unsafe) let dims: UnsafeRawBufferPointer

  /// Checks hashes of the index blocks and every entry record.
  ///
  /// - Complexity: about 50 ns an entry, and reading the blocks at memory speed.
  package init(_ file: MappedFile, root: Root, slot: CommitSlot) throws(KistError) {
    self.file = file
    self.root = root
    fileByteCount = slot.fileByteCount
    count = root.entries.recordCount
    unsafe entries = file.pointer(root.entries.range)
    unsafe names = file.pointer(root.names.range)
    unsafe dims = file.pointer(root.dims.range)
    for block in [root.entries, root.names, root.dims] { try checkHash(of: block) }
    try checkRecords(slot)
    try file.checkIntact()
  }

  private func checkHash(of block: BlockDescription) throws(KistError) {
    try file.fetch(block.range)
    file.populate(block.range)
    guard unsafe xxh3(file.pointer(block.range)) == block.hash else {
      throw KistError(
        .damaged, field: "\(block.kind.name): XXH3", offset: block.offset, "the block does not match its checksum")
    }
  }

  private func checkRecords(_ slot: CommitSlot) throws(KistError) {
    guard count > 0 else { return }
    let limits = RawEntry.Limits(root: root, slot: slot)
    var previous: RawEntry?
    for position in 0..<count {
      let entry = raw(position)
      do throws(KistError) {
        try entry.check(limits)
        if let previous, !previous.precedes(entry) {
          throw KistError(.damaged, field: "name", "names are not sorted, or '\(entry.name)' is there twice")
        }
      } catch {
        throw KistError(
          error.kind, field: "entry \(position): \(error.field ?? "")",
          offset: root.entries.offset + position * EntryRecord.byteCount, error.problem)
      }
      previous = entry
    }
  }

  /// The record at a position, where it lies.
  @inline(__always)
  func raw(_ position: Int) -> RawEntry {
    unsafe RawEntry(record: entries, position: position, names: names, dims: dims)
  }

  /// The record at a position, in entry order.
  package subscript(position: Int) -> EntryRecord {
    let raw = raw(position)
    var record = EntryRecord(
      name: raw.name, kind: raw.checkedKind, dtype: DType(code: raw.dtypeCode), shape: raw.shape, ordinal: raw.ordinal,
      rawByteCount: raw.rawByteCount)
    record.dtypeCode = raw.dtypeCode
    record.layout = raw.layout
    record.digest = raw.digest
    return record
  }

  package func kind(at position: Int) -> EntryKind { raw(position).checkedKind }

  /// The position of the entry of that name and kind.
  ///
  /// - Complexity: O(log *n*)
  package func position(of name: String, kind: EntryKind) -> Int? {
    var name = name
    return name.withUTF8 { name in
      let name = UnsafeRawBufferPointer(name)
      var low = 0
      var high = count
      while low < high {
        let middle = (low + high) / 2
        let order = unsafe raw(middle).order(to: name, kind)
        if order == 0 { return middle }
        if order < 0 { low = middle + 1 } else { high = middle }
      }
      return nil
    }
  }

  /// Chunk `index` of an entry.
  package func chunk(
    _ index: Int, of layout: ContentLayout, name: @autoclosure () -> String
  ) throws(KistError) -> ChunkRecord {
    let block = unsafe RawSpan(_unsafeBytes: file.pointer(root.chunks[layout.chunksBlock].range))
    return try ChunkRecord(block, chunk: index, of: layout, name: name(), fileByteCount: fileByteCount)
  }

  /// Checks a chunks block before its records are relied on.
  package func checkChunksBlock(_ number: Int) throws(KistError) {
    let block = root.chunks[number]
    // Small files and records stand before the first chunks block.
    try file.fetch(max(block.offset - EntryRecord.smallByteCount, 0)..<block.range.upperBound)
    try checkHash(of: block)
  }
}
