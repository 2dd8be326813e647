import KistCore

/// Bytes that can be mapped: there already, or unpacked when they are first read.
package protocol StoredContent: Sendable {
  var byteCount: Int { get }

  /// Where the bytes are.
  ///
  /// - Throws: `damaged` when they can't be unpacked; `system` when there is no space for them.
  func mapped() throws(KistError) -> MappedPart

  /// Says that a range is not needed for now: its pages may leave memory.
  func release(_ range: Range<Int>)

  /// Says that nothing of it is needed for now: what was unpacked may go.
  func forget()
}

/// A part of a mapped file.
package struct MappedPart: StoredContent {
  package let file: MappedFile
  /// Inside the file.
  package let range: Range<Int>

  package init(_ file: MappedFile, _ range: Range<Int>) {
    precondition(range.upperBound <= file.count, "a part lies inside its file")
    self.file = file
    self.range = range
  }

  package var byteCount: Int { range.count }
  package func mapped() -> MappedPart { self }
  package func forget() {}

  /// The bytes; they live as long as the file.
  var pointer: UnsafeRawBufferPointer { unsafe file.pointer(range) }

  package func release(_ part: Range<Int>) {
    file.release(range.lowerBound + part.lowerBound..<range.lowerBound + part.upperBound)
  }
}
