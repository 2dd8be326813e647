/// Follows how characters of a new text stand for characters of the old one, as far as its first character goes.
///
/// tokenizers describes new text as characters with a change each: 0 takes the place of the next old character, -n also removes n more
/// after it, 1 is added, and belongs to the old byte before. Where these don't fit what really became what (marks that were sorted,
/// clusters that were replaced), ids depend on it all the same. Source: tokenizers, `NormalizedString::transform_range`.
struct OriginWalk {
  /// Of the old text.
  private let originCount: Int
  private var offset = 0
  private var last: (byteCount: Int, change: Int)?
  private var hasLeft: Bool
  /// How many bytes at the beginning of the new text stand for the old text's first character.
  private(set) var count = 0

  init(originCount: Int) {
    self.originCount = originCount
    hasLeft = originCount == 0
  }

  /// Whether more characters would change nothing.
  var isDone: Bool { hasLeft }

  /// Takes the next character of the new text.
  mutating func add(byteCount: Int, change: Int, of text: UnsafeBufferPointer<UInt8>) {
    unsafe settle(text)
    last = (byteCount, change)
  }

  /// Takes characters that stay.
  mutating func keep(_ range: Range<Int>, of text: UnsafeBufferPointer<UInt8>) {
    var start = range.lowerBound
    while !hasLeft, start < range.upperBound {
      let length = unsafe UTF8Walk.scalar(in: text, at: start).length
      unsafe add(byteCount: length, change: 0, of: text)
      start += length
    }
  }

  /// Removes old characters after those of the last new one; before the first, none.
  mutating func remove(_ scalarCount: Int) { last?.change -= scalarCount }

  /// Settles the last character.
  mutating func settle(_ text: UnsafeBufferPointer<UInt8>) {
    guard let (byteCount, change) = last, !hasLeft else { return }
    last = nil
    guard (change > 0 ? offset - 1 : offset) < originCount else {
      hasLeft = true
      return
    }
    count += byteCount
    guard change <= 0 else { return }
    for _ in 0...(-change) where offset < text.count { offset += unsafe UTF8Walk.scalar(in: text, at: offset).length }
  }
}
