import KistCore

/// What `numpy.savez` and `numpy.savez_compressed` write: a zip archive of .npy files.
public struct NpzFile: Sendable {
  /// An array of the file, under its name without `.npy`.
  public struct Member: Sendable {
    public let name: String
    public let dtype: DType
    public let shape: Shape
    /// The elements: row-major, little-endian.
    public let source: any ByteSource
  }

  /// In the order of the archive.
  public let arrays: [Member]
  /// Names of entries that are no arrays.
  public let others: [String]

  private static let suffix = ".npy"

  /// Whether an archive looks like one: some entry is an array. (An archive without entries is one too.)
  package static func isNpz(_ archive: ZipArchive) -> Bool {
    archive.entries.isEmpty || archive.entries.contains(where: isArray)
  }

  /// - Throws: `damaged` or `unsupported` when an array can't be read, naming its entry.
  package init(_ archive: ZipArchive) throws(KistError) {
    var arrays: [Member] = []
    var others: [String] = []
    for entry in archive.entries {
      guard NpzFile.isArray(entry) else {
        others.append(entry.name)
        continue
      }
      arrays.append(try NpzFile.array(entry, in: archive))
    }
    self.arrays = arrays
    self.others = others
  }

  private static func isArray(_ entry: ZipEntry) -> Bool {
    entry.name.utf8.count > suffix.utf8.count && entry.name.utf8.suffix(suffix.utf8.count).elementsEqual(suffix.utf8)
  }

  private static func array(_ entry: ZipEntry, in archive: ZipArchive) throws(KistError) -> Member {
    do throws(KistError) {
      let start = try entry.prefix(NpyPreamble.maximumByteCount, in: archive.file)
      let file = unsafe try NpyFile(archive.content(of: entry), start: start.span.bytes)
      return Member(
        name: String(decoding: entry.name.utf8.dropLast(Self.suffix.utf8.count), as: UTF8.self), dtype: file.dtype,
        shape: file.shape, source: file.source)
    } catch {
      var named = error.inFile(archive.path)
      let field = "zip entry '\(entry.name)'"
      named.field = error.field.map { $0.hasPrefix(field) ? $0 : "\(field): \($0)" } ?? field
      throw named
    }
  }
}
