import Foundation

/// A file without a name, for content that must be unpacked and may be too large for memory. It is gone with the process.
package final class UnnamedFile: Sendable {
  package let output: DescriptorOutput
  /// Where such files are made: `TMPDIR`, else `/var/tmp`, which unlike `/tmp` is not kept in memory.
  package static let folder: String = {
    let folder = ProcessInfo.processInfo.environment["TMPDIR"] ?? ""
    return folder.isEmpty ? "/var/tmp" : folder
  }()

  /// - Throws: `system` or `missing`, naming the folder.
  package init() throws(KistError) {
    let folder = UnnamedFile.folder
    var descriptor = unsafe open(folder, openUnnamed | O_RDWR | O_CLOEXEC, 0o600)
    if descriptor < 0, errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL {
      let name = "\(folder)/.kist.\(String(UInt64.random(in: 0...UInt64.max), radix: 36))"
      descriptor = unsafe open(name, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0o600)
      if descriptor >= 0 { unsafe unlink(name) }
    }
    guard descriptor >= 0 else { throw .fromErrno(file: folder) }
    output = DescriptorOutput(descriptor: descriptor, path: folder)
  }

  deinit { close(output.descriptor) }

  /// Maps what was written so far.
  ///
  /// - Parameter path: What errors name: the file that the content came from.
  package func mapped(as path: String) throws(KistError) -> MappedFile {
    try MappedFile(descriptor: output.descriptor, path: path)
  }
}
