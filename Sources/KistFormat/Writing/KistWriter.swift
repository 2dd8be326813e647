import KistCore

/// How a container is written.
public struct WriterOptions: Sendable {
  public var packing: Packing
  public var parallelism: Parallelism
  public var progress: any ProgressObserver
  /// Whether an existing file at the target is replaced; without it, it is an error.
  public var replacesExisting: Bool

  public init(
    packing: Packing = .auto, parallelism: Parallelism = Parallelism(), progress: any ProgressObserver = NoProgress(),
    replacesExisting: Bool = false
  ) {
    self.packing = packing
    self.parallelism = parallelism
    self.progress = progress
    self.replacesExisting = replacesExisting
  }
}

/// Writes a new container. Content is streamed: memory stays at a few MiB a thread, whatever the size of the tensors.
///
/// ```swift
/// let writer = try KistWriter(creating: "model.kist")
/// let weights: [Float] = [1, 2, 3, 4, 5, 6]
/// let bytes = weights.withUnsafeBytes { [UInt8]($0) }
/// try writer.add([.tensor("w", dtype: .f32, shape: [2, 3], source: MemorySource(bytes))])
/// try writer.finish()
///
/// let file = try KistFile(path: "model.kist")
/// let entry = try file.tensor("w")
/// let row = try file.bytes(of: entry, rows: 1..<2)  // the bytes of 4, 5, 6
/// ```
///
/// The file appears under its name when ``finish()`` returns; before, and after an error, there is nothing at the target.
/// The same entries in the same order give the same file, with any number of threads.
public final class KistWriter {
  private let target: String
  private let options: WriterOptions
  private let file: NewFile
  private let appender: ChunkAppender
  private var records: [EntryRecord] = []
  private var isFinished = false
  /// Which file of a set this one is.
  package var place: SetPlace?

  /// Begins a container at a path.
  ///
  /// - Throws: `conflict` when there is a file and the options do not replace it; `system` or `missing` when the folder can't be written.
  public convenience init(creating path: String, options: WriterOptions = WriterOptions()) throws(KistError) {
    try self.init(creating: path, options: options, resuming: nil)
  }

  /// - Parameter resumption: where the file is until it is whole, and what an earlier writer of the same entries left there.
  package init(
    creating path: String, options: WriterOptions, resuming resumption: Resumption?
  ) throws(KistError) {
    if !options.replacesExisting { try requireAbsent(path) }
    target = path
    self.options = options
    var resumed = ResumedChunks()
    if let resumption {
      file = try NewFile(target: path, unfinished: resumption.path)
      resumed = try ResumedChunks(resumption.log, in: file.output, options.parallelism)
      // Nothing else of what is there counts: gaps and slots are zeros.
      try file.output.cut(at: resumed.end)
      try file.output.write([UInt8](repeating: 0, count: Layout.bodyOffset), at: 0)
    } else {
      file = try NewFile(target: path)
    }
    appender = ChunkAppender(
      output: file.output, position: Layout.bodyOffset, packing: options.packing, parallelism: options.parallelism,
      progress: options.progress, log: resumption?.log, resumed: resumed)
    try file.output.write(Head.encoded(), at: 0)
  }

  /// Packs and writes entries, in this order. May be called again.
  ///
  /// - Throws: whatever a source throws; `invalid` for a name or shape that a container can't hold.
  public func add(_ entries: [NewEntry]) throws(KistError) { try add(entries, firstOrdinal: records.count) }

  /// Packs and writes entries that have places of their own in the order of the source, of which this file holds a part.
  package func add(_ entries: [NewEntry], firstOrdinal: Int) throws(KistError) {
    records += try appender.append(entries, firstOrdinal: UInt32(firstOrdinal), chunksBlock: 0)
  }

  /// Records a key-value table as `kist:metadata`; an empty one leaves nothing.
  public func add(metadata: Metadata) throws(KistError) {
    guard !metadata.isEmpty else { return }
    try add([.record(RecordName.metadata, metadata.encoded())])
  }

  /// Adds one of Kist's own records.
  package func add(record name: String, _ bytes: [UInt8]) throws(KistError) { try add([.record(name, bytes)]) }

  /// Writes the index, syncs, and gives the file its name.
  ///
  /// - Returns: the length of the file.
  /// - Throws: `invalid` when two entries have the same name and kind.
  @discardableResult
  public func finish() throws(KistError) -> Int {
    let byteCount = try seal()
    try publish()
    return byteCount
  }

  /// Writes the index. The file is whole, and has no name yet.
  package func seal() throws(KistError) -> Int {
    precondition(!isFinished, "a KistWriter finishes once")
    isFinished = true
    try requireUnique(records)
    let commit = Commit(entries: records, newChunks: appender.records, generation: 1, place: place)
    // NewFile syncs everything once, before the file has a name.
    let slot = try commit.write(to: file.output, position: appender.position, syncing: false)
    return slot.fileByteCount
  }

  /// Syncs a sealed file and gives it its name.
  package func publish() throws(KistError) { try file.commit(replacing: options.replacesExisting) }
}

/// Throws when two entries have the same name and kind.
package func requireUnique(_ records: [EntryRecord]) throws(KistError) {
  struct Key: Hashable {
    var name: [UInt8]
    var kind: EntryKind
  }
  var seen: Set<Key> = []
  for record in records where !seen.insert(Key(name: Array(record.name.utf8), kind: record.kind)).inserted {
    throw KistError(.invalid, field: "'\(record.name)'", "there are two \(record.kind)s of that name")
  }
}
