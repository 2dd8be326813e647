import Foundation

/// A folder that appears under its name only when it is complete.
package final class NewFolder: Sendable {
  /// Where to write the files until then.
  package let path: String
  private let target: String

  package init(target: String) throws(KistError) {
    self.target = target.hasSuffix("/") && target.count > 1 ? String(target.dropLast()) : target
    let name = URL(fileURLWithPath: self.target).lastPathComponent
    let tag = String(UInt32.random(in: 0...UInt32.max), radix: 36)
    path = "\(parentFolder(of: self.target))/.\(name).\(tag).partial"
    guard unsafe mkdir(path, 0o777) == 0 else { throw .fromErrno(file: self.target) }
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Gives the folder its name.
  ///
  /// - Parameter replacing: When the target is a folder with something in it, moves the new files into it one by one, over those of
  ///   the same names; whatever else is there stays.
  /// - Throws: `conflict` when the target exists, other than as an empty folder, and `replacing` is false.
  package func commit(replacing: Bool) throws(KistError) {
    if unsafe rename(path, target) != 0 {
      switch errno {
      case ENOTEMPTY, EEXIST:
        guard replacing else { throw .fromErrno(file: target, EEXIST) }
        try moveFiles()
      case ENOTDIR: throw KistError(.conflict, file: target, "is a file, where a folder is to be written")
      default: throw .fromErrno(file: target)
      }
    }
    syncFolder(parentFolder(of: target))
  }

  private func moveFiles() throws(KistError) {
    for file in files {
      let destination = target + "/" + file
      do {
        try FileManager.default.createDirectory(
          atPath: parentFolder(of: destination), withIntermediateDirectories: true)
      } catch {
        throw KistError(.system, file: destination, "its folder can't be made: \(error.localizedDescription)")
      }
      guard unsafe rename(path + "/" + file, destination) == 0 else { throw .fromErrno(file: destination) }
    }
    syncFolder(target)
  }

  /// Everything that was written, relative to the folder.
  private var files: [String] {
    let all = FileManager.default.enumerator(atPath: path)?.allObjects as? [String] ?? []
    var isDirectory: ObjCBool = false
    return all.filter {
      unsafe FileManager.default.fileExists(atPath: path + "/" + $0, isDirectory: &isDirectory)
        && !isDirectory.boolValue
    }
  }
}
