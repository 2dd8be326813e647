import KistCore

extension KistFile {
  /// The model's key-values; empty when it has none.
  ///
  /// - Throws: `damaged` when the record is not what spec/kist-format.md says.
  public func metadata() throws(KistError) -> Metadata {
    guard let bytes = try recordBytes(RecordName.metadata) else { return Metadata() }
    do { return try Metadata(decoding: bytes) } catch { throw error.inFile(path) }
  }

  /// The content of one of Kist's own records, if there is one.
  ///
  /// - Throws: `damaged` when it is larger than any such record has reason to be, or does not match its checksums.
  package func recordBytes(_ name: String) throws(KistError) -> [UInt8]? {
    guard let entry = find(name, .record) else { return nil }
    let limit = 64 << 20
    guard entry.byteCount <= limit else {
      throw KistError(
        .damaged, file: path, field: name, "\(entry.byteCount) bytes is more than such a record may have (\(limit))")
    }
    return try bytes(of: entry)
  }
}
