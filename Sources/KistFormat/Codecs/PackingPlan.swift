import KistCore

/// How much work goes into making content small.
public enum Packing: String, Sendable, CaseIterable {
  /// Packs what an order-0 code makes at least 3 % smaller, fast.
  case auto
  /// Keeps everything raw: mapped without copying.
  case none
  /// Tries zstd's levels on every plane and keeps the smallest.
  case max

  /// Content that saves less stays raw, where it can be mapped.
  package var minimumSaving: Double { self == .max ? 0.001 : 0.03 }
}

/// How the chunks of one entry are encoded: settled once for an entry, from a sample of its bytes.
package struct PackingPlan: Sendable, Equatable {
  package var codec: Codec
  package var layout: PlaneLayout
  /// For each plane, the codings to try; the smallest frame wins.
  package var codings: [[FrameCoding]]

  package static let raw = PackingPlan(codec: .raw, layout: PlaneLayout(.none, nil), codings: [])

  /// Bytes looked at: eight pieces, evenly spread.
  private static let samplePieceCount = 8
  private static let samplePieceByteCount = 8 << 10

  private static let searchedByteCount = 4 << 10
  /// Above this part of its length, a plane's entropy is not worth a Huffman table.
  private static let noise = 0.998

  private static let wideBlock = FrameCoding.literals(blockByteCount: 128 << 10)
  private static let narrowBlock = FrameCoding.literals(blockByteCount: 32 << 10)
  private static let fastLevel = FrameCoding.level(3)
  private static let highLevel = FrameCoding.level(19)

  /// Chooses from a sample of the content.
  package static func choose(
    for record: EntryRecord, from source: any ByteSource, packing: Packing, encoder: ChunkEncoder
  ) throws(KistError) -> PackingPlan {
    guard packing != .none, record.layout.rawByteCount > 0, record.kind != .tensor || record.dtype != nil else {
      return .raw
    }
    let layout = PlaneLayout(record.dtype.map(transform(for:)) ?? .none, record.dtype)
    let unitByteCount = layout.unitByteCount
    let sample = try takeSample(of: source, unitByteCount: unitByteCount)
    return unsafe try encoder.withSplit(sample, layout) { planes throws(KistError) in
      var codings: [[FrameCoding]] = []
      var estimate = 0.0
      var start = 0
      for width in layout.planeWidths {
        let end = start + sample.count / unitByteCount * width
        let plane = unsafe UnsafeRawBufferPointer(rebasing: planes[start..<end])
        let choice = unsafe try chooseCoding(plane, of: layout.transform, packing: packing, encoder: encoder)
        codings.append(choice.codings)
        estimate += choice.ratio * Double(width) / Double(unitByteCount)
        start = end
      }
      // What fits one chunk is simply tried; see ChunkEncoder.
      guard record.layout.chunkCount == 1 || estimate <= 1 - packing.minimumSaving else { return .raw }
      return PackingPlan(codec: .zstd, layout: layout, codings: codings)
    }
  }

  private static func transform(for dtype: DType) -> Transform {
    if dtype.isBlockType { return .blockPlanes }
    if dtype.hasFloatPlanes { return .floatPlanes }
    return dtype.componentByteCount > 1 ? .planes : .none
  }

  /// Pieces of the content from beginning to end, each of whole units.
  private static func takeSample(of source: any ByteSource, unitByteCount: Int) throws(KistError) -> [UInt8] {
    let total = source.byteCount
    var sample: [UInt8] = []
    let pieceByteCount = samplePieceByteCount / unitByteCount * unitByteCount
    let wanted = samplePieceCount * pieceByteCount
    guard total > wanted else {
      unsafe try source.withBytes(0..<total) { bytes throws(KistError) in unsafe sample.append(contentsOf: bytes) }
      return sample
    }
    sample.reserveCapacity(wanted)
    let stride = (total - pieceByteCount) / (samplePieceCount - 1) / unitByteCount * unitByteCount
    for piece in 0..<samplePieceCount {
      let start = piece * stride
      unsafe try source.withBytes(start..<start + pieceByteCount) { bytes throws(KistError) in
        unsafe sample.append(contentsOf: bytes)
      }
    }
    return sample
  }

  /// What Huffman codes and their tables take beyond the entropy of quants, as a part of their length.
  private static let huffmanLoss = 0.004
  /// libzstd keeps literals raw of which it would save less.
  private static let leastSaving = 1.0 / 64

  /// Quants save little: in most tensors fewer tables count for more, in uneven ones smaller blocks.
  private static func chooseCoding(ofFieldWith order0: Double) -> (codings: [FrameCoding], ratio: Double) {
    let ratio = order0 + huffmanLoss
    return ratio > 1 - leastSaving ? ([.stored], 1) : ([wideBlock, narrowBlock], ratio)
  }

  private static func chooseCoding(
    _ plane: UnsafeRawBufferPointer, of transform: Transform, packing: Packing, encoder: ChunkEncoder
  ) throws(KistError) -> (codings: [FrameCoding], ratio: Double) {
    let count = Double(plane.count)
    let order0 = unsafe Histogram(plane).entropyByteCount / count
    if packing == .max { return ([.stored, narrowBlock, wideBlock, fastLevel, highLevel], order0) }
    if order0 > noise { return ([.stored], 1) }

    // A short piece shows whether bytes repeat in a way that only a search finds, as in masks and tables of positions.
    let piece = unsafe UnsafeRawBufferPointer(rebasing: plane[..<min(plane.count, searchedByteCount)])
    let searched = unsafe try Double(encoder.frameByteCount(piece, as: .level(1))) / Double(piece.count)
    let pieceOrder0 = unsafe Histogram(piece).entropyByteCount / Double(piece.count)
    if searched < 0.8 * pieceOrder0 { return ([fastLevel], min(order0, searched)) }
    switch transform {
    case .none, .planes: return ([wideBlock, fastLevel], min(order0, searched))
    case .blockPlanes: return chooseCoding(ofFieldWith: order0)
    case .floatPlanes: break
    }
    // A plane that is nearly noise has some blocks that are not, when the tensor is uneven; small blocks find them.
    return ([order0 > 0.9 ? narrowBlock : wideBlock], order0)
  }
}
