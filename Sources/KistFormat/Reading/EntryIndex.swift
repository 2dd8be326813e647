import Foundation
import KistCore

/// The index of a commit, read in place.
///
/// Everything that reading relies on is checked once, when the file is opened, except chunk records: they are checked when they are
/// used. So an index in hand has sorted unique UTF-8 names, and lengths that agree with dtypes and shapes.
@safe package struct EntryIndex: Sendable {
  private let file: MappedFile
  package let root: Root
  package let fileByteCount: Int

  package var count: Int { root.entries.recordCount }

  /// Checks hashes of the index blocks and every entry record.
  ///
  /// - Complexity: about 50 ns an entry, and reading the blocks at memory speed.
  package init(_ file: MappedFile, root: Root, slot: CommitSlot) throws(KistError) {
    self.file = file
    self.root = root
    fileByteCount = slot.fileByteCount
    for block in [root.entries, root.names, root.dims] { try checkHash(of: block) }
    try checkRecords()
    try file.checkIntact()
  }

  private func checkHash(of block: BlockDescription) throws(KistError) {
    guard unsafe xxh3(file.pointer(block.range)) == block.hash else {
      throw KistError(.damaged, field: "\(block.kind.name): XXH3", offset: block.offset, "the block does not match its checksum")
    }
  }

  /// The record at a position, in entry order.
  package subscript(position: Int) -> EntryRecord {
    let raw = RawEntry(file: file, root: root, position: position)
    let dtypeCode = raw.dtypeCode
    let dtype = DType(code: dtypeCode)
    // Checked when the index was opened.
    var record = EntryRecord(
      name: raw.name, kind: EntryKind(rawValue: raw.kind) ?? .record, dtype: dtype, shape: raw.shape, ordinal: raw.ordinal,
      rawByteCount: raw.rawByteCount)
    record.dtypeCode = dtypeCode
    record.transform = Transform(rawValue: raw.transform) ?? .none
    record.codec = Codec(rawValue: raw.codec) ?? .raw
    record.rawBytesPerChunk = raw.rawBytesPerChunk
    record.chunksBlock = raw.chunksBlock
    record.firstChunk = raw.firstChunk
    record.runOffset = raw.runOffset
    record.digest = raw.digest
    return record
  }

  package func name(at position: Int) -> String { RawEntry(file: file, root: root, position: position).name }

  package func kind(at position: Int) -> EntryKind {
    EntryKind(rawValue: RawEntry(file: file, root: root, position: position).kind) ?? .record
  }

  /// The position of the entry of that name and kind.
  ///
  /// - Complexity: O(log *n*)
  package func position(of name: String, kind: EntryKind) -> Int? {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      let order = compareBytes(self.name(at: middle), name)
      if order == 0, self.kind(at: middle) == kind { return middle }
      if order < 0 || order == 0 && self.kind(at: middle).rawValue < kind.rawValue {
        low = middle + 1
      } else {
        high = middle
      }
    }
    return nil
  }

  /// Chunk `index` of an entry.
  package func chunk(_ index: Int, of entry: EntryRecord) throws(KistError) -> ChunkRecord {
    let block = root.chunks[entry.chunksBlock]
    return try ChunkRecord(
      file.bytes.extracting(block.range), at: entry.firstChunk + index, chunk: index, of: entry,
      fileByteCount: fileByteCount)
  }

  /// Checks a chunks block before its records are relied on.
  package func checkChunksBlock(_ number: Int) throws(KistError) { try checkHash(of: root.chunks[number]) }
}

// MARK: - Checking every record

extension EntryIndex {
  private func checkRecords() throws(KistError) {
    var previous: RawEntry?
    for position in 0..<count {
      let entry = RawEntry(file: file, root: root, position: position)
      try entry.check(root: root, fileByteCount: fileByteCount)
      if let previous {
        guard previous.precedes(entry) else {
          throw KistError(
            .damaged, field: "entry \(position): name", offset: entry.offset,
            "names are not sorted, or '\(entry.name)' is there twice")
        }
      }
      previous = entry
    }
  }
}

/// A record where it lies in the mapped file.
@safe private struct RawEntry {
  private nonisolated(unsafe) let record: UnsafeRawPointer
  private nonisolated(unsafe) let names: UnsafeRawBufferPointer
  private nonisolated(unsafe) let dims: UnsafeRawBufferPointer
  let offset: Int
  let position: Int

