import Foundation

/// A folder that appears under its name only when it is complete.
package final class NewFolder: Sendable {
  /// Where to write the files until then.
  package let path: String
  private let target: String
  /// Whether the folder stays when it does not get its name.
  private let isKept: Bool

  package init(target: String) throws(KistError) {
    self.target = target.hasSuffix("/") && target.count > 1 ? String(target.dropLast()) : target
    isKept = false
    let name = URL(fileURLWithPath: self.target).lastPathComponent
    let tag = String(UInt32.random(in: 0...UInt32.max), radix: 36)
    path = "\(parentFolder(of: self.target))/.\(name).\(tag).partial"
    guard unsafe mkdir(path, 0o777) == 0 else { throw .fromCreation(of: self.target, missing: self.target) }
  }

  /// Takes a folder that is complete.
  package init(taking path: String, target: String) {
    self.path = path
    isKept = false
    self.target = target.hasSuffix("/") && target.count > 1 ? String(target.dropLast()) : target
  }

  /// A folder that has a name of its own until it is complete, and may be there already.
  package init(target: String, unfinished path: String) throws(KistError) {
    self.path = path
    isKept = true
    self.target = target.hasSuffix("/") && target.count > 1 ? String(target.dropLast()) : target
    guard unsafe mkdir(path, 0o777) == 0 || errno == EEXIST else {
      throw .fromCreation(of: self.target, missing: self.target)
    }
  }

  deinit { if !isKept { remove() } }

  private func remove() { try? FileManager.default.removeItem(atPath: path) }

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
        remove()
      case ENOTDIR: throw KistError(.conflict, file: target, "is a file, where a folder is to be written")
      default: throw .fromErrno(file: target)
      }
    }
    syncFolder(parentFolder(of: target))
  }

  private func moveFiles() throws(KistError) {
    // Folders come before what is in them.
    let written = FileManager.default.enumerator(atPath: path)?.allObjects as? [String] ?? []
    for item in written {
      let destination = target + "/" + item
      var isDirectory: ObjCBool = false
      guard unsafe FileManager.default.fileExists(atPath: path + "/" + item, isDirectory: &isDirectory) else {
        continue
      }
      if isDirectory.boolValue {
        guard unsafe mkdir(destination, 0o777) == 0 || errno == EEXIST else { throw .fromErrno(file: destination) }
      } else {
        guard unsafe rename(path + "/" + item, destination) == 0 else { throw .fromErrno(file: destination) }
      }
    }
    syncFolder(target)
  }
}
