/// Integers of more than 64 bits in a JSON text: `"model_max_length": 1000000000000000019884624838656`.
enum WideIntegers {
  /// The text with each of them as a floating-point number; nil when it has none.
  static func asFloats(_ bytes: UnsafeRawBufferPointer) -> [UInt8]? {
    var output: [UInt8] = []
    var copied = 0
    var index = 0
    while index < bytes.count {
      switch unsafe bytes[index] {
      case UInt8(ascii: "\""): index = unsafe end(ofStringAt: index, bytes)
      case UInt8(ascii: "0")...UInt8(ascii: "9"):
        let end = unsafe end(ofNumberAt: index, bytes)
        let digits = unsafe bytes[index..<end]
        let isNegative = unsafe index > 0 && bytes[index - 1] == UInt8(ascii: "-")
        if unsafe isWide(digits, isNegative: isNegative) {
          unsafe output += bytes[copied..<end]
          output += Array(".0".utf8)
          copied = end
        }
        index = end
      default: index += 1
      }
    }
    guard copied > 0 else { return nil }
    return unsafe output + bytes[copied...]
  }

  private static func end(ofStringAt start: Int, _ bytes: UnsafeRawBufferPointer) -> Int {
    var index = start + 1
    while index < bytes.count, unsafe bytes[index] != UInt8(ascii: "\"") {
      index += unsafe bytes[index] == UInt8(ascii: "\\") ? 2 : 1
    }
    return index + 1
  }

  /// All of a number but its sign.
  private static func end(ofNumberAt start: Int, _ bytes: UnsafeRawBufferPointer) -> Int {
    let others = Array(".eE+-".utf8)
    var index = start
    while index < bytes.count,
      unsafe (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[index]) || others.contains(bytes[index])
    { index += 1 }
    return index
  }

  private static func isWide(_ text: Slice<UnsafeRawBufferPointer>, isNegative: Bool) -> Bool {
    guard unsafe text.count >= 19, unsafe text.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
    else {
      return false
    }
    let digits = unsafe String(decoding: text, as: UTF8.self)
    return isNegative ? Int64("-" + digits) == nil : UInt64(digits) == nil
  }
}
