import Foundation
import KistCore

/// The files below a folder, symbolic links followed: the hub's cache is made of them.
struct DirectoryListing {
  /// Relative paths of files, sorted by their bytes.
  private(set) var files: [String] = []
  private(set) var emptyDirectories: [String] = []
  private(set) var leftOut: [(path: String, reason: String)] = []

  /// Folders and files that tools leave behind and that belong to no model.
  private static let skipped: Set<String> = [".git", ".cache", "__pycache__", ".ipynb_checkpoints", ".DS_Store"]
  /// More than any model has; a tree that deep or wide is a mistake or an attack.
  private static let maximumDepth = 32
  private static let maximumEntryCount = 100_000

  /// Files and folders seen so far: links can make a few folders into endlessly many.
  private var entryCount = 0

  init(_ root: String) throws(KistError) {
    try list(root, "", ancestors: [])
    files.sort { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    emptyDirectories.sort { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  private struct Identity: Hashable {
    var device: UInt
    var inode: UInt
  }

  private mutating func list(_ root: String, _ folder: String, ancestors: Set<Identity>) throws(KistError) {
    let path = folder.isEmpty ? root : root + "/" + folder
    let status = try fileStatus(path)
    let identity = Identity(device: UInt(status.st_dev), inode: UInt(status.st_ino))
    guard !ancestors.contains(identity) else {
      throw KistError(.invalid, file: path, "the folder contains itself, by a symbolic link", advice: "remove the link")
    }
    guard ancestors.count < Self.maximumDepth else {
      throw KistError(
        .invalid, file: path, "more than \(Self.maximumDepth) folders deep", advice: "is this a model's folder?")
    }
    let names = try names(in: path)
    if names.isEmpty, !folder.isEmpty { emptyDirectories.append(folder) }
    for name in names {
      let relative = folder.isEmpty ? name : folder + "/" + name
      guard !Self.skipped.contains(name) else { continue }
      entryCount += 1
      guard entryCount <= Self.maximumEntryCount else {
        throw KistError(
          .invalid, file: root, "has more than \(Self.maximumEntryCount) files", advice: "is this a model's folder?")
      }
      let kind = try fileStatus(root + "/" + relative).st_mode & S_IFMT
      switch kind {
      case S_IFDIR: try list(root, relative, ancestors: ancestors.union([identity]))
      case S_IFREG: files.append(relative)
      default: leftOut.append((relative, "not a regular file"))
      }
    }
  }

  private func fileStatus(_ path: String) throws(KistError) -> stat {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { throw .fromErrno(file: path) }
    return status
  }

  /// Names in a folder. Foundation would hide names that are not UTF-8 behind replacement characters, so this asks the system.
  private func names(in path: String) throws(KistError) -> [String] {
    guard let directory = unsafe opendir(path) else { throw .fromErrno(file: path) }
    defer { unsafe closedir(directory) }
    var names: [String] = []
    while let entry = unsafe readdir(directory) {
      let bytes = unsafe withUnsafeBytes(of: entry.pointee.d_name) { name in
        unsafe [UInt8](name.prefix { $0 != 0 })
      }
      if bytes == Array(".".utf8) || bytes == Array("..".utf8) { continue }
      guard let name = String(validating: bytes, as: UTF8.self) else {
        throw KistError(
          .unsupported, file: path, "has a file whose name is not UTF-8: \(String(decoding: bytes, as: UTF8.self))",
          advice: "rename it")
      }
      names.append(name)
    }
    return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }
}
