import KistCore
import Synchronization

/// The content of a deflated entry: unpacked whole into a file without a name when it is first read, since tensors are read in any order and
/// from several threads, and may not fit in memory.
final class InflatedContent: StoredContent {
  private let entry: ZipEntry
  private let archive: MappedFile
  private let unpacked = Mutex<MappedFile?>(nil)

  init(_ entry: ZipEntry, in archive: MappedFile) {
    self.entry = entry
    self.archive = archive
  }

  var byteCount: Int { entry.byteCount }

  func mapped() throws(KistError) -> MappedPart {
    let result = unpacked.withLock { held -> Result<MappedFile, KistError> in
      if let held { return .success(held) }
      let result = Result { () throws(KistError) in try unpack() }
      if case .success(let file) = result { held = file }
      return result
    }
    let file = try result.get()
    return MappedPart(file, 0..<file.count)
  }

  func release(_ range: Range<Int>) { unpacked.withLock { $0 }?.release(range) }

  func forget() { unpacked.withLock { $0 = nil } }

  private func unpack() throws(KistError) -> MappedFile {
    let file = try UnnamedFile()
    var position = 0
    do throws(KistError) {
      unsafe try entry.readContent(in: archive) { bytes throws(KistError) in
        unsafe try file.output.write(bytes, at: position)
        position += bytes.count
      }
    } catch {
      guard error.kind == .system else { throw error }
      throw KistError(
        .system, file: UnnamedFile.folder, "no space to unpack '\(entry.name)' (\(byteCount) bytes): \(error.problem)",
        advice: "set TMPDIR to a folder on a disk that has it")
    }
    return try file.mapped(as: archive.path)
  }
}

extension ZipEntry {
  private static let pieceByteCount = 256 << 10

  /// Reads the whole content, in order, and checks its length and CRC-32.
  ///
  /// - Parameter body: Takes the pieces.
  /// - Throws: `damaged`, naming the entry.
  package func readContent(
    in archive: MappedFile, _ body: (UnsafeRawBufferPointer) throws(KistError) -> Void
  ) throws(KistError) {
    var crc = CRC32()
    let stored = MappedPart(archive, range)
    if isDeflated {
      unsafe try inflate(stored) { bytes throws(KistError) in
        unsafe crc.add(bytes)
        unsafe try body(bytes)
      }
    } else {
      for start in stride(from: 0, to: byteCount, by: Self.pieceByteCount) {
        let piece = start..<min(start + Self.pieceByteCount, byteCount)
        let bytes = unsafe UnsafeRawBufferPointer(rebasing: stored.pointer[piece])
        unsafe crc.add(bytes)
        unsafe try body(bytes)
        stored.release(piece)
      }
    }
    try archive.checkIntact()
    if let crc32, crc32 != crc.value {
      throw KistError(
        .damaged, file: archive.path, field: "zip entry '\(name)'", offset: range.lowerBound,
        "the CRC-32 of its content is not the one that was recorded", advice: "fetch the file again")
    }
  }

  /// The first bytes of the content, at most `count`.
  package func prefix(_ count: Int, in archive: MappedFile) throws(KistError) -> [UInt8] {
    let count = min(count, byteCount)
    let stored = MappedPart(archive, range)
    guard isDeflated else { return unsafe [UInt8](stored.pointer[..<count]) }
    do throws(KistError) {
      let inflater = try Inflater(stored)
      var bytes = [UInt8](repeating: 0, count: count)
      let result = unsafe bytes.withUnsafeMutableBytes { buffer in
        Result { () throws(KistError) in unsafe try inflater.read(into: buffer) }
      }
      guard try result.get() == count else { throw tooShort }
      return bytes
    } catch {
      throw named(error, archive)
    }
  }

  private func inflate(
    _ stored: MappedPart, _ body: (UnsafeRawBufferPointer) throws(KistError) -> Void
  ) throws(KistError) {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.pieceByteCount, alignment: 64)
    defer { unsafe buffer.deallocate() }
    var inflater: Inflater
    var left = byteCount
    do throws(KistError) {
      inflater = try Inflater(stored)
      while left > 0 {
        let wanted = min(left, Self.pieceByteCount)
        let count = unsafe try inflater.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted]))
        guard count == wanted else { throw tooShort }
        unsafe try body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        left -= count
      }
      // One byte more than was promised must not be there.
      guard unsafe try inflater.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<1])) == 0, inflater.isAtEnd
      else { throw KistError(.damaged, "unpacks to more than the \(byteCount) bytes that are declared") }
    } catch {
      throw named(error, stored.file)
    }
  }

  private var tooShort: KistError {
    KistError(.damaged, "unpacks to fewer than the \(byteCount) bytes that are declared")
  }

  private func named(_ error: KistError, _ archive: MappedFile) -> KistError {
    var error = error.inFile(archive.path)
    if error.kind == .damaged { error.field = error.field ?? "zip entry '\(name)'" }
    return error
  }
}
