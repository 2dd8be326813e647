import Foundation
import KistCore

/// Changes a container in place: what changed is appended, with a new index, and one page puts it in force.
///
/// A crash at any moment leaves the file as it was before or after ``commit()``. Readers that have the file open go on seeing what they opened.
/// One editor at a time: a lock on the file keeps others out.
public final class KistEditor {
  private let file: KistFile
  private let output: any FileOutput
  private let lock: FileLock?
  private let options: WriterOptions
  private var records: [EntryRecord]
  private var added: [NewEntry] = []
  /// Whether something that signatures cover was taken out.
  private var removesContent = false
  private let nextOrdinal: UInt32

  /// Entries as they will be after ``commit()``, by name.
  public var names: [String] { records.map(\.name) + added.map(\.name) }

  /// Opens a container for editing and locks it.
  ///
  /// - Throws: what ``KistFile/init(path:)`` throws; `conflict` while another program edits it; `unsupported` when it has features that
  ///   this version must not edit.
  public convenience init(path: String, options: WriterOptions = WriterOptions()) throws(KistError) {
    let lock = try FileLock(path: path)
    let file = try KistFile(try MappedFile(descriptor: lock.descriptor, path: path))
    try self.init(
      file, output: DescriptorOutput(descriptor: lock.descriptor, path: path), lock: lock, options: options)
  }

  /// Edits through any output: tests simulate crashes with one.
  package init(_ file: KistFile, output: any FileOutput, lock: FileLock?, options: WriterOptions) throws(KistError) {
    guard file.slot.readOnlyCompatible == 0 else {
      throw KistError(
        .unsupported, file: file.path, field: "slot: read-only compatible features",
        "the file has features that this Kist can read but not edit", advice: "use a newer Kist")
    }
    self.file = file
    self.output = output
    self.lock = lock
    self.options = options
    records = file.entries.map(\.record)
    nextOrdinal = (records.map(\.ordinal).max() ?? 0) + 1
  }

  var packageDigest: Digest { file.packageDigest }

  /// Throws when the file is one of a set, whose content is said by all of them.
  package func requireWhole() throws(KistError) {
    guard let place = file.place else { return }
    throw KistError(
      .unsupported, file: file.path, "is one of a set of \(place.count) files, which are not changed one by one",
      advice: "`kist join` makes one file of them")
  }

  /// Puts an entry in, in the place of the one of that name and kind if there is one.
  public func put(_ entry: NewEntry) {
    added.removeAll { $0.name.utf8.elementsEqual(entry.name.utf8) && $0.kind == entry.kind }
    added.append(entry)
  }

  /// Takes an entry out.
  ///
  /// - Throws: `missing` when there is none.
  public func remove(_ name: String, kind: EntryKind) throws(KistError) {
    let count = records.count + added.count
    records.removeAll { $0.kind == kind && $0.name.utf8.elementsEqual(name.utf8) }
    added.removeAll { $0.kind == kind && $0.name.utf8.elementsEqual(name.utf8) }
    guard records.count + added.count < count else {
      throw KistError(.missing, file: file.path, "has no \(kind) '\(name)'", advice: "`kist inspect` lists what it has")
    }
    removesContent = removesContent || !name.utf8.starts(with: RecordName.signaturePrefix.utf8)
  }

  /// Replaces `kist:metadata`.
  public func put(metadata: Metadata) {
    if metadata.isEmpty {
      try? remove(RecordName.metadata, kind: .record)
    } else {
      put(.record(RecordName.metadata, metadata.encoded()))
    }
  }

  /// What an edit wrote.
  public struct Outcome: Sendable {
    /// Bytes appended to the file, and the page of the commit.
    public var writtenByteCount: Int
    /// Signatures that were dropped, because they were for the content before.
    public var droppedSignatures: [String]
    public var generation: UInt64
  }

  /// Writes what changed and puts it in force.
  ///
  /// Signatures are for the content that they were made of, so an edit of anything else drops them.
  public func commit() throws(KistError) -> Outcome {
    let start = file.slot.fileByteCount
    let appender = ChunkAppender(
      output: output, position: start, packing: options.packing, parallelism: options.parallelism,
      progress: options.progress)
    let oldBlocks = file.index.root.chunks
    var newRecords = try appender.append(added, firstOrdinal: nextOrdinal, chunksBlock: oldBlocks.count)
    keepOrdinals(&newRecords)

    var kept = records.filter { old in
      !newRecords.contains { $0.kind == old.kind && compareBytes($0.name, old.name) == 0 }
    }
    var dropped: [String] = []
    if removesContent || added.contains(where: { !$0.isSignature }) {
      dropped = kept.filter(\.isSignature).map(\.name)
      kept.removeAll(where: \.isSignature)
    }
    var commit = Commit(
      entries: kept + newRecords, chunksBlocks: oldBlocks, newChunks: appender.records,
      generation: file.slot.generation + 1, place: file.place)
    if oldBlocks.count + 1 > Layout.maximumChunksBlockCount { try merge(&commit) }
    let slot = try commit.write(to: output, position: appender.position, syncing: true)
    return Outcome(
      writtenByteCount: slot.fileByteCount - start + Layout.pageByteCount, droppedSignatures: dropped,
      generation: slot.generation)
  }

  /// An entry that replaces another keeps its place in the order of the source.
  private func keepOrdinals(_ newRecords: inout [EntryRecord]) {
    for index in newRecords.indices {
      if let old = file.find(newRecords[index].name, newRecords[index].kind) {
        newRecords[index].ordinal = UInt32(old.ordinal)
      }
    }
  }

  /// Lists the chunks of all entries in one new block, in the place of all others.
  private func merge(_ commit: inout Commit) throws(KistError) {
    var merged: [ChunkRecord] = []
    for index in commit.entries.indices where commit.entries[index].layout.rawByteCount > 0 {
      let entry = commit.entries[index]
      let layout = entry.layout
      let isNew = layout.chunksBlock == commit.chunksBlocks.count
      let first = merged.count
      for number in 0..<layout.chunkCount {
        merged.append(
          isNew
            ? commit.newChunks[layout.firstChunk + number]
            : try file.chunk(number, of: layout, name: entry.name))
      }
      commit.entries[index].layout.chunksBlock = 0
      commit.entries[index].layout.firstChunk = first
    }
    commit.chunksBlocks = []
    commit.newChunks = merged
  }
}

extension NewEntry {
  fileprivate var isSignature: Bool {
    kind == .record && name.utf8.starts(with: RecordName.signaturePrefix.utf8)
  }
}

/// An exclusive advisory lock on a file, held as long as this object.
package final class FileLock: Sendable {
  package let descriptor: Int32

  /// - Throws: `conflict` while another process holds the lock.
  package init(path: String) throws(KistError) {
    descriptor = unsafe open(path, O_RDWR | O_CLOEXEC)
    guard descriptor >= 0 else { throw .fromErrno(file: path) }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      throw KistError(.conflict, file: path, "another program is editing it", advice: "try again when it is done")
    }
    // A `compact` may have put a new file in the place of the one that was opened.
    var opened = stat()
    var current = stat()
    guard unsafe fstat(descriptor, &opened) == 0, unsafe stat(path, &current) == 0, opened.st_ino == current.st_ino
    else { throw KistError(.conflict, file: path, "another program is replacing it", advice: "try again") }
  }

  deinit { close(descriptor) }
}
