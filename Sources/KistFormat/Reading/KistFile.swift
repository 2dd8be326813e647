import Foundation
import KistCore
import Synchronization

/// An open container.
///
/// Opening maps the file and checks its index; no content is read. Raw entries are given out as spans of the mapped file,
/// packed ones are decoded chunk by chunk into the caller's buffer. Any number of threads may read at once, and edits
/// that others commit meanwhile do not show.
///
/// ```swift
/// let file = try KistFile(path: "model.kist")
/// for tensor in file.tensors { print(tensor.name, tensor.shape) }
/// let embedding = try file.tensor("model.embed_tokens.weight")
/// let firstRows = try file.bytes(of: embedding, rows: 0..<2)
/// ```
public final class KistFile: Sendable {
  /// The path as it was given.
  public let path: String
  package let mapped: MappedFile
  package let index: EntryIndex
  package let slot: CommitSlot
  /// The other commit slot when its page is damaged: an interrupted commit, or damage.
  package let damagedSlot: String?

  private static let nearRootByteCount = 96 << 10

  let decoders = ResourcePool { () throws(KistError) in try ChunkDecoder() }
  /// Chunks blocks whose checksums were found right.
  let checkedBlocks: Mutex<Set<Int>> = Mutex([])

  /// Opens a container.
  ///
  /// - Throws: `missing` or `system` when it can't be read, `invalid` when it is something else, `unsupported` when a newer Kist wrote it,
  ///   `damaged` when its index contradicts itself.
  /// - Complexity: about 60 ns an entry.
  public convenience init(path: String) throws(KistError) {
    try self.init(try MappedFile(path: path))
  }

  package init(_ mapped: MappedFile) throws(KistError) {
    path = mapped.path
    self.mapped = mapped
    do throws(KistError) {
      try mapped.fetch(0..<Layout.bodyOffset)
      let bytes = mapped.bytesAtHand
      try Head.check(bytes)
      let (slot, damaged) = try CommitSlot.inForce(bytes)
      try slot.check(actualByteCount: mapped.count)
      guard bytes.isZero(12288..<Layout.bodyOffset) else {
        throw KistError(.damaged, field: "reserved", offset: 12288, "reserved bytes before the body are not zero")
      }
      // The index stands before the root, and what is looked at first before the index.
      try mapped.fetch(max(slot.rootOffset - KistFile.nearRootByteCount, 0)..<slot.fileByteCount)
      let root = try Root(bytes, slot: slot)
      index = try EntryIndex(mapped, root: root, slot: slot)
      (self.slot, damagedSlot) = (slot, damaged)
    } catch {
      throw error.inFile(mapped.path)
    }
  }

  /// Length of the committed file.
  public var byteCount: Int { slot.fileByteCount }
  /// The number of the commit in force, from 1.
  public var generation: UInt64 { slot.generation }
  /// Which file of a set this is; nil when it is none.
  public var place: SetPlace? { index.root.place }
  /// Covers every tensor's name, dtype, shape and values.
  public var weightsDigest: Digest { index.root.weightsDigest }
  /// Covers every entry but signatures.
  public var packageDigest: Digest { index.root.packageDigest }
}

// MARK: - Looking up

extension KistFile {
  /// All entries, sorted by the bytes of their names.
  public var entries: some RandomAccessCollection<Entry> { (0..<index.count).lazy.map { self.entry(at: $0) } }

  /// The tensors, in the order of their source.
  ///
  /// - Complexity: O(*n* log *n*)
  public var tensors: [Entry] { entries(of: .tensor) }

  /// The source files kept verbatim, in the order of their source.
  public var assets: [Entry] { entries(of: .asset) }

  /// The tensor of a name.
  ///
  /// - Throws: `missing` when there is none.
  /// - Complexity: O(log *n*)
  public func tensor(_ name: String) throws(KistError) -> Entry { try entry(name, .tensor) }

  /// The asset of a path.
  ///
  /// - Throws: `missing` when there is none.
  public func asset(_ path: String) throws(KistError) -> Entry { try entry(path, .asset) }

  package func entry(at position: Int) -> Entry { Entry(id: position, index: index) }

  package func find(_ name: String, _ kind: EntryKind) -> Entry? {
    index.position(of: name, kind: kind).map(entry(at:))
  }

  package func entries(of kind: EntryKind) -> [Entry] {
    (0..<index.count).filter { index.kind(at: $0) == kind }.map(entry(at:)).sorted { $0.ordinal < $1.ordinal }
  }

  private func entry(_ name: String, _ kind: EntryKind) throws(KistError) -> Entry {
    if let entry = find(name, kind) { return entry }
    throw KistError(.missing, file: path, "has no \(kind) '\(name)'", advice: "`kist inspect` lists what it has")
  }
}
