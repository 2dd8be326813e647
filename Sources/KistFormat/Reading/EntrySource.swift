import KistCore

/// The content of an entry of an open container, for packing it again.
package struct EntrySource: ByteSource {
  package let file: KistFile
  package let entry: Entry

  package init(_ file: KistFile, _ entry: Entry) {
    self.file = file
    self.entry = entry
  }

  package var byteCount: Int { entry.byteCount }

  package func withBytes(
    _ range: Range<Int>, _ body: (UnsafeRawBufferPointer) throws(KistError) -> Void
  ) throws(KistError) {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: range.count, alignment: Layout.alignment)
    defer { unsafe buffer.deallocate() }
    unsafe try file.read(entry, range, into: buffer)
    unsafe try body(UnsafeRawBufferPointer(buffer))
  }

  package func willRead(_ range: Range<Int>) { file.prefetch(entry.layout.chunks(of: range), of: entry) }

  package func release(_ range: Range<Int>) { file.releasePages(of: entry, range) }
}

extension KistFile {
  /// All entries of a kind, in the order of their source, for another container.
  package func copies(of kind: EntryKind) -> [NewEntry] {
    entries(of: kind).map { entry in
      NewEntry(
        name: entry.name, kind: kind, dtype: entry.dtype, shape: entry.shape, source: EntrySource(self, entry),
        staysRaw: kind == .record && entry.codec == .raw)
    }
  }

  /// Lets go of the mapped pages that hold a range of an entry's content.
  package func releasePages(of entry: Entry, _ range: Range<Int>) {
    for number in entry.layout.chunks(of: range) {
      guard let chunk = try? chunk(number, of: entry) else { return }
      mapped.release(chunk.range)
    }
  }
}
