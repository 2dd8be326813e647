import Synchronization

/// A file on a server that is open, by all who opened it: what came over for one is there for the others.
final class OpenRemoteFile: Sendable {
  let file: RemoteFile

  private struct Entry { weak var open: OpenRemoteFile? }

  /// By their addresses.
  private static let all = Mutex<[String: Entry]>([:])

  private init(address: String) throws(KistError) { file = try RemoteFile(address: address) }

  // The file's own threads keep it for as long as they run.
  deinit { file.close() }

  /// The one that is open, or a new one.
  static func at(_ address: String) throws(KistError) -> OpenRemoteFile {
    if let open = all.withLock({ $0[address]?.open }) { return open }
    let new = try OpenRemoteFile(address: address)
    all.withLock { all in
      all = all.filter { $0.value.open != nil }
      all[address] = Entry(open: new)
    }
    return new
  }
}