  init(file: MappedFile, root: Root, position: Int) {
    self.position = position
    offset = root.entries.offset + position * EntryRecord.byteCount
    // The entries block was checked to lie inside the file.
    unsafe record = file.pointer.baseAddress! + offset
    unsafe names = file.pointer(root.names.range)
    unsafe dims = file.pointer(root.dims.range)
  }

  private func u8(_ at: Int) -> UInt8 { unsafe record.load(fromByteOffset: at, as: UInt8.self) }
  private func u16(_ at: Int) -> UInt16 { unsafe UInt16(littleEndian: record.load(fromByteOffset: at, as: UInt16.self)) }
  private func u32(_ at: Int) -> UInt32 { unsafe UInt32(littleEndian: record.load(fromByteOffset: at, as: UInt32.self)) }
  private func u64(_ at: Int) -> UInt64 { unsafe UInt64(littleEndian: record.load(fromByteOffset: at, as: UInt64.self)) }
  private func size(_ at: Int) -> Int { Int(exactly: u64(at)) ?? .max }

  var nameOffset: Int { size(0) }
  var nameByteCount: Int { Int(u32(8)) }
  var kind: UInt8 { u8(12) }
  var transform: UInt8 { u8(13) }
  var codec: UInt8 { u8(14) }
  var rank: Int { Int(u8(15)) }
  var dtypeCode: UInt16 { u16(16) }
  var chunksBlock: Int { Int(u16(18)) }
  var ordinal: UInt32 { u32(20) }
  var firstDim: Int { Int(u32(24)) }
  var firstChunk: Int { Int(u32(28)) }
  var rawByteCount: Int { size(32) }
  var rawBytesPerChunk: Int { Int(u32(40)) }
  var chunkCount: Int { Int(u32(44)) }
  var runOffset: Int { size(48) }
  var digest: Digest { Digest(words: unsafe record.loadUnaligned(fromByteOffset: 64, as: (UInt64, UInt64, UInt64, UInt64).self)) }

  var nameBytes: UnsafeRawBufferPointer {
    unsafe UnsafeRawBufferPointer(rebasing: names[nameOffset..<nameOffset + nameByteCount])
  }

  var name: String { unsafe String(decoding: nameBytes, as: UTF8.self) }

  func dimension(_ index: Int) -> UInt64 {
    unsafe UInt64(littleEndian: dims.load(fromByteOffset: (firstDim + index) * 8, as: UInt64.self))
  }

  var shape: Shape { Shape((0..<rank).map { Int(exactly: dimension($0)) ?? .max }) }

  func precedes(_ next: RawEntry) -> Bool {
    let (a, b) = unsafe (nameBytes, next.nameBytes)
    let order = unsafe memcmp(a.baseAddress!, b.baseAddress!, min(a.count, b.count))
    if order != 0 { return order < 0 }
    return a.count != b.count ? a.count < b.count : kind < next.kind
  }

  func damage(_ field: String, _ problem: String) -> KistError {
    KistError(.damaged, field: "entry \(position): \(field)", offset: offset, problem)
  }

  func check(root: Root, fileByteCount: Int) throws(KistError) {
    try checkName()
    guard let kind = EntryKind(rawValue: kind) else { throw damage("kind", "kind \(kind) is not known") }
    guard u64(56) == 0 else { throw damage("reserved", "reserved bytes are not zero") }
    try checkShape(kind)
    try checkCoding(kind)
    try checkChunks(root, fileByteCount: fileByteCount)
  }

  private func checkName() throws(KistError) {
    guard nameByteCount > 0, nameByteCount <= Layout.maximumNameByteCount else {
      throw damage("name length", "\(nameByteCount) bytes is not a length of a name")
    }
    guard unsafe nameByteCount <= names.count, unsafe nameOffset <= names.count - nameByteCount else {
      throw damage("name offset", "the name lies outside the names block")
    }
    guard unsafe isUTF8(nameBytes) else { throw damage("name", "not valid UTF-8") }
  }

