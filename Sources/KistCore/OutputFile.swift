import CWriteback
import Foundation
import Synchronization

/// Where a file's bytes are written. Tests put a recording stand-in here to simulate crashes.
package protocol FileOutput: Sendable {
  /// Writes all bytes at an offset, or throws.
  func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(KistError)
  /// Takes away what was written from an offset on.
  func cut(at offset: Int) throws(KistError)
  /// Returns when everything written so far has reached the disk.
  func sync() throws(KistError)
}

/// An open descriptor that is written at given offsets.
package struct DescriptorOutput: FileOutput {
  package let descriptor: Int32
  package let path: String

  package init(descriptor: Int32, path: String) {
    self.descriptor = descriptor
    self.path = path
  }

  package func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(KistError) {
    var written = 0
    while written < bytes.count {
      let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[written...])
      let count = unsafe pwrite(descriptor, rest.baseAddress, rest.count, off_t(offset + written))
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { throw .fromErrno(file: path) }
      written += count
    }
    startWriteback(after: offset..<offset + bytes.count)
  }

  /// Bytes that are brought to the disk together.
  private static let stretchByteCount = 8 << 20

  /// A file is synced before it gets its name: what lies well behind goes to the disk while the rest is being made.
  private func startWriteback(after range: Range<Int>) {
    let stretch = range.upperBound / Self.stretchByteCount
    guard range.lowerBound / Self.stretchByteCount < stretch, stretch >= 2 else { return }
    // Of the last one, other threads may still owe a piece.
    let offset = (stretch - 2) * Self.stretchByteCount
    kist_start_writeback(descriptor, Int64(offset), Int64(Self.stretchByteCount))
  }

  /// What was written before; nil where the file ends inside the range, or can't be read.
  package func bytes(_ range: Range<Int>) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: range.count)
    let count = unsafe bytes.withUnsafeMutableBytes {
      unsafe pread(descriptor, $0.baseAddress, $0.count, off_t(range.lowerBound))
    }
    return count == range.count ? bytes : nil
  }

  package func cut(at offset: Int) throws(KistError) {
    guard ftruncate(descriptor, off_t(offset)) == 0 else { throw .fromErrno(file: path) }
  }

  package func sync() throws(KistError) {
    guard fsync(descriptor) == 0 else { throw .fromErrno(file: path) }
  }
}

extension FileOutput {
  package func write(_ bytes: [UInt8], at offset: Int) throws(KistError) {
    let result = unsafe bytes.withUnsafeBytes { pointer in
      Result { () throws(KistError) in unsafe try write(pointer, at: offset) }
    }
    try result.get()
  }
}

/// A file that appears under its name only when it is complete.
///
/// It is written without a name (`O_TMPFILE`), so that a killed process leaves nothing behind; where the file system can't do that, under
/// a hidden name beside the target, which is removed unless ``commit(replacing:)`` succeeds.
package final class NewFile: Sendable {
  package let output: DescriptorOutput
  private let target: String
  private let hiddenName: String?
  /// Whether the file stays under its hidden name when it gets no other.
  private let isKept: Bool
  private let isCommitted = Atomic<Bool>(false)

  package init(target: String) throws(KistError) {
    self.target = target
    isKept = false
    let folder = parentFolder(of: target)
    var descriptor = unsafe open(folder, openUnnamed | O_RDWR | O_CLOEXEC, 0o666)
    if descriptor < 0, errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL {
      let name = NewFile.hiddenName(for: target)
      descriptor = unsafe open(name, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0o666)
      hiddenName = name
    } else {
      hiddenName = nil
    }
    guard descriptor >= 0 else { throw .fromCreation(of: target, missing: folder) }
    output = DescriptorOutput(descriptor: descriptor, path: target)
  }

  /// A file that has a name of its own until it is complete, and may be there already.
  package init(target: String, unfinished path: String) throws(KistError) {
    self.target = target
    isKept = true
    hiddenName = path
    let descriptor = unsafe open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw .fromCreation(of: path, missing: parentFolder(of: path)) }
    output = DescriptorOutput(descriptor: descriptor, path: target)
  }

  deinit {
    close(output.descriptor)
    if let hiddenName, !isKept || isCommitted.load(ordering: .relaxed) { unsafe unlink(hiddenName) }
  }

  /// Syncs the file and gives it its name.
  ///
  /// - Throws: `conflict` when the target exists and `replacing` is false; the target is then as it was.
  package func commit(replacing: Bool) throws(KistError) {
    try output.sync()
    let source = hiddenName ?? "/proc/self/fd/\(output.descriptor)"
    if replacing {
      let name = NewFile.hiddenName(for: target)
      guard unsafe linkat(AT_FDCWD, source, AT_FDCWD, name, AT_SYMLINK_FOLLOW) == 0 else {
        throw .fromErrno(file: target)
      }
      guard unsafe rename(name, target) == 0 else {
        let error = KistError.fromErrno(file: target)
        unsafe unlink(name)
        throw error
      }
    } else {
      guard unsafe linkat(AT_FDCWD, source, AT_FDCWD, target, AT_SYMLINK_FOLLOW) == 0 else {
        throw .fromErrno(file: target)
      }
    }
    isCommitted.store(true, ordering: .relaxed)
    syncFolder(parentFolder(of: target))
  }

  private static func hiddenName(for target: String) -> String {
    let name = URL(fileURLWithPath: target).lastPathComponent
    let tag = String(UInt32.random(in: 0...UInt32.max), radix: 36)
    return "\(parentFolder(of: target))/.\(name).\(tag).partial"
  }
}

/// `O_TMPFILE` of Linux, which Glibc's module does not show.
let openUnnamed: Int32 = 0o20000000 | O_DIRECTORY

package func parentFolder(of path: String) -> String {
  guard let slash = path.lastIndex(of: "/") else { return "." }
  return slash == path.startIndex ? "/" : String(path[..<slash])
}

/// Makes names that were given or taken in a folder last through a power cut. Best effort: some file systems refuse.
package func syncFolder(_ path: String) {
  let descriptor = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
  guard descriptor >= 0 else { return }
  fsync(descriptor)
  close(descriptor)
}

extension KistError {
  /// The error of the system call that just failed to make `target`.
  ///
  /// - Parameter missing: What to name when the folder is not there. (procfs says so of itself, whatever is to be made in it.)
  package static func fromCreation(of target: String, missing: String) -> KistError {
    let number = errno
    guard number == ENOENT else { return .fromErrno(file: target, number) }
    guard unsafe access(parentFolder(of: target), F_OK) == 0 else { return .fromErrno(file: missing, number) }
    return KistError(.system, file: target, "can't be made in that folder")
  }
}

/// Gives a complete file its name.
///
/// - Throws: `conflict` when the target exists and `replacing` is false; both are then as they were.
package func moveFile(_ source: String, to target: String, replacing: Bool) throws(KistError) {
  if replacing {
    guard unsafe rename(source, target) == 0 else { throw .fromErrno(file: target) }
  } else {
    guard unsafe link(source, target) == 0 else { throw .fromErrno(file: target) }
    unsafe unlink(source)
  }
  syncFolder(parentFolder(of: target))
}

/// Throws when something is at a path already.
package func requireAbsent(_ path: String) throws(KistError) {
  var status = stat()
  if unsafe lstat(path, &status) == 0 { throw .fromErrno(file: path, EEXIST) }
}
