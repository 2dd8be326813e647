import Foundation
import KistCore

/// A record where it lies in the mapped file.
@safe struct RawEntry {
  private nonisolated(unsafe) let record: UnsafeRawBufferPointer
  private nonisolated(unsafe) let names: UnsafeRawBufferPointer
  private nonisolated(unsafe) let dims: UnsafeRawBufferPointer

  /// - Parameter record: the entries block, in which `position` has been checked to lie.
  @inline(__always)
  init(
    record entries: UnsafeRawBufferPointer, position: Int, names: UnsafeRawBufferPointer, dims: UnsafeRawBufferPointer
  ) {
    unsafe record = UnsafeRawBufferPointer(rebasing: entries[(position * EntryRecord.byteCount)...])
    unsafe self.names = names
    unsafe self.dims = dims
  }

  /// What records are checked against.
  struct Limits {
    var chunkRecordCounts: [Int]
    var fileByteCount: Int
    var features: IncompatibleFeatures

    init(root: Root, slot: CommitSlot) {
      chunkRecordCounts = root.chunks.map(\.recordCount)
      fileByteCount = slot.fileByteCount
      features = slot.incompatible
    }
  }

  private func u8(_ at: Int) -> UInt8 { unsafe record.load(fromByteOffset: at, as: UInt8.self) }
  private func u16(_ at: Int) -> UInt16 {
    unsafe UInt16(littleEndian: record.load(fromByteOffset: at, as: UInt16.self))
  }
  private func u32(_ at: Int) -> UInt32 {
    unsafe UInt32(littleEndian: record.load(fromByteOffset: at, as: UInt32.self))
  }
  private func u64(_ at: Int) -> UInt64 {
    unsafe UInt64(littleEndian: record.load(fromByteOffset: at, as: UInt64.self))
  }
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
  var digest: Digest {
    Digest(words: unsafe record.loadUnaligned(fromByteOffset: 64, as: (UInt64, UInt64, UInt64, UInt64).self))
  }

  // Checked when the index was opened.
  var checkedKind: EntryKind { EntryKind(rawValue: kind) ?? .record }
  var checkedTransform: Transform { Transform(rawValue: transform) ?? .none }
  var checkedCodec: Codec { Codec(rawValue: codec) ?? .raw }

  var layout: ContentLayout {
    var layout = ContentLayout(
      rawByteCount: rawByteCount, rawBytesPerChunk: rawBytesPerChunk, dtype: DType(code: dtypeCode))
    layout.transform = checkedTransform
    layout.codec = checkedCodec
    layout.chunksBlock = chunksBlock
    layout.firstChunk = firstChunk
    layout.runOffset = runOffset
    return layout
  }

  var nameBytes: UnsafeRawBufferPointer {
    unsafe UnsafeRawBufferPointer(rebasing: names[nameOffset..<nameOffset + nameByteCount])
  }

  var name: String { unsafe String(decoding: nameBytes, as: UTF8.self) }

  @inline(__always)
  func dimension(_ index: Int) -> UInt64 {
    unsafe UInt64(littleEndian: dims.load(fromByteOffset: (firstDim + index) * 8, as: UInt64.self))
  }

  var shape: Shape { Shape(rank: rank) { Int(exactly: dimension($0)) ?? .max } }

  func precedes(_ next: RawEntry) -> Bool { unsafe order(to: next.nameBytes, next.checkedKind) < 0 }

  /// Below, at or above 0, as this entry sorts before, with or after a name and kind.
  func order(to name: UnsafeRawBufferPointer, _ otherKind: EntryKind) -> Int {
    let order = unsafe compareBytes(nameBytes, name)
    return order != 0 ? order : Int(kind) - Int(otherKind.rawValue)
  }

  func damage(_ field: String, _ problem: String) -> KistError {
    KistError(.damaged, field: field, problem)
  }

  func check(_ limits: Limits) throws(KistError) {
    try checkName()
    guard let kind = EntryKind(rawValue: kind) else { throw damage("kind", "kind \(kind) is not known") }
    guard u64(56) == 0 else { throw damage("reserved", "reserved bytes are not zero") }
    let dtype = DType(code: dtypeCode)
    try checkShape(kind, dtype)
    try checkCoding(kind, dtype, limits.features)
    try checkChunks(limits)
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

  private func checkShape(_ kind: EntryKind, _ dtype: DType?) throws(KistError) {
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
      guard !overflow, product < 1 << 63, dimension(index) < 1 << 63 else {
        throw damage("dims", "the product of the dimensions overflows")
      }
      elementCount = product
    }
    guard let dtype else { return }
    guard dtype.byteCount(ofElements: Int(elementCount)) == rawByteCount else {
      throw damage("raw length", "\(rawByteCount) bytes do not hold \(elementCount) elements of \(dtype)")
    }
  }

