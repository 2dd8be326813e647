import CMapGuard
import Foundation

/// A file mapped into memory for reading.
///
/// Pages come from the system's cache as they are touched. A file that is cut short while it is mapped does not end the
/// process: lost pages read as zeros and ``checkIntact()`` then throws. A file on a server is the same: ranges that are asked for come over
/// and stay for as long as an object of that address.
@safe public final class MappedFile: Sendable {
  /// The path as the user gave it.
  public let path: String
  /// The length in bytes when the file was opened.
  public let count: Int

  private nonisolated(unsafe) let base: UnsafeRawPointer?
  private let guardSlot: Int32
  /// Where the content comes from, when the file is on a server.
  private let opening: OpenRemoteFile?
  private var remote: RemoteFile? { opening?.file }

  /// Maps a regular file, or one on a server.
  ///
  /// - Parameter path: A path, or an address that begins `https://` or `http://`.
  /// - Throws: `missing` when there is no such file, `system` when it can't be read, `invalid` when it is not a regular file;
  ///   `unsupported` when a server has no range requests.
  public convenience init(path: String) throws(KistError) {
    if RemoteFile.isAddress(path) {
      let opening = try OpenRemoteFile.at(path)
      try self.init(descriptor: opening.file.descriptor, path: path, opening)
    } else {
      let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
      guard descriptor >= 0 else { throw .fromErrno(file: path) }
      defer { close(descriptor) }
      try self.init(descriptor: descriptor, path: path)
    }
  }

  /// Whether a path is an address on the web.
  public static func isAddress(_ path: String) -> Bool { RemoteFile.isAddress(path) }

  /// Maps the regular file behind a descriptor, which the caller keeps.
  package convenience init(descriptor: Int32, path: String) throws(KistError) {
    try self.init(descriptor: descriptor, path: path, nil)
  }

  private init(descriptor: Int32, path: String, _ opening: OpenRemoteFile?) throws(KistError) {
    self.opening = opening
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else { throw .fromErrno(file: path) }
    guard status.st_mode & S_IFMT == S_IFREG else {
      let isDirectory = status.st_mode & S_IFMT == S_IFDIR
      throw KistError(.invalid, file: path, isDirectory ? "is a directory" : "is not a regular file")
    }
    self.path = path
    self.count = Int(status.st_size)
    guard count > 0 else {
      unsafe base = nil
      guardSlot = -1
      return
    }
    guard let mapping = unsafe mmap(nil, count, PROT_READ, MAP_SHARED, descriptor, 0), unsafe mapping != MAP_FAILED
    else { throw .fromErrno(file: path) }
    unsafe base = UnsafeRawPointer(mapping)
    guardSlot = unsafe kist_map_guard_register(mapping, count)
  }

  deinit {
    kist_map_guard_unregister(guardSlot)
    if let base = unsafe base { unsafe munmap(UnsafeMutableRawPointer(mutating: base), count) }
  }

  /// All bytes of the file.
  public var bytes: RawSpan {
    @_lifetime(borrow self)
    get {
      remote?.fillAll()
      return bytesAtHand
    }
  }

  /// All bytes of the file; of one on a server, zeros where it was not fetched yet.
  package var bytesAtHand: RawSpan {
    @_lifetime(borrow self)
    get {
      let span = unsafe RawSpan(_unsafeBytes: pointerAtHand)
      return unsafe _overrideLifetime(span, borrowing: self)
    }
  }

  private var pointerAtHand: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(start: base, count: count) }

  /// The bytes of a range that the caller has checked against ``count``, for kernels and system calls; valid as long as this object.
  package func pointer(_ range: Range<Int>) -> UnsafeRawBufferPointer {
    remote?.fill(range)
    return unsafe UnsafeRawBufferPointer(rebasing: pointerAtHand[range])
  }

  /// Whether reading takes requests to a server, so that a few large ones are better than many.
  package var isRemote: Bool { remote != nil }

  /// Fetches a range, or what the file has of it, when it is on a server.
  ///
  /// - Throws: why it can't be fetched.
  package func fetch(_ range: Range<Int>) throws(KistError) {
    guard let remote else { return }
    remote.fill(range.clamped(to: 0..<count))
    if let failure = remote.failure { throw failure }
  }

  /// Fetches a range beside other work when it is on a server: it will be read soon.
  package func prefetch(_ range: Range<Int>) { remote?.prefetch(range.clamped(to: 0..<count)) }

  /// Throws when a page that was read turned out to be lost, or could not be fetched.
  public func checkIntact() throws(KistError) {
    if let failure = remote?.failure { throw failure }
    guard kist_map_guard_lost(guardSlot) else { return }
    throw KistError(
      .damaged, file: path, "part of the file vanished while it was being read",
      advice: "another program cut it short, or the disk failed; check it and try again")
  }

  /// Maps the pages of a range that is about to be read in one call, where the system can (Linux 5.14), rather than one by one as they
  /// are touched.
  package func populate(_ range: Range<Int>) { advise(range, MappedFile.populateRead, roundingOutward: true) }

  /// `MADV_POPULATE_READ`, which Glibc's module does not show.
  private static let populateRead: Int32 = 22

  /// Lets go of pages that were read, so that streaming through a large file keeps little of it resident.
  package func release(_ range: Range<Int>) { advise(range, MADV_DONTNEED, roundingOutward: false) }

  private func advise(_ range: Range<Int>, _ advice: Int32, roundingOutward: Bool) {
    let page = 4096
    let start = roundingOutward ? range.lowerBound / page * page : (range.lowerBound + page - 1) / page * page
    let end = roundingOutward ? range.upperBound : range.upperBound / page * page
    guard let base = unsafe base, start < end else { return }
    unsafe madvise(UnsafeMutableRawPointer(mutating: base + start), end - start, advice)
  }
}

extension KistError {
  /// The error of the system call that just failed.
  package static func fromErrno(file: String, _ number: Int32 = errno) -> KistError {
    switch number {
    case ENOENT: KistError(.missing, file: file, "no such file or directory")
    case EEXIST:
      KistError(.conflict, file: file, "exists already", advice: "choose another name, or --force to replace it")
    case ENOSPC, EDQUOT: KistError(.system, file: file, "no space left on the disk", advice: "free some and try again")
    case EFBIG:
      KistError(.system, file: file, "larger than the system allows a file to be here", advice: "see `ulimit -f`")
    default: unsafe KistError(.system, file: file, String(cString: strerror(number)).lowercased())
    }
  }
}
