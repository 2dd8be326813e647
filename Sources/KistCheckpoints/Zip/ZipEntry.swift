import KistCore

/// A file in a zip archive.
package struct ZipEntry: Sendable {
  /// Relative, `/` between its parts.
  package let name: String
  package let isDeflated: Bool
  /// The stored bytes in the archive.
  package let range: Range<Int>
  /// Bytes when unpacked.
  package let byteCount: Int
  /// Of the unpacked content; nil when the writer did not compute it, as PyTorch may be told.
  package let crc32: UInt32?

  /// Where the entry's local header begins.
  let headerOffset: Int

  var isFolder: Bool { name.utf8.last == UInt8(ascii: "/") }
}

/// A record of the central directory, before it is compared with the local header.
struct ZipCentralHeader {
  let name: String
  let nameBytes: Range<Int>
  let flags: Int
  let method: Int
  let crc32: UInt32
  let storedByteCount: UInt64
  let byteCount: UInt64
  let offset: UInt64
  /// Where the next record begins.
  let end: Int

  /// Encryption, patches, and a hidden directory.
  private static let refusedFlags = 0x2061
  static let descriptorFlag = 0x0008

  /// - Parameters:
  ///   - at: Where the record begins.
  ///   - limit: Where the directory ends.
  init(_ file: RawSpan, at: Int, limit: Int) throws(KistError) {
    guard limit - at >= ZipFields.centralHeaderByteCount, ZipFields.u32(file, at) == ZipFields.centralHeader else {
      throw KistError(.damaged, field: "central directory", offset: at, "no record of an entry where one should be")
    }
    let nameStart = at + ZipFields.centralHeaderByteCount
    nameBytes = nameStart..<nameStart + ZipFields.u16(file, at + 28)
    let extra = nameBytes.upperBound..<nameBytes.upperBound + ZipFields.u16(file, at + 30)
    end = extra.upperBound + ZipFields.u16(file, at + 32)
    guard end <= limit else {
      throw KistError(.damaged, field: "central directory", offset: at, "a record reaches past its end")
    }
    name = try ZipCentralHeader.name(file.array(nameBytes), at: at)
    flags = ZipFields.u16(file, at + 8)
    method = ZipFields.u16(file, at + 10)
    crc32 = ZipFields.u32(file, at + 16)
    guard flags & Self.refusedFlags == 0 else {
      throw KistError(.unsupported, field: "zip entry '\(name)'", offset: at, "is encrypted or patched")
    }
    guard ZipFields.u16(file, at + 34) == 0 else {
      throw KistError(.unsupported, field: "zip entry '\(name)'", offset: at, "lies in another part of the archive")
    }
    // What does not fit in 32 bits stands in the zip64 field, in this order.
    var values = [ZipFields.u32(file, at + 24), ZipFields.u32(file, at + 20), ZipFields.u32(file, at + 42)].map {
      UInt64($0)
    }
    var wide = ZipFields.extraField(1, in: extra, of: file) ?? 0..<0
    for index in values.indices where values[index] == UInt32.max {
      guard wide.count >= 8 else {
        throw KistError(.damaged, field: "zip entry '\(name)': zip64", offset: at, "a size or offset is not there")
      }
      values[index] = ZipFields.u64(file, wide.lowerBound)
      wide = wide.lowerBound + 8..<wide.upperBound
    }
    (byteCount, storedByteCount, offset) = (values[0], values[1], values[2])
  }

  private static func name(_ bytes: [UInt8], at: Int) throws(KistError) -> String {
    guard let name = String(validating: bytes, as: UTF8.self), !name.isEmpty else {
      throw KistError(.unsupported, field: "central directory", offset: at, "a name that is empty or not UTF-8")
    }
    var parts = name.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    if parts.last?.isEmpty == true { parts.removeLast() }
    let leadsOut = parts.contains { part in
      part.isEmpty || part.elementsEqual(".".utf8) || part.elementsEqual("..".utf8) || part.contains(0)
    }
    guard !leadsOut else {
      throw KistError(
        .damaged, field: "zip entry '\(name)'", offset: at, "is not a relative path inside the archive",
        advice: "such a name can be meant to write elsewhere; don't unpack the archive")
    }
    return name
  }
}

