import Foundation
import KistCore

/// Cuts files into blocks of whole lines.
package struct FileBlocks {
  package struct Block: Sendable {
    package let file: MappedFile
    package let range: Range<Int>
  }

  private let files: [MappedFile]
  private let byteCount: Int
  private var index = 0
  private var offset = 0

  /// - Parameter byteCount: What a block holds at least, unless its file ends.
  package init(_ files: [MappedFile], byteCount: Int) {
    self.files = files
    self.byteCount = byteCount
  }

  package mutating func next() -> Block? {
    while index < files.count, offset == files[index].count {
      index += 1
      offset = 0
    }
    guard index < files.count else { return nil }
    let file = files[index]
    var end = min(offset + byteCount, file.count)
    if end < file.count { end += unsafe file.pointer(end - 1..<file.count).lineEnd.map { $0 - 1 } ?? 0 }
    defer { offset = end }
    return Block(file: file, range: offset..<end)
  }
}

/// Cuts a stream into blocks of whole lines.
struct StreamBlocks {
  struct Block: Sendable {
    let bytes: [UInt8]
    /// Where it lies in the stream.
    let offset: Int
  }

  private let read: () throws(KistError) -> [UInt8]?
  private let byteCount: Int
  /// What was read and not yet given.
  private var pending: [UInt8] = []
  private var offset = 0
  private var isAtEnd = false

  /// - Parameter byteCount: What a block holds at least, unless the stream ends.
  init(_ read: @escaping () throws(KistError) -> [UInt8]?, byteCount: Int) {
    self.read = read
    self.byteCount = byteCount
  }

  mutating func next() throws(KistError) -> Block? {
    var end: Int?
    var searched = 0
    while !isAtEnd && end == nil {
      guard let bytes = try read() else {
        isAtEnd = true
        break
      }
      pending += bytes
      if pending.count >= byteCount {
        end = pending[searched...].lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 }
        searched = pending.count
      }
    }
    let cut = end ?? pending.count
    guard cut > 0 else { return nil }
    let block = Block(bytes: Array(pending[..<cut]), offset: offset)
    pending.removeSubrange(..<cut)
    offset += cut
    return block
  }
}

extension UnsafeRawBufferPointer {
  /// The end of the first line, behind its `\n`, or of all bytes where there is none; nil when there are no bytes.
  var lineEnd: Int? {
    guard count > 0, let start = baseAddress else { return nil }
    guard let found = unsafe memchr(start, 0x0A, count) else { return count }
    return unsafe UnsafeRawPointer(found) - start + 1
  }
}
