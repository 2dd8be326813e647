import KistCore

/// What a reader must know to read a file; one that does not know a bit refuses the file.
package struct IncompatibleFeatures: OptionSet, Sendable {
  package let rawValue: UInt64

  package init(rawValue: UInt64) { self.rawValue = rawValue }

  /// Content is stored as block planes.
  package static let blockPlanes = IncompatibleFeatures(rawValue: 1 << 0)

  package static let known: IncompatibleFeatures = [.blockPlanes]

  /// What the entries of a commit need.
  package init(neededBy records: [EntryRecord]) {
    self = records.contains { $0.layout.transform == .blockPlanes } ? .blockPlanes : []
  }
}

/// A commit: the state of the file from some moment on. One page, in one of two slots.
package struct CommitSlot: Sendable, Equatable {
  package var generation: UInt64
  package var incompatible: IncompatibleFeatures = []
  package var readOnlyCompatible: UInt64 = 0
  package var compatible: UInt64 = 0
  package var fileByteCount: Int
  package var rootOffset: Int
  package var rootByteCount: Int
  package var rootDigest: Digest

  package init(generation: UInt64, fileByteCount: Int, rootOffset: Int, rootByteCount: Int, rootDigest: Digest) {
    self.generation = generation
    self.fileByteCount = fileByteCount
    self.rootOffset = rootOffset
    self.rootByteCount = rootByteCount
    self.rootDigest = rootDigest
  }

  /// Where a generation is written: odd ones in slot A, even ones in slot B.
  package static func offset(ofGeneration generation: UInt64) -> Int {
    Layout.slotOffsets[generation % 2 == 1 ? 0 : 1]
  }

  package func encoded() -> [UInt8] {
    var page = ByteWriter(capacity: Layout.pageByteCount)
    page.u64(generation)
    page.u64(incompatible.rawValue)
    page.u64(readOnlyCompatible)
    page.u64(compatible)
    page.u64(fileByteCount)
    page.u64(rootOffset)
    page.u64(rootByteCount)
    page.digest(rootDigest)
    return page.sealedPage()
  }

  /// What a slot's page holds.
  package enum State: Sendable {
    case empty
    case valid(CommitSlot)
    case damaged
  }

  package static func read(_ file: RawSpan, at offset: Int) -> State {
    let page = file.extracting(offset..<offset + Layout.pageByteCount)
    if page.isZero(0..<Layout.pageByteCount) { return .empty }
    guard page.isSealedPage(at: 0), page.isZero(88..<Layout.pageHashOffset), page.u64(0) > 0 else { return .damaged }
    var slot = CommitSlot(
      generation: page.u64(0), fileByteCount: page.size(32), rootOffset: page.size(40), rootByteCount: page.size(48),
      rootDigest: page.sha256(56))
    slot.incompatible = IncompatibleFeatures(rawValue: page.u64(8))
    slot.readOnlyCompatible = page.u64(16)
    slot.compatible = page.u64(24)
    return .valid(slot)
  }

  /// The slot in force, and the name of the other one when it is damaged.
  package static func inForce(_ file: RawSpan) throws(KistError) -> (slot: CommitSlot, damaged: String?) {
    let states = Layout.slotOffsets.map { read(file, at: $0) }
    let names = ["slot A", "slot B"]
    switch (states[0], states[1]) {
    case (.valid(let a), .valid(let b)):
      guard a.generation != b.generation else {
        throw KistError(.damaged, field: "slot: generation", "both commits are generation \(a.generation)")
      }
      return (a.generation > b.generation ? a : b, nil)
    case (.valid(let slot), .empty), (.empty, .valid(let slot)): return (slot, nil)
    case (.valid(let slot), .damaged): return (slot, names[1])
    case (.damaged, .valid(let slot)): return (slot, names[0])
    case (.empty, .empty):
      throw KistError(.damaged, field: "slot", offset: Layout.slotOffsets[0], "no commit was ever written")
    default:
      throw KistError(
        .damaged, field: "slot", offset: Layout.slotOffsets[0], "no commit matches its checksum",
        advice: "fetch the file again")
    }
  }

  /// Checks what the commit says against the file itself.
  package func check(actualByteCount: Int) throws(KistError) {
    let unknown = incompatible.subtracting(.known)
    guard unknown.isEmpty else {
      throw KistError(
        .unsupported, field: "slot: incompatible features",
        "the file needs features (\(String(unknown.rawValue, radix: 2))) that this Kist does not know",
        advice: "use a newer Kist")
    }
    guard fileByteCount <= actualByteCount else {
      throw KistError(
        .damaged, field: "slot: file length", "the file has \(actualByteCount) bytes of \(fileByteCount)",
        advice: "the file was cut short; fetch it again")
    }
    guard fileByteCount >= Layout.bodyOffset else {
      throw KistError(.damaged, field: "slot: file length", "\(fileByteCount) is less than \(Layout.bodyOffset)")
    }
    guard rootByteCount <= Layout.maximumRootByteCount, rootByteCount >= Layout.rootHeaderByteCount else {
      throw KistError(.damaged, field: "root: length", "\(rootByteCount) bytes is not a length of a root")
    }
    guard rootOffset % Layout.alignment == 0, rootOffset >= Layout.bodyOffset,
      rootOffset <= fileByteCount - rootByteCount
    else {
      throw KistError(.damaged, field: "root: offset", offset: rootOffset, "the root lies outside the committed file")
    }
  }
}
