import KistCore

/// The end of a zip archive: where its central directory lies, and how many entries that has.
///
/// ```
/// entries │ central directory │ [zip64 end │ zip64 locator] │ end, comment
/// ```
struct ZipDirectory {
  let range: Range<Int>
  let entryCount: Int

  /// More than any checkpoint has; hostile archives have millions.
  static let maximumEntryCount = 250_000

  /// - Throws: `damaged` when there is no end, or it contradicts the file's length; `unsupported` for archives in several parts.
  init(of file: RawSpan) throws(KistError) {
    let end = try ZipDirectory.findEnd(file)
    var size = UInt64(ZipFields.u32(file, end + 12))
    var offset = UInt64(ZipFields.u32(file, end + 16))
    var count = UInt64(ZipFields.u16(file, end + 10))
    var disks = [UInt64(ZipFields.u16(file, end + 4)), UInt64(ZipFields.u16(file, end + 6))]
    var countHere = UInt64(ZipFields.u16(file, end + 8))
    var directoryEnd = end
    let isZip64 = size == UInt32.max || offset == UInt32.max || count == UInt16.max
    if let record = try ZipDirectory.findZip64End(file, before: end, isNeeded: isZip64) {
      size = ZipFields.u64(file, record + 40)
      offset = ZipFields.u64(file, record + 48)
      count = ZipFields.u64(file, record + 32)
      countHere = ZipFields.u64(file, record + 24)
      disks = [UInt64(ZipFields.u32(file, record + 16)), UInt64(ZipFields.u32(file, record + 20))]
      directoryEnd = record
    }
    guard disks == [0, 0], count == countHere else {
      throw KistError(.unsupported, field: "end of central directory", offset: end, "the archive is in several parts")
    }
    guard size <= UInt64(directoryEnd), offset == UInt64(directoryEnd) - size else {
      throw KistError(
        .damaged, field: "central directory offset", offset: end,
        "\(size) bytes at \(offset) do not end at \(directoryEnd), where the end record begins",
        advice: "the archive was changed or put together by hand; fetch it again")
    }
    guard count <= UInt64(Self.maximumEntryCount), count * UInt64(ZipFields.centralHeaderByteCount) <= size else {
      throw KistError(
        .damaged, field: "entry count", offset: end, "\(count) entries are not possible in \(size) bytes of directory")
    }
    range = Int(offset)..<directoryEnd
    entryCount = Int(count)
  }

  /// The end record is the last thing in the file but for a comment, whose length it has.
  private static func findEnd(_ file: RawSpan) throws(KistError) -> Int {
    let last = file.byteCount - ZipFields.endByteCount
    var at = last
    while at >= 0, at >= last - Int(UInt16.max) {
      if ZipFields.u32(file, at) == ZipFields.end, ZipFields.u16(file, at + 20) == last - at { return at }
      at -= 1
    }
    throw KistError(
      .damaged, field: "end of central directory", "is not there",
      advice: "the file was cut short, or is no zip archive; fetch it again")
  }

  private static func findZip64End(_ file: RawSpan, before end: Int, isNeeded: Bool) throws(KistError) -> Int? {
    let locator = end - ZipFields.zip64LocatorByteCount
    guard locator >= ZipFields.zip64EndByteCount, ZipFields.u32(file, locator) == ZipFields.zip64Locator else {
      guard !isNeeded else {
        throw KistError(.damaged, field: "zip64 end locator", offset: end, "is needed and not there")
      }
      return nil
    }
    let place = ZipFields.u64(file, locator + 8)
    guard place <= UInt64(locator - ZipFields.zip64EndByteCount), ZipFields.u32(file, Int(place)) == ZipFields.zip64End,
      ZipFields.u64(file, Int(place) + 4) == UInt64(locator) - place - 12
    else {
      throw KistError(
        .damaged, field: "zip64 end locator", offset: locator, "points to byte \(place), where no zip64 end record is")
    }
    return Int(place)
  }
}
