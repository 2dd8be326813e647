import Foundation
import KistCore
import KistFormat

/// The bytes of a tensor or an asset, and their digest where it is known.
struct Content: Sendable {
  var source: any ByteSource
  var digest: Digest?
  /// Bytes of a chunk, were it in a container: digests are made of digests of chunks.
  var chunkByteCount: Int

  init(_ tensor: CheckpointTensor) {
    source = tensor.source
    digest = tensor.entry?.digest
    chunkByteCount =
      tensor.entry?.layout.rawBytesPerChunk ?? Layout.rawBytesPerChunk(unit: tensor.dtype?.unitByteCount ?? 1)
  }

  init(_ asset: CheckpointAsset) {
    source = asset.source
    digest = asset.entry?.digest
    chunkByteCount = Layout.rawBytesPerChunk(unit: 1)
  }
}

/// Tells whether contents are the same, by digests as far as there are any.
enum ContentComparison {
  /// Whether each of the pairs, which have equal lengths, has equal bytes.
  static func areEqual(
    _ pairs: [(Content, Content)], _ parallelism: Parallelism, _ progress: any ProgressObserver
  ) throws(KistError) -> [Bool] {
    // Both digests known: nothing to read.
    let unread = pairs.indices.filter { pairs[$0].0.digest == nil || pairs[$0].1.digest == nil }
    var isEqual = pairs.map { a, b in a.digest == b.digest }
    for index in unread { isEqual[index] = true }
    let tallies = unread.map { Tally(pairs[$0]) }

    progress.begin("Comparing", total: tallies.reduce(0) { $0 + $1.byteCount })
    defer { progress.end() }
    var (tally, start) = (0, 0)
    try parallelism.inOrder(
      next: { () throws(KistError) -> (tally: Int, range: Range<Int>)? in
        while tally < tallies.count, start >= tallies[tally].byteCount { (tally, start) = (tally + 1, 0) }
        guard tally < tallies.count else { return nil }
        let range = start..<min(start + tallies[tally].chunkByteCount, tallies[tally].byteCount)
        start = range.upperBound
        return (tally, range)
      },
      produce: { (job) throws(KistError) -> Piece in try tallies[job.tally].look(at: job.range) },
      consume: { (job, piece) throws(KistError) in
        tallies[job.tally].add(piece)
        tallies[job.tally].release(job.range)
        progress.advance(by: job.range.count)
      })
    for (index, tally) in zip(unread, tallies) { isEqual[index] = tally.isEqual }
    return isEqual
  }

  /// The offset of the first byte that differs; nil when there is none.
  static func firstDifference(_ a: Content, _ b: Content) throws(KistError) -> Int? {
    if let known = a.digest, known == b.digest { return nil }
    let common = min(a.source.byteCount, b.source.byteCount)
    for start in stride(from: 0, to: common, by: 1 << 20) {
      let range = start..<min(start + 1 << 20, common)
      var place: Int?
      unsafe try a.source.withBytes(range) { a throws(KistError) in
        unsafe try b.source.withBytes(range) { b throws(KistError) in
          guard unsafe !areEqual(a, b) else { return }
          place = a.indices.first { unsafe a[$0] != b[$0] }
        }
      }
      if let place { return start + place }
    }
    return a.source.byteCount == b.source.byteCount ? nil : common
  }

  private static func areEqual(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Bool {
    guard a.count == b.count, let start = a.baseAddress, let other = b.baseAddress else { return a.count == b.count }
    return unsafe memcmp(start, other, a.count) == 0
  }

  /// What one look at a range of a pair tells.
  private enum Piece: Sendable {
    case areSame(Bool)
    case leaf(Digest)
  }

  /// Two contents of which at most one has a digest. Only the thread that consumes changes it.
  private final class Tally: @unchecked Sendable {
    private let unknown: Content
    private let other: Content
    private var leaves: [Digest] = []
    private var areSame = true

    init(_ pair: (Content, Content)) { (unknown, other) = pair.0.digest == nil ? pair : (pair.1, pair.0) }

    var byteCount: Int { unknown.source.byteCount }
    var chunkByteCount: Int { other.chunkByteCount }

    func look(at range: Range<Int>) throws(KistError) -> Piece {
      var piece: Piece?
      unsafe try unknown.source.withBytes(range) { bytes throws(KistError) in
        guard other.digest == nil else {
          piece = unsafe .leaf(Digest(hashing: bytes))
          return
        }
        unsafe try other.source.withBytes(range) { others throws(KistError) in
          piece = unsafe .areSame(areEqual(bytes, others))
        }
      }
      return piece ?? .areSame(true)
    }

    func add(_ piece: Piece) {
      switch piece {
      case .areSame(let flag): areSame = areSame && flag
      case .leaf(let leaf): leaves.append(leaf)
      }
    }

    func release(_ range: Range<Int>) {
      unknown.source.release(range)
      if other.digest == nil { other.source.release(range) }
    }

    var isEqual: Bool { other.digest.map { $0 == Digest(ofLeaves: leaves) } ?? areSame }
  }
}
