/// Content that can be read in any order, by several threads at a time: a tensor of a checkpoint, an entry to pack.
public protocol ByteSource: Sendable {
  /// Length of the content.
  var byteCount: Int { get }

  /// Calls `body` with the bytes of a range of at most 1 MiB.
  func withBytes(_ range: Range<Int>, _ body: (UnsafeRawBufferPointer) throws(KistError) -> Void) throws(KistError)

  /// Says that a range is going to be read soon.
  func willRead(_ range: Range<Int>)

  /// Says that a range is not needed any more.
  func release(_ range: Range<Int>)

  /// Whether bytes are computed each time they are read, so that reading them twice costs twice.
  var isMadeWhenRead: Bool { get }
}

extension ByteSource {
  public func willRead(_ range: Range<Int>) {}
  public func release(_ range: Range<Int>) {}
  public var isMadeWhenRead: Bool { false }
}

/// Bytes in memory.
public struct MemorySource: ByteSource {
  private let bytes: [UInt8]

  public init(_ bytes: [UInt8]) { self.bytes = bytes }

  public var byteCount: Int { bytes.count }

  public func withBytes(
    _ range: Range<Int>, _ body: (UnsafeRawBufferPointer) throws(KistError) -> Void
  ) throws(KistError) {
    let result = unsafe bytes.withUnsafeBytes { all in
      Result { () throws(KistError) in unsafe try body(UnsafeRawBufferPointer(rebasing: all[range])) }
    }
    try result.get()
  }
}

/// A part of a mapped file.
public struct FileSource: ByteSource {
  private let file: MappedFile
  private let range: Range<Int>
  private var stays = false
  private static let aheadByteCount = 32 << 20
  /// So many bytes are read as a whole, and their pages mapped in one call.
  private static let populatedByteCount = 1 << 19

  /// - Parameter range: a part of the file; the whole file when nil.
  public init(_ file: MappedFile, range: Range<Int>? = nil) {
    self.file = file
    self.range = range ?? 0..<file.count
    precondition(self.range.upperBound <= file.count, "a source's range lies inside its file")
  }

  /// The same part for what reads it again and again: its pages stay mapped once they were touched, whoever releases them.
  package var staying: FileSource {
    var source = self
    source.stays = true
    return source
  }

  public var byteCount: Int { range.count }

  public func withBytes(
    _ part: Range<Int>, _ body: (UnsafeRawBufferPointer) throws(KistError) -> Void
  ) throws(KistError) {
    if file.isRemote { try fetch(part) }
    if !stays, part.count >= FileSource.populatedByteCount { file.populate(inFile(part)) }
    unsafe try body(file.pointer(inFile(part)))
    try file.checkIntact()
  }

  /// Fetches a part from a server; when all of the content seems to be read, some of what follows is fetched ahead.
  private func fetch(_ part: Range<Int>) throws(KistError) {
    let isStream = part.count >= 1 << 19
    if isStream { willRead(part.lowerBound..<min(part.lowerBound + FileSource.aheadByteCount, byteCount)) }
    try file.fetch(inFile(part))
  }

  public func willRead(_ part: Range<Int>) { file.prefetch(inFile(part)) }

  public func release(_ part: Range<Int>) {
    if !stays { file.release(inFile(part)) }
  }

  private func inFile(_ part: Range<Int>) -> Range<Int> {
    range.lowerBound + part.lowerBound..<range.lowerBound + part.upperBound
  }
}
