import Foundation
import KistCore

/// JSON, an object a line, from standard input to standard output.
enum JSONLines {
  /// Lines that are worked on together.
  private static let batchByteCount = 1 << 18

  /// Answers each line with a line, in order, on several threads.
  ///
  /// - Parameter answer: Gives a whole line.
  /// - Throws: What `answer` throws, naming the line.
  static func map(
    _ parallelism: Parallelism, _ answer: @escaping (JSONValue) throws(KistError) -> [UInt8]
  ) throws(KistError) {
    try forEach(parallelism, answer) { lines in Output.bytes(Array(lines.joined())) }
  }

  /// Works on each line, on several threads, and hands what came of them on, in order, many lines at a time.
  ///
  /// - Throws: What `work` throws, naming the line.
  static func forEach<Value: Sendable>(
    _ parallelism: Parallelism, _ work: @escaping (JSONValue) throws(KistError) -> Value,
    _ consume: @escaping ([Value]) -> Void
  ) throws(KistError) {
    let lines = InputLines()
    try parallelism.inOrder(
      next: { lines.next(byteCount: batchByteCount) },
      produce: { (batch) throws(KistError) in
        var values: [Value] = []
        for (index, line) in batch.lines.enumerated() where !line.allSatisfy({ $0 == 32 || $0 == 13 }) {
          do throws(KistError) {
            let document = unsafe try JSONDocument(line.span.bytes)
            values.append(try work(document.root))
          } catch {
            throw error.inFile("line \(batch.firstNumber + index) of standard input")
          }
        }
        return values
      },
      consume: { (_, values) throws(KistError) in consume(values) })
  }
}

/// Lines of standard input, read in pieces.
private final class InputLines: @unchecked Sendable {
  struct Batch: Sendable {
    var firstNumber: Int
    var lines: [[UInt8]]
  }

  private var rest: [UInt8] = []
  private var number = 1
  private var isAtEnd = false

  /// The next lines, of about so many bytes; nil at the end. Called by one thread at a time.
  func next(byteCount: Int) -> Batch? {
    var newline = rest.lastIndex(of: UInt8(ascii: "\n"))
    while !isAtEnd, newline == nil || rest.count < byteCount {
      let data = FileHandle.standardInput.readData(ofLength: 1 << 16)
      isAtEnd = data.isEmpty
      rest += data
      newline = rest.lastIndex(of: UInt8(ascii: "\n"))
    }
    guard !rest.isEmpty else { return nil }
    let end = isAtEnd ? rest.count : newline.map { $0 + 1 } ?? rest.count
    var lines = rest[..<end].split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { [UInt8]($0) }
    if lines.last?.isEmpty == true { lines.removeLast() }
    rest.removeFirst(end)
    defer { number += lines.count }
    return Batch(firstNumber: number, lines: lines)
  }
}
