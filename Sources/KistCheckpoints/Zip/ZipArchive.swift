import KistCore

/// A zip archive that nobody vouches for: what PyTorch and NumPy keep tensors in.
///
/// All of it is checked when it is opened: the central directory against the local headers, every size against the file, and that no two
/// entries share bytes. Stored entries are then read where they lie; deflated ones are unpacked when they are first needed.
package struct ZipArchive: Sendable {
  package let file: MappedFile
  /// In the order of the central directory, folders left out.
  package let entries: [ZipEntry]
  private let places: [NameBytes: Int]

  package var path: String { file.path }

  /// - Throws: `damaged` or `unsupported`, naming file, entry, field and offset.
  /// - Complexity: O(*n* log *n*) in entries; nothing of their content is read.
  package init(_ file: MappedFile) throws(KistError) {
    self.file = file
    do throws(KistError) {
      let all = try ZipArchive.entries(of: file.bytes)
      try ZipArchive.checkApart(all)
      entries = all.filter { !$0.isFolder }
      var places: [NameBytes: Int] = [:]
      for (index, entry) in entries.enumerated() where places.updateValue(index, forKey: NameBytes(entry.name)) != nil {
        throw KistError(.damaged, field: "zip entry '\(entry.name)'", "duplicate: it is there twice")
      }
      self.places = places
      try file.checkIntact()
    } catch {
      throw error.inFile(file.path)
    }
  }

  /// The entry of a name, compared byte by byte.
  package func find(_ name: String) -> ZipEntry? { places[NameBytes(name)].map { entries[$0] } }

  /// The unpacked content of an entry of this archive.
  package func content(of entry: ZipEntry) -> any StoredContent {
    entry.isDeflated ? InflatedContent(entry, in: file) : MappedPart(file, entry.range)
  }

  private static func entries(of file: RawSpan) throws(KistError) -> [ZipEntry] {
    let directory = try ZipDirectory(of: file)
    var entries: [ZipEntry] = []
    entries.reserveCapacity(directory.entryCount)
    var at = directory.range.lowerBound
    for _ in 0..<directory.entryCount {
      let central = try ZipCentralHeader(file, at: at, limit: directory.range.upperBound)
      entries.append(try ZipEntry(central, in: file, limit: directory.range.lowerBound))
      at = central.end
    }
    guard at == directory.range.upperBound else {
      throw KistError(
        .damaged, field: "entry count", offset: at,
        "\(directory.range.upperBound - at) bytes of the central directory belong to no entry")
    }
    return entries
  }

  /// Throws when two entries share bytes: a small archive could then unpack to something huge.
  private static func checkApart(_ entries: [ZipEntry]) throws(KistError) {
    let sorted = entries.sorted { $0.headerOffset < $1.headerOffset }
    for (entry, next) in zip(sorted, sorted.dropFirst()) where entry.range.upperBound > next.headerOffset {
      throw KistError(
        .damaged, field: "zip entry '\(next.name)'", offset: next.headerOffset,
        "overlaps the entry '\(entry.name)'")
    }
  }
}
