import KistCore
import KistFormat
import TestSupport
import Testing

/// Numbers in blocks are packed field by field. spec/kist-format.md, "Transforms".
@Suite struct BlockPlanesTests {
  @Test(arguments: DType.all)
  func `planes are what the plain twin makes, and are merged again`(dtype: DType) {
    var random = SeededGenerator(seed: 7)
    for transform in Transform.allCases where transform != .none && isAllowed(transform, dtype) {
      let layout = PlaneLayout(transform, dtype)
      #expect(layout.planeCount <= Layout.maximumPlaneCount)
      #expect(layout.planeCount == layout.planeWidths.count)
      #expect(layout.unitByteCount == layout.planeWidths.reduce(0, +))
      for count in [0, 1, 2, 3, 31, 64, 257] {
        let raw = random.bytes(count * layout.unitByteCount)
        // A byte more, which stays as it is.
        var planes = [UInt8](repeating: 77, count: raw.count + 1)
        var merged = planes
        unsafe planes.withUnsafeMutableBytes { planes in
          unsafe raw.withUnsafeBytes {
            unsafe Planes.split($0, layout, into: UnsafeMutableRawBufferPointer(rebasing: planes.dropLast()))
          }
        }
        unsafe merged.withUnsafeMutableBytes { merged in
          unsafe planes.withUnsafeBytes {
            unsafe Planes.merge(
              UnsafeRawBufferPointer(rebasing: $0.dropLast()), layout,
              into: UnsafeMutableRawBufferPointer(rebasing: merged.dropLast()))
          }
        }
        #expect(planes == Planes.plainSplit(raw, layout) + [77], "\(transform), \(count) units")
        #expect(merged == raw + [77], "\(transform), \(count) units")
      }
    }
  }

  private func isAllowed(_ transform: Transform, _ dtype: DType) -> Bool {
    switch transform {
    case .none: true
    case .planes: dtype.componentByteCount > 1
    case .floatPlanes: dtype.hasFloatPlanes
    case .blockPlanes: dtype.isBlockType
    }
  }

  @Test func `numbers of a field stand most significant byte first`() {
    let scaled = PlaneLayout(.blockPlanes, .q4_k)
    #expect(scaled.planeWidths == [1, 1, 1, 1, 4, 4, 4, 128])
    let wide = PlaneLayout(.blockPlanes, .iq2_xxs)
    #expect(wide.planeWidths == [1, 1] + [Int](repeating: 8, count: 8))
    let block = (0..<66).map { UInt8($0) }
    let planes = Planes.plainSplit(block, wide)
    #expect(planes.prefix(2) == [1, 0])
    #expect(planes.dropFirst(2).prefix(8) == [9, 17, 25, 33, 41, 49, 57, 65])
    #expect(planes.suffix(8) == [2, 10, 18, 26, 34, 42, 50, 58])
  }

  @Test(arguments: DType.blockTypes)
  func `blocks come back, from several chunks and by rows`(dtype: DType) throws {
    let folder = try TemporaryFolder()
    let rowByteCount = 512 / dtype.unitElementCount * dtype.unitByteCount
    let rowCount = 1_300_000 / rowByteCount
    let entry = blocks(of: dtype, rowCount: rowCount)
    let whole = try content(of: entry)
    var digests: Set<Digest> = []
    for packing in [Packing.auto, .none] {
      let file = try writeSample(folder.file("\(packing).kist"), packing: packing, entries: [entry])
      let tensor = try file.tensor("w")
      #expect(tensor.transform == (packing == .none ? .none : .blockPlanes))
      #expect(try file.bytes(of: tensor) == whole)
      for rows in [0..<1, rowCount / 2..<rowCount * 9 / 10, rowCount - 1..<rowCount] {
        let expected = whole[rows.lowerBound * rowByteCount..<rows.upperBound * rowByteCount]
        #expect(try file.bytes(of: tensor, rows: rows) == Array(expected), "\(rows)")
      }
      #expect(try file.verify(.full).problems == [])
      digests.insert(tensor.digest)
    }
    #expect(digests.count == 1)
  }

