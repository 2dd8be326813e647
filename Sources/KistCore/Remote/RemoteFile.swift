import Foundation

/// A file on a server, of which only what is read comes over: a local sparse file fills, block by block.
///
/// What will be read soon is fetched ahead, by a few requests at a time. What could not be fetched reads as zeros, and the failure is
/// kept: ``MappedFile/checkIntact()`` throws it.
final class RemoteFile: @unchecked Sendable {
  private let http: HTTPFile
  private let local: UnnamedFile

  // All below is guarded by `condition`.
  private let condition = NSCondition()
  private var blocks: RemoteBlocks
  private var fetcherCount = 0
  private var isClosed = false
  private var firstFailure: KistError?

  /// A file of a format that is not read by ranges is fetched whole, up to this length.
  private static let maximumWholeByteCount = 256 << 20
  /// Requests that fetch ahead at the same time, each on a connection of its own.
  private static let mostFetchers = HTTPFile.connectionCount

  var byteCount: Int { http.byteCount }
  var descriptor: Int32 { local.output.descriptor }
  var failure: KistError? { condition.withLock { firstFailure } }

  /// Whether a path is an address on the web.
  static func isAddress(_ path: String) -> Bool {
    let path = path.prefix(8).lowercased()
    return path.hasPrefix("https://") || path.hasPrefix("http://")
  }

  /// Asks for the beginning of a file, and learns its length.
  ///
  /// - Throws: `missing` when the server has no such file; `unsupported` when it has no range requests; `system` when it can't be reached.
  init(address: String) throws(KistError) {
    let local = try UnnamedFile()
    http = try HTTPFile(address: address, start: 0..<RemoteBlocks.byteCount) { bytes, offset throws(KistError) in
      try local.output.write(bytes, at: offset)
    }
    guard ftruncate(local.output.descriptor, off_t(http.byteCount)) == 0 else {
      throw KistError(
        .system, file: address, "the server says that it has \(http.byteCount) bytes, more than a file can have here")
    }
    self.local = local
    blocks = RemoteBlocks(here: [0])
  }

  /// Stops what is under way. Called once, when nobody reads any more.
  func close() {
    condition.lock()
    defer { condition.unlock() }
    isClosed = true
    blocks.wantNothing()
    http.close()
    while fetcherCount > 0 { condition.wait() }
  }

  /// Fetches what is missing of a range, and waits for what is on its way.
  func fill(_ range: Range<Int>) {
    let wanted = RemoteBlocks.blocks(of: range)
    condition.lock()
    defer { condition.unlock() }
    if wanted.count > RemoteBlocks.mostPerRequest { want(wanted) }
    while firstFailure == nil, let missing = blocks.firstMissing(of: wanted) {
      if let claimed = blocks.claim(from: missing, upTo: wanted.upperBound) {
        fetchUnlocked(claimed)
      } else {
        condition.wait()
      }
    }
  }

  /// Fetches a range beside other work: it will be read soon.
  func prefetch(_ range: Range<Int>) {
    condition.withLock { want(RemoteBlocks.blocks(of: range)) }
  }

  func fillAll() {
    guard byteCount <= RemoteFile.maximumWholeByteCount else {
      let failure = KistError(
        .unsupported, file: http.address, "is of a format that can't be read in parts from a server",
        advice: "download it first")
      return condition.withLock { firstFailure = firstFailure ?? failure }
    }
    fill(0..<byteCount)
  }

  private func want(_ wanted: Range<Int>) {
    guard firstFailure == nil, !isClosed, blocks.firstMissing(of: wanted) != nil else { return }
    blocks.want(wanted)
    while fetcherCount < RemoteFile.mostFetchers, let claimed = blocks.claimNext() {
      fetcherCount += 1
      Thread.detachNewThread { self.work(on: claimed) }
    }
  }

  /// Fetches until nothing is wanted. A thread of its own: it waits most of the time.
  private func work(on first: Range<Int>) {
    condition.lock()
    defer { condition.unlock() }
    var claimed: Range<Int>? = first
    while let blocks = claimed, firstFailure == nil, !isClosed {
      fetchUnlocked(blocks)
      claimed = self.blocks.claimNext()
    }
    fetcherCount -= 1
    condition.broadcast()
  }

  /// Fetches blocks that were claimed. What came over is there for others at once, not only when the whole request is done.
  private func fetchUnlocked(_ claimed: Range<Int>) {
    condition.unlock()
    let size = RemoteBlocks.byteCount
    let range = claimed.lowerBound * size..<min(claimed.upperBound * size, byteCount)
    var failure: KistError?
    do throws(KistError) {
      try http.read(range) { bytes, offset throws(KistError) in
        try self.local.output.write(bytes, at: offset)
        let end = offset + bytes.count
        // Blocks of which this was the end.
        let whole = max(offset / size, claimed.lowerBound)..<(end == range.upperBound ? claimed.upperBound : end / size)
        guard !whole.isEmpty else { return }
        self.condition.withLock {
          self.blocks.arrived(whole)
          self.condition.broadcast()
        }
      }
    } catch { failure = error }
    condition.lock()
    if let failure {
      firstFailure = firstFailure ?? failure
      blocks.wantNothing()
    }
    blocks.gaveUp(claimed)
    condition.broadcast()
  }
}
