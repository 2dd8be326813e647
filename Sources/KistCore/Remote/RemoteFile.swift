import Foundation
import Synchronization

/// A file on a server, of which only what is read comes over: a local sparse file fills, block by block.
///
/// What could not be fetched reads as zeros, and the failure is kept: ``MappedFile/checkIntact()`` throws it.
final class RemoteFile: Sendable {
  private let http: HTTPFile
  private let local: UnnamedFile
  private let state: Mutex<State>

  private struct State {
    /// Blocks that are here.
    var blocks: Set<Int> = []
    var failure: KistError?
  }

  /// Bytes that are fetched together: small things that lie side by side come with one request.
  private static let blockByteCount = 64 << 10
  /// A file of a format that is not read by ranges is fetched whole, up to this length.
  private static let maximumWholeByteCount = 256 << 20

  var byteCount: Int { http.byteCount }
  var descriptor: Int32 { local.output.descriptor }
  var failure: KistError? { state.withLock { $0.failure } }

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
    let start = 0..<RemoteFile.blockByteCount
    http = try HTTPFile(address: address, start: start) { bytes, offset throws(KistError) in
      try local.output.write(bytes, at: offset)
    }
    guard ftruncate(local.output.descriptor, off_t(http.byteCount)) == 0 else {
      throw KistError(
        .system, file: address, "the server says that it has \(http.byteCount) bytes, more than a file can have here")
    }
    self.local = local
    state = Mutex(State(blocks: [0]))
  }

  /// Fetches what is missing of a range.
  func fill(_ range: Range<Int>) {
    guard !range.isEmpty else { return }
    state.withLock { state in
      guard state.failure == nil else { return }
      let size = RemoteFile.blockByteCount
      let missing = (range.lowerBound / size...(range.upperBound - 1) / size).filter { !state.blocks.contains($0) }
      do throws(KistError) {
        for run in RemoteFile.runs(of: missing) {
          try fetch(run.lowerBound * size..<min(run.upperBound * size, byteCount))
          state.blocks.formUnion(run)
        }
      } catch {
        state.failure = error
      }
    }
  }

  func fillAll() {
    guard byteCount <= RemoteFile.maximumWholeByteCount else {
      let failure = KistError(
        .unsupported, file: http.address, "is of a format that can't be read in parts from a server",
        advice: "download it first")
      return state.withLock { $0.failure = $0.failure ?? failure }
    }
    fill(0..<byteCount)
  }

  private func fetch(_ range: Range<Int>) throws(KistError) {
    try http.read(range) { bytes, offset throws(KistError) in try self.local.output.write(bytes, at: offset) }
  }

  /// Numbers that follow one another, as ranges.
  private static func runs(of numbers: [Int]) -> [Range<Int>] {
    var runs: [Range<Int>] = []
    for number in numbers {
      if let last = runs.last, last.upperBound == number {
        runs[runs.count - 1] = last.lowerBound..<number + 1
      } else {
        runs.append(number..<number + 1)
      }
    }
    return runs
  }
}
