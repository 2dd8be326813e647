import KistCore
import KistFormat

/// Rules for names of assets, which become paths on disk.
package enum AssetPath {
  /// Throws when a name would not stay inside the folder that it is written to.
  package static func check(_ path: String) throws(KistError) {
    let parts = path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    let isUnsafe = parts.contains { part in
      part.isEmpty || part.elementsEqual(".".utf8) || part.elementsEqual("..".utf8) || part.contains(0)
    }
    guard !isUnsafe else {
      throw KistError(
        .damaged, field: "asset '\(path)'", "is not a relative path inside the model's folder",
        advice: "such a name can be meant to write elsewhere; nothing was written")
    }
  }

  /// Throws when a name of the list is unsafe, or is both a file and a folder of another.
  package static func check(all paths: [String]) throws(KistError) {
    for path in paths { try check(path) }
    let sorted = paths.map { $0 + "/" }.sorted { compareBytes($0, $1) < 0 }
    for (path, next) in zip(sorted, sorted.dropFirst()) where next.utf8.starts(with: path.utf8) {
      throw KistError(.damaged, field: "asset '\(path.dropLast())'", "is both a file and a folder, or is there twice")
    }
  }
}