  @Test func `blocks of which too little would be saved stay raw`() throws {
    let folder = try TemporaryFolder()
    var random = SeededGenerator(seed: 5)
    let noise = MemorySource(random.bytes(60_000 * 34))
    let entry = NewEntry.tensor("w", dtype: .q8_0, shape: [60_000, 32], source: noise)
    let file = try writeSample(folder.file("a.kist"), entries: [entry])
    #expect(try file.tensor("w").codec == .raw)
    #expect(file.slot.incompatible == [])
  }

  @Test func `the commit says that there are block planes, as long as there are`() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("a.kist")
    let other = NewEntry.tensor("other", dtype: .u8, shape: [3], source: MemorySource([1, 2, 3]))
    let written = try writeSample(path, entries: [blocks(of: .q4_k, rowCount: 100), other])
    #expect(written.slot.incompatible == [.blockPlanes])

    try remove("other", path)
    #expect(try KistFile(path: path).slot.incompatible == [.blockPlanes])
    _ = try KistFile.compact(path: path)
    let compacted = try KistFile(path: path)
    #expect(compacted.slot.incompatible == [.blockPlanes])
    #expect(try compacted.bytes(of: compacted.tensor("w")) == written.bytes(of: written.tensor("w")))

    try remove("w", path)
    #expect(try KistFile(path: path).slot.incompatible == [])
  }

  private func remove(_ tensor: String, _ path: String) throws {
    let editor = try KistEditor(path: path)
    try editor.remove(tensor, kind: .tensor)
    _ = try editor.commit()
  }

  @Test func `a file that needs more than this version knows is refused, with advice`() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("a.kist")
    var slot = try writeSample(path, entries: [blocks(of: .q4_0, rowCount: 1000)]).slot
    slot.incompatible.insert(IncompatibleFeatures(rawValue: 1 << 7))
    var bytes = try readFile(path)
    bytes.replaceSubrange(4096..<8192, with: slot.encoded())
    try writeFile(bytes, path)
    #expect {
      try KistFile(path: path)
    } throws: {
      ($0 as? KistError)?.kind == .unsupported && "\($0)".contains("10000000") && "\($0)".contains("newer Kist")
    }
  }

  @Test func `equal blocks of types with equal fields are stored once, of others not`() throws {
    let folder = try TemporaryFolder()
    let source = try MemorySource(content(of: blocks(of: .q8_0, rowCount: 18 * 100)))  // whole blocks of 18, too
    let rows = source.byteCount
    let entries: [NewEntry] = [
      .tensor("a", dtype: .q4_0, shape: [rows / 18, 32], source: source),
      .tensor("b", dtype: .iq4_nl, shape: [rows / 18, 32], source: source),
      .tensor("c", dtype: .q8_0, shape: [rows / 34, 32], source: source),
    ]
    let file = try writeSample(folder.file("a.kist"), entries: entries)
    let offsets = try ["a", "b", "c"].map { try file.chunk(0, of: file.tensor($0)).offset }
    #expect(offsets[0] == offsets[1] && offsets[0] != offsets[2])
    #expect(file.tensors.allSatisfy { $0.transform == .blockPlanes })
    #expect(try file.verify(.full).problems == [])
  }

  /// Blocks of bytes below 128, which an order-0 code makes an eighth smaller.
  private func blocks(of dtype: DType, rowCount: Int) -> NewEntry {
    var random = SeededGenerator(seed: UInt64(dtype.code))
    let blocksPerRow = 512 / dtype.unitElementCount
    let bytes = random.bytes(rowCount * blocksPerRow * dtype.unitByteCount).map { $0 & 127 }
    return .tensor("w", dtype: dtype, shape: [rowCount, 512], source: MemorySource(bytes))
  }
}
