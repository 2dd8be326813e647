import Foundation
import KistCore
import Synchronization

/// Standard output, buffered, and standard error.
enum Output {
  private struct Buffer {
    var bytes: [UInt8] = []
    /// The first write that failed; nothing is written after it.
    var failure: KistError?

    mutating func flush() {
      guard failure == nil, !bytes.isEmpty else { return }
      failure = writeAll(bytes, STDOUT_FILENO)
      bytes.removeAll(keepingCapacity: true)
    }
  }

  private static let buffer = Mutex(Buffer())

  static func text(_ text: String) { bytes(Array(text.utf8)) }

  static func bytes(_ bytes: [UInt8]) {
    buffer.withLock { buffer in
      buffer.bytes += bytes
      if buffer.bytes.count >= 1 << 16 { buffer.flush() }
    }
  }

  static func line(_ text: String = "") { self.text(text + "\n") }

  static func lines(_ lines: [String]) { lines.forEach { line($0) } }

  /// What was printed so far comes first.
  static func standardError(_ text: String) {
    buffer.withLock { $0.flush() }
    _ = writeAll(Array(text.utf8), STDERR_FILENO)
  }

  /// Lets what was printed so far be seen.
  static func flush() throws(KistError) { try finish() }

  /// Throws when not everything could be written: to a full disk, say.
  static func finish() throws(KistError) {
    let failure = buffer.withLock { buffer in
      buffer.flush()
      return buffer.failure
    }
    if let failure { throw failure }
  }

  private static func writeAll(_ bytes: [UInt8], _ descriptor: Int32) -> KistError? {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = unsafe rest.withUnsafeBytes { unsafe write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return .fromErrno(file: "standard output") }
      rest = rest.dropFirst(count)
    }
    return nil
  }

  /// One JSON value, with members in alphabetical order. Numbers that JSON does not have are the strings nan, inf and
  /// -inf.
  static func json(_ value: some Encodable) throws(KistError) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    do {
      let json = String(decoding: try encoder.encode(value), as: UTF8.self)
      // An empty list is written over three lines otherwise. No string has a line break of its own.
      line(json.replacing(#/(?<open>[\[{])\n\n *(?<close>[\]}])/#) { "\($0.open)\($0.close)" })
    } catch {
      throw KistError(.system, "the result can't be written as JSON: \(error)")
    }
  }
}

/// An error as one line, or as JSON when that was asked for.
struct ErrorReport: Encodable {
  let error: Description

  struct Description: Encodable {
    var kind: String
    var file: String?
    var field: String?
    var offset: Int?
    var problem: String
    var advice: String?
  }

  private let line: String

  enum CodingKeys: String, CodingKey { case error }

  init(_ error: KistError) {
    self.error = Description(
      kind: "\(error.kind)", file: error.file, field: error.field, offset: error.offset, problem: error.problem,
      advice: error.advice)
    line = "kist: \(error)"
  }

  func write() {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    // The arguments are not known to be right yet: a verb may fail before it has options.
    let isJSON = CommandLine.arguments.contains("--json")
    let json = isJSON ? (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } : nil
    Output.standardError((json ?? line) + "\n")
  }
}
