import KistCore

/// The first page: what kind of file this is. Written once.
package enum Head {
  package static func encoded() -> [UInt8] {
    var page = ByteWriter(capacity: Layout.pageByteCount)
    page.raw(Layout.magic)
    page.u32(Layout.version)
    return page.sealedPage()
  }

  package static func check(_ file: RawSpan) throws(KistError) {
    let magic = Layout.magic
    guard file.byteCount >= magic.count else {
      throw KistError(.invalid, field: "file length", "\(file.byteCount) bytes are too few for a Kist file")
    }
    guard file.array(0..<magic.count) == magic else {
      throw KistError(.invalid, field: "head: magic", offset: 0, whyNot(file))
    }
    guard file.byteCount >= Layout.bodyOffset else {
      throw KistError(
        .damaged, field: "file length", "\(file.byteCount) bytes, where a Kist file has at least \(Layout.bodyOffset)",
        advice: "the file was cut short; fetch it again")
    }
    let version = file.u32(16)
    guard version == Layout.version else {
      throw KistError(
        .unsupported, field: "head: format version", offset: 16,
        "version \(version), where this Kist knows version \(Layout.version)", advice: "use a newer Kist")
    }
    guard file.isSealedPage(at: 0) else {
      throw KistError(
        .damaged, field: "head: XXH3", offset: Layout.pageHashOffset, "the page does not match its checksum")
    }
    guard file.isZero(20..<Layout.pageHashOffset) else {
      throw KistError(.damaged, field: "head: reserved", offset: 20, "reserved bytes are not zero")
    }
  }

  private static func whyNot(_ file: RawSpan) -> String {
    let isMangled = file.byteCount >= 5 && file.array(1..<5) == Array(Layout.magic[1..<5])
    return isMangled
      ? "the magic number was changed, as a transfer in text mode does; transfer the file in binary mode"
      : "is not a Kist file"
  }
}

extension ByteWriter {
  /// Fills a page up and ends it with its checksum.
  package consuming func sealedPage() -> [UInt8] {
    pad(to: Layout.pageHashOffset)
    u64(xxh3(bytes))
    return bytes
  }
}

extension RawSpan {
  /// Whether the page at an offset matches its checksum.
  package func isSealedPage(at offset: Int) -> Bool {
    u64(offset + Layout.pageHashOffset) == xxh3(extracting(offset..<offset + Layout.pageHashOffset))
  }
}
