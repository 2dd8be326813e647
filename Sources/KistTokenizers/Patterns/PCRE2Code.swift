import CPCRE2
import KistCore

/// A compiled PCRE2 pattern over bytes. The only file that calls PCRE2.
@safe final class PCRE2Code: Sendable {
  private nonisolated(unsafe) let code: OpaquePointer
  private let matchers: ResourcePool<PCRE2Matcher>

  /// - Parameter pattern: ASCII, without what depends on PCRE2's own tables.
  /// - Throws: `unsupported` with PCRE2's own words.
  init(_ pattern: String) throws(KistError) {
    var (number, offset) = (CInt(0), 0)
    let options = UInt32(PCRE2_DOTALL) | UInt32(PCRE2_DOLLAR_ENDONLY) | UInt32(PCRE2_NEVER_UTF)
    let bytes = Array(pattern.utf8)
    let compiled = unsafe bytes.withUnsafeBufferPointer { buffer in
      unsafe pcre2_compile_8(buffer.baseAddress, buffer.count, options, &number, &offset, nil)
    }
    guard let code = unsafe compiled else {
      throw KistError(.unsupported, field: "pattern", "can't be translated exactly: \(Self.message(number))")
    }
    // Where there is no JIT, the interpreter runs it.
    _ = unsafe pcre2_jit_compile_8(code, PCRE2_JIT_COMPLETE)
    unsafe self.code = code
    matchers = ResourcePool { () throws(KistError) in try PCRE2Matcher() }
  }

  deinit { unsafe pcre2_code_free_8(code) }

  /// Calls `body` with each match from the left: where it begins and ends. Empty matches count, but not right behind a match.
  /// Source: onig's `FindMatches`; fancy-regex, `Matches`.
  ///
  /// - Throws: `unsupported` when a match takes too long or too much memory.
  func forEachMatch(
    in subject: UnsafeBufferPointer<UInt8>, _ body: (_ start: Int, _ end: Int) throws(KistError) -> Void
  ) throws(KistError) {
    let matcher = try matchers.take()
    defer { matchers.give(matcher) }
    var (position, previousEnd) = (0, -1)
    while position <= subject.count,
      let match = unsafe try matcher.firstMatch(of: code, in: subject, from: position)
    {
      if match.isEmpty, match.lowerBound == previousEnd {
        // One atom is one character.
        position = match.upperBound + 1
        continue
      }
      try body(match.lowerBound, match.upperBound)
      (position, previousEnd) = (match.upperBound, match.upperBound)
    }
  }

  static func message(_ number: CInt) -> String {
    var buffer = [UInt8](repeating: 0, count: 256)
    let count = unsafe buffer.withUnsafeMutableBufferPointer {
      unsafe pcre2_get_error_message_8(number, $0.baseAddress, 256)
    }
    return String(decoding: buffer.prefix(max(0, Int(count))), as: UTF8.self)
  }
}

/// What one thread needs for matching.
@safe final class PCRE2Matcher: Sendable {
  private nonisolated(unsafe) let data: OpaquePointer
  private nonisolated(unsafe) let context: OpaquePointer
  private nonisolated(unsafe) let stack: OpaquePointer

  /// Backtracks within one match. Source: oniguruma, `DEFAULT_RETRY_LIMIT_IN_MATCH`.
  private static let matchLimit: UInt32 = 10_000_000
  /// In KiB, for the interpreter.
  private static let heapLimit: UInt32 = 256 * 1024
  private static let jitStackByteCounts = (first: 32 * 1024, most: 16 << 20)

  init() throws(KistError) {
    guard let data = unsafe pcre2_match_data_create_8(1, nil), let context = unsafe pcre2_match_context_create_8(nil),
      let stack = unsafe pcre2_jit_stack_create_8(Self.jitStackByteCounts.first, Self.jitStackByteCounts.most, nil)
    else { throw KistError(.system, field: "pattern", "no memory to match it") }
    unsafe (self.data, self.context, self.stack) = (data, context, stack)
    unsafe pcre2_set_match_limit_8(context, Self.matchLimit)
    unsafe pcre2_set_heap_limit_8(context, Self.heapLimit)
    unsafe pcre2_jit_stack_assign_8(context, nil, UnsafeMutableRawPointer(stack))
  }

  deinit {
    unsafe pcre2_match_data_free_8(data)
    unsafe pcre2_match_context_free_8(context)
    unsafe pcre2_jit_stack_free_8(stack)
  }

  func firstMatch(
    of code: OpaquePointer, in subject: UnsafeBufferPointer<UInt8>, from start: Int
  ) throws(KistError) -> Range<Int>? {
    var result = unsafe pcre2_match_8(code, subject.baseAddress, subject.count, start, 0, data, context)
    if result == PCRE2_ERROR_JIT_STACKLIMIT {
      result = unsafe pcre2_match_8(
        code, subject.baseAddress, subject.count, start, UInt32(PCRE2_NO_JIT), data, context)
    }
    if result == PCRE2_ERROR_NOMATCH { return nil }
    guard result >= 0, let bounds = unsafe pcre2_get_ovector_pointer_8(data), unsafe bounds[0] <= bounds[1] else {
      throw KistError(
        .unsupported, field: "pattern", "takes too long or too much memory on this text: \(PCRE2Code.message(result))")
    }
    return unsafe bounds[0]..<bounds[1]
  }
}
