import KistCore
import KistFormat

/// Makes one container of the parts that several machines made, or of a set's shards. Stored bytes are copied: the result is the file that one
/// machine would have written.
public struct SetJoin: Sendable {
  public let paths: [String]
  public let target: String
  private let files: [KistFile]
  /// What all have in common.
  let manifest: SetManifest

  /// What a join did.
  public struct Outcome: Sendable {
    public var byteCount: Int
    public var tensorCount: Int
    public var notices: [String] = []
  }

  /// Opens files in any order and checks that they are all of one set.
  ///
  /// - Throws: `invalid` naming what differs, is missing or is there twice.
  public init(paths: [String], target: String, replacesExisting: Bool = false) throws(KistError) {
    if !replacesExisting { try requireAbsent(target) }
    self.paths = paths
    self.target = target
    files = try SetJoin.complete(paths.map { path throws(KistError) in try KistFile(path: path) })
    manifest = try SetJoin.manifest(of: files[0])
  }

  private static func manifest(of file: KistFile) throws(KistError) -> SetManifest {
    if let manifest = try SetManifest(of: file) { return manifest }
    throw KistError(
      .invalid, file: file.path, "is a whole file, not a part of one", advice: "`kist convert --part` makes parts")
  }

  /// - Returns: the files in the order of their numbers.
  static func complete(_ files: [KistFile]) throws(KistError) -> [KistFile] {
    guard let first = files.first else { throw KistError(.invalid, "there are no parts to join") }
    let expected = try manifest(of: first)
    var byNumber: [Int: KistFile] = [:]
    for file in files {
      if let difference = try manifest(of: file).difference(from: expected) {
        throw KistError(.invalid, file: file.path, "does not go with \(first.path): it \(difference)")
      }
      let number = file.place?.number ?? 0
      if let other = byNumber.updateValue(file, forKey: number) {
        throw KistError(
          .invalid, file: file.path, "is part \(number) of \(expected.count), and so is \(other.path)",
          advice: "give one of them")
      }
    }
    let missing = (1...expected.count).filter { byNumber[$0] == nil }
    guard missing.isEmpty else {
      let names = missing.prefix(8).map(String.init).joined(separator: ", ") + (missing.count > 8 ? ", …" : "")
      throw KistError(
        .missing, file: first.path,
        "is one of \(expected.count), and \(missing.count == 1 ? "part" : "parts") \(names) \(missing.count == 1 ? "is" : "are") not there"
      )
    }
    return byNumber.sorted { $0.key < $1.key }.map(\.value)
  }

  /// Copies the content of all parts into the target.
  ///
  /// - Throws: `damaged` when a chunk does not match its checksum; there is then no target.
  public func run(
    replacesExisting: Bool = false, parallelism: Parallelism = Parallelism(),
    progress: any ProgressObserver = NoProgress()
  ) throws(KistError) -> Outcome {
    let output = try NewFile(target: target)
    try output.output.write(Head.encoded(), at: 0)
    progress.begin("Joining", total: files.reduce(0) { $0 + $1.byteCount })
    defer { progress.end() }

    var copier = ChunkCopier(output: output.output)
    var records: [EntryRecord] = []
    for (file, entry) in SetJoin.entries(of: files) {
      try parallelism.cancellation.check()
      let start = copier.position
      var record = try copier.copy(entry, of: file)
      if record.kind == .record { record.name = RecordName.released(record.name) }
      records.append(record)
      progress.advance(by: copier.position - start)
    }
    try requireUnique(records)
    let commit = Commit(entries: records, newChunks: copier.records, generation: 1)
    let slot = try commit.write(to: output.output, position: copier.position, syncing: false)
    try output.commit(replacing: replacesExisting)
    var byteCount = slot.fileByteCount
    // Probes are a commit of their own, as when one run writes them.
    if let probes = try files[0].recordBytes(RecordName.probes) {
      byteCount += try ProbeSet.record(probes, into: target, parallelism)
    }
    return Outcome(byteCount: byteCount, tensorCount: records.count { $0.kind == .tensor })
  }

  /// Everything that belongs to the whole, in the order in which it is stored.
  private static func entries(of files: [KistFile]) -> [(file: KistFile, entry: Entry)] {
    let all = files.flatMap { file in file.entries.map { (file: file, entry: $0, record: $0.record) } }
    let own = all.filter {
      $0.record.kind != .record || ![RecordName.manifest, RecordName.probes].contains($0.record.name)
    }
    return own.sorted { $0.record.isStored(before: $1.record) }.map { ($0.file, $0.entry) }
  }
}