extension ZipEntry {
  /// Compares a record of the directory with the local header that it points to, and finds the content.
  ///
  /// - Parameter limit: Where the central directory begins.
  /// - Throws: `damaged` when they contradict each other, or a size can't be true; `unsupported` for methods other than stored and deflated.
  init(_ central: ZipCentralHeader, in file: RawSpan, limit: Int) throws(KistError) {
    func damage(_ field: String, _ problem: String) -> KistError {
      KistError(
        .damaged, field: "zip entry '\(central.name)': \(field)", offset: Int(clamping: central.offset), problem)
    }
    guard central.offset <= UInt64(limit), limit - Int(central.offset) >= ZipFields.localHeaderByteCount else {
      throw damage("offset", "byte \(central.offset) is not before the central directory")
    }
    let start = Int(central.offset)
    guard ZipFields.u32(file, start) == ZipFields.localHeader else {
      throw damage("offset", "byte \(start) has no local header")
    }
    let nameStart = start + ZipFields.localHeaderByteCount
    let nameEnd = nameStart + ZipFields.u16(file, start + 26)
    let dataStart = nameEnd + ZipFields.u16(file, start + 28)
    guard dataStart <= limit, central.storedByteCount <= UInt64(limit - dataStart) else {
      throw damage("compressed size", "\(central.storedByteCount) bytes reach into the central directory")
    }
    guard file.array(nameStart..<nameEnd) == file.array(central.nameBytes),
      ZipFields.u16(file, start + 6) == central.flags, ZipFields.u16(file, start + 8) == central.method
    else { throw damage("local header", "name, flags or method are not those of the central directory") }
    try ZipEntry.checkLocalSizes(central, file, start, extra: nameEnd..<dataStart, damage)

    switch central.method {
    case 0:
      guard central.byteCount == central.storedByteCount else {
        throw damage("size", "\(central.storedByteCount) stored bytes can't be \(central.byteCount)")
      }
    case 8:
      // No deflate stream unpacks to more than 1032 times its length.
      guard central.byteCount / 1032 <= central.storedByteCount else {
        throw damage("size", "\(central.storedByteCount) deflated bytes can't unpack to \(central.byteCount)")
      }
    default:
      throw KistError(
        .unsupported, field: "zip entry '\(central.name)'", offset: start,
        "compression method \(central.method) is not read", advice: "store it, or deflate it")
    }
    name = central.name
    isDeflated = central.method == 8
    range = dataStart..<dataStart + Int(central.storedByteCount)
    byteCount = Int(central.byteCount)
    crc32 = central.crc32 == 0 ? nil : central.crc32
    headerOffset = start
    guard !isFolder || byteCount == 0 else { throw damage("size", "a folder has no content") }
  }

  /// With a data descriptor, the local sizes may be anything: they were not known yet.
  private static func checkLocalSizes(
    _ central: ZipCentralHeader, _ file: RawSpan, _ start: Int, extra: Range<Int>,
    _ damage: (String, String) -> KistError
  ) throws(KistError) {
    guard central.flags & ZipCentralHeader.descriptorFlag == 0 else { return }
    var sizes = [UInt64(ZipFields.u32(file, start + 22)), UInt64(ZipFields.u32(file, start + 18))]
    if let wide = ZipFields.extraField(1, in: extra, of: file), wide.count >= 16 {
      for index in sizes.indices where sizes[index] == UInt32.max {
        sizes[index] = ZipFields.u64(file, wide.lowerBound + 8 * index)
      }
    }
    guard sizes == [central.byteCount, central.storedByteCount], ZipFields.u32(file, start + 14) == central.crc32 else {
      throw damage("local header", "sizes or CRC-32 are not those of the central directory")
    }
  }
}
