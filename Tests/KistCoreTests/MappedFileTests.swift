import Foundation
import KistCore
import TestSupport
import Testing

// One after the other: a test that maps more files than are guarded leaves none of the guard's places to the others.
@Suite(.serialized) struct MappedFileTests {
  private func bytes(_ file: MappedFile, _ range: Range<Int>) -> [UInt8] { unsafe [UInt8](file.pointer(range)) }

  @Test func `a file is mapped as it is`() throws {
    let folder = try TemporaryFolder()
    var random = SeededGenerator(seed: 1)
    let content = random.bytes(10_000)
    try writeFile(content, folder.file("a"))
    let file = try MappedFile(path: folder.file("a"))
    #expect(file.count == 10_000)
    #expect(bytes(file, 0..<10_000) == content)
    #expect(file.bytes.byteCount == 10_000)
    try file.checkIntact()
  }

  @Test func `a file that is cut short while it is mapped reads as zeros, and that is found out`() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("a")
    try writeFile([UInt8](repeating: 7, count: 100_000), path)
    let file = try MappedFile(path: path)
    let other = try MappedFile(path: path)
    #expect(unsafe truncate(path, 5000) == 0)
    #expect(bytes(file, 0..<5000) == [UInt8](repeating: 7, count: 5000))
    try file.checkIntact()
    // The page that holds the end is still there, and zero after it; the pages that follow are gone.
    #expect(bytes(file, 5000..<100_000) == [UInt8](repeating: 0, count: 95_000))
    #expect {
      try file.checkIntact()
    } throws: {
      let error = $0 as? KistError
      return error?.kind == .damaged && error?.file == path && error?.problem.contains("vanished") == true
    }
    try other.checkIntact()
    #expect(bytes(other, 99_999..<100_000) == [0])
    #expect(throws: KistError.self) { try other.checkIntact() }
  }

  @Test func `a loss is not remembered for the next file that is mapped`() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("a")
    for _ in 0..<10 {
      try writeFile([UInt8](repeating: 7, count: 20_000), path)
      let file = try MappedFile(path: path)
      try file.checkIntact()
      #expect(unsafe truncate(path, 0) == 0)
      #expect(bytes(file, 0..<20_000).allSatisfy { $0 == 0 })
      #expect(throws: KistError.self) { try file.checkIntact() }
    }
  }

  @Test func `many files are mapped at a time`() throws {
    let folder = try TemporaryFolder()
    try writeFile([1, 2, 3], folder.file("a"))
    let files = try (0..<5000).map { _ in try MappedFile(path: folder.file("a")) }
    #expect(files.allSatisfy { bytes($0, 0..<3) == [1, 2, 3] })
  }

  @Test func `an empty file has no bytes`() throws {
    let folder = try TemporaryFolder()
    try writeFile([], folder.file("a"))
    let file = try MappedFile(path: folder.file("a"))
    #expect(file.count == 0)
    #expect(file.bytes.byteCount == 0)
    #expect(bytes(file, 0..<0) == [])
    file.populate(0..<0)
    file.release(0..<0)
    try file.checkIntact()
  }

  @Test func `releasing and populating change nothing that is read`() throws {
    let folder = try TemporaryFolder()
    var random = SeededGenerator(seed: 2)
    let content = random.bytes(50_001)
    try writeFile(content, folder.file("a"))
    let file = try MappedFile(path: folder.file("a"))
    for range in [0..<50_001, 1..<2, 4095..<4097, 4096..<8192, 50_000..<50_001, 0..<0] {
      file.populate(range)
      file.release(range)
      #expect(bytes(file, 0..<50_001) == content)
    }
  }

  @Test func `what is not a regular file is refused, naming it`() throws {
    let folder = try TemporaryFolder()
    #expect {
      try MappedFile(path: folder.file("a"))
    } throws: {
      ($0 as? KistError)?.kind == .missing && "\($0)".hasPrefix(folder.file("a"))
    }
    #expect {
      try MappedFile(path: folder.path)
    } throws: {
      ($0 as? KistError)?.kind == .invalid && "\($0)".contains("is a directory")
    }
    #expect {
      try MappedFile(path: "/dev/null")
    } throws: {
      ($0 as? KistError)?.kind == .invalid && "\($0)".contains("not a regular file")
    }
  }
}