  private func checkShape(_ kind: EntryKind) throws(KistError) {
    guard kind == .tensor else {
      guard dtypeCode == 0 else { throw damage("dtype", "an asset or record has none") }
      guard rank == 0 else { throw damage("rank", "an asset or record has no dimensions") }
      guard firstDim == 0 else { throw damage("dims", "an asset or record has no dimensions") }
      return
    }
    guard dtypeCode != 0 else { throw damage("dtype", "a tensor needs one") }
    guard rank <= Shape.maximumRank else { throw damage("rank", "\(rank) is more than \(Shape.maximumRank)") }
    guard rank > 0 || firstDim == 0, unsafe firstDim + rank <= dims.count / 8 else {
      throw damage("dims", "the dimensions lie outside the dims block")
    }
    var elementCount: UInt64 = 1
    for index in 0..<rank {
      let (product, overflow) = elementCount.multipliedReportingOverflow(by: dimension(index))
      guard !overflow, product < 1 << 63 else { throw damage("dims", "the product of the dimensions overflows") }
      elementCount = product
    }
    guard let dtype = DType(code: dtypeCode) else { return }
    guard dtype.byteCount(ofElements: Int(elementCount)) == rawByteCount else {
      throw damage("raw length", "\(rawByteCount) bytes do not hold \(elementCount) elements of \(dtype)")
    }
  }

  private func checkCoding(_ kind: EntryKind) throws(KistError) {
    guard let transform = Transform(rawValue: transform), transform != .blockPlanes else {
      throw damage("transform", "transform \(self.transform) is not known")
    }
    guard let codec = Codec(rawValue: codec) else { throw damage("codec", "codec \(self.codec) is not known") }
    guard codec == .zstd || transform == .none else { throw damage("transform", "a raw entry has none") }
    let dtype = DType(code: dtypeCode)
    switch transform {
    case .none: break
    case .planes, .blockPlanes:
      guard kind == .tensor, let dtype, dtype.componentByteCount > 1 else { throw damage("transform", "planes do not go with the dtype") }
    case .floatPlanes:
      guard let dtype, dtype.hasFloatPlanes else { throw damage("transform", "float planes do not go with the dtype") }
    }
    let unit = kind == .tensor ? dtype?.unitByteCount : 1
    let isRightSize = unit.map { rawBytesPerChunk == Layout.rawBytesPerChunk(unit: $0) }
    guard isRightSize ?? (1...Layout.maximumChunkByteCount).contains(rawBytesPerChunk) else {
      throw damage("raw bytes per chunk", "\(rawBytesPerChunk) does not go with the dtype")
    }
  }

  private func checkChunks(_ root: Root, fileByteCount: Int) throws(KistError) {
    guard rawByteCount < Int.max - Layout.maximumChunkByteCount,
      chunkCount == (rawByteCount + rawBytesPerChunk - 1) / rawBytesPerChunk
    else { throw damage("chunk count", "\(chunkCount) chunks do not hold \(rawByteCount) bytes") }
    guard rawByteCount > 0 else {
      guard codec == Codec.raw.rawValue else { throw damage("codec", "an empty entry is raw") }
      guard runOffset == 0 else { throw damage("run offset", "an empty entry has none") }
      guard chunksBlock == 0, firstChunk == 0 else { throw damage("first chunk", "an empty entry has none") }
      return
    }
    guard chunksBlock < root.chunks.count else { throw damage("chunks block", "there is no chunks block \(chunksBlock)") }
    guard firstChunk + chunkCount <= root.chunks[chunksBlock].recordCount else {
      throw damage("first chunk", "chunk records \(firstChunk)..<\(firstChunk + chunkCount) are not all in the block")
    }
    guard codec == Codec.raw.rawValue else {
      guard runOffset == 0 else { throw damage("run offset", "a packed entry has none") }
      return
    }
    guard rawByteCount <= fileByteCount, runOffset >= Layout.bodyOffset, runOffset <= fileByteCount - rawByteCount else {
      throw damage("run offset", "the run lies outside the committed file")
    }
    let kind = EntryKind(rawValue: kind) ?? .record
    let alignment = Layout.runAlignment(kind: kind, byteCount: rawByteCount)
    guard runOffset % alignment == 0 else { throw damage("run offset", "\(runOffset) is not a multiple of \(alignment)") }
  }
}

/// Whether bytes are UTF-8. ASCII, which most names are, is told eight bytes at a time.
private func isUTF8(_ bytes: UnsafeRawBufferPointer) -> Bool {
  var position = 0
  while position + 8 <= bytes.count {
    guard unsafe bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self) & 0x8080_8080_8080_8080 == 0 else { break }
    position += 8
  }
  while position < bytes.count, unsafe bytes[position] < 0x80 { position += 1 }
  guard position < bytes.count else { return true }
  return unsafe String(validating: bytes[position...].lazy.map { $0 }, as: UTF8.self) != nil
}