  private func checkCoding(
    _ kind: EntryKind, _ dtype: DType?, _ features: IncompatibleFeatures
  ) throws(KistError) {
    guard let transform = Transform(rawValue: transform) else {
      throw damage("transform", "transform \(self.transform) is not known")
    }
    guard let codec = Codec(rawValue: codec) else { throw damage("codec", "codec \(self.codec) is not known") }
    guard codec == .zstd || transform == .none else { throw damage("transform", "a raw entry has none") }
    switch transform {
    case .none: break
    case .planes:
      guard kind == .tensor, let dtype, dtype.componentByteCount > 1 else {
        throw damage("transform", "planes do not go with the dtype")
      }
    case .floatPlanes:
      guard let dtype, dtype.hasFloatPlanes else { throw damage("transform", "float planes do not go with the dtype") }
    case .blockPlanes:
      guard let dtype, dtype.isBlockType else { throw damage("transform", "block planes do not go with the dtype") }
      guard features.contains(.blockPlanes) else {
        throw damage("transform", "block planes, which the commit's incompatible features do not have")
      }
    }
    let unit = kind == .tensor ? dtype?.unitByteCount : 1
    let isRightSize = unit.map { rawBytesPerChunk == Layout.rawBytesPerChunk(unit: $0) }
    guard isRightSize ?? (1...Layout.maximumChunkByteCount).contains(rawBytesPerChunk) else {
      throw damage("raw bytes per chunk", "\(rawBytesPerChunk) does not go with the dtype")
    }
  }

  private func checkChunks(_ limits: Limits) throws(KistError) {
    guard rawByteCount < Int.max - Layout.maximumChunkByteCount,
      chunkCount == (rawByteCount + rawBytesPerChunk - 1) / rawBytesPerChunk
    else { throw damage("chunk count", "\(chunkCount) chunks do not hold \(rawByteCount) bytes") }
    guard rawByteCount > 0 else {
      guard codec == Codec.raw.rawValue else { throw damage("codec", "an empty entry is raw") }
      guard runOffset == 0 else { throw damage("run offset", "an empty entry has none") }
      guard chunksBlock == 0, firstChunk == 0 else { throw damage("first chunk", "an empty entry has none") }
      return
    }
    guard chunksBlock < limits.chunkRecordCounts.count else {
      throw damage("chunks block", "there is no chunks block \(chunksBlock)")
    }
    guard firstChunk + chunkCount <= limits.chunkRecordCounts[chunksBlock] else {
      throw damage("first chunk", "chunk records \(firstChunk)..<\(firstChunk + chunkCount) are not all in the block")
    }
    guard codec == Codec.raw.rawValue else {
      guard runOffset == 0 else { throw damage("run offset", "a packed entry has none") }
      return
    }
    guard rawByteCount <= limits.fileByteCount, runOffset >= Layout.bodyOffset,
      runOffset <= limits.fileByteCount - rawByteCount
    else {
      throw damage("run offset", "the run lies outside the committed file")
    }
    let kind = EntryKind(rawValue: kind) ?? .record
    let alignment = Layout.runAlignment(kind: kind, byteCount: rawByteCount)
    guard runOffset % alignment == 0 else {
      throw damage("run offset", "\(runOffset) is not a multiple of \(alignment)")
    }
  }
}

/// Whether bytes are UTF-8. ASCII, which most names are, is told eight bytes at a time.
private func isUTF8(_ bytes: UnsafeRawBufferPointer) -> Bool {
  var position = 0
  while position + 8 <= bytes.count {
    guard unsafe bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self) & 0x8080_8080_8080_8080 == 0 else {
      break
    }
    position += 8
  }
  while position < bytes.count, unsafe bytes[position] < 0x80 { position += 1 }
  guard position < bytes.count else { return true }
  return unsafe String(validating: bytes[position...].lazy.map { $0 }, as: UTF8.self) != nil
}
