/// A character map as tokenizers applies it: to a grapheme cluster of less than six bytes as a whole, else to each scalar; and what
/// begins with a key becomes what the key becomes, the rest of it lost.
///
/// Source: tokenizers, `normalizers/precompiled.rs`; spm_precompiled 0.1.4.
struct PrecompiledNormalization: Sendable {
  private let map: CharacterMap

  init(_ map: CharacterMap) { self.map = map }

  func apply(to text: inout OriginText) {
    var pass = Pass(map: map, walk: OriginWalk(originCount: text.originCount))
    let output = unsafe text.bytes.withUnsafeBufferPointer { unsafe normalized($0, &pass) }
    if let output { text.replace(with: output, originCount: pass.walk.count) }
  }

  /// Nil when all stays.
  private func normalized(_ text: UnsafeBufferPointer<UInt8>, _ pass: inout Pass) -> [UInt8]? {
    var offset = 0
    while offset < text.count {
      let end = unsafe endOfCluster(text, from: offset)
      unsafe pass.take(text, offset..<end)
      offset = end
    }
    return unsafe pass.output(text)
  }

  private func endOfCluster(_ text: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
    if unsafe UTF8Walk.isLoneASCII(text, at: start), unsafe text[start] != 0x0D { return start + 1 }
    var breaks = GraphemeBreaks()
    var offset = start
    while offset < text.count {
      let (scalar, length) = unsafe UTF8Walk.scalar(in: text, at: offset)
      if breaks.breaksBefore(scalar), offset > start { break }
      offset += length
    }
    return offset
  }

  /// Copies what stays a run at a time.
  private struct Pass {
    let map: CharacterMap
    private var written: [UInt8] = []
    private var copied = 0
    private(set) var walk: OriginWalk

    init(map: CharacterMap, walk: OriginWalk) {
      self.map = map
      self.walk = walk
    }

    mutating func take(_ text: UnsafeBufferPointer<UInt8>, _ cluster: Range<Int>) {
      if cluster.count == 1, unsafe map.isPlain(ascii: text[cluster.lowerBound]) { return }
      if cluster.count < 6, let replacement = unsafe map.shortestMatch(text, in: cluster) {
        unsafe replace(text, cluster, with: replacement)
        return
      }
      var offset = cluster.lowerBound
      while offset < cluster.upperBound {
        let end = unsafe offset + UTF8Walk.scalar(in: text, at: offset).length
        if let replacement = unsafe map.shortestMatch(text, in: offset..<end) {
          unsafe replace(text, offset..<end, with: replacement)
        }
        offset = end
      }
    }

    private mutating func replace(_ text: UnsafeBufferPointer<UInt8>, _ part: Range<Int>, with replacement: Range<Int>)
    {
      if written.isEmpty { written.reserveCapacity(text.count + text.count / 2) }
      unsafe written.append(contentsOf: text[copied..<part.lowerBound])
      written.append(contentsOf: map.bytes(replacement))
      if !walk.isDone { unsafe follow(text, part, replacement) }
      copied = part.upperBound
    }

    /// The characters that a replacement has more are its last; what it has less goes with the last character before.
    private mutating func follow(_ text: UnsafeBufferPointer<UInt8>, _ part: Range<Int>, _ replacement: Range<Int>) {
      unsafe walk.keep(copied..<part.lowerBound, of: text)
      let lengths = map.bytes(replacement).scalarLengths
      let oldCount = unsafe [UInt8](text[part])[...].scalarLengths.count
      for (index, length) in lengths.enumerated() {
        unsafe walk.add(byteCount: length, change: index < oldCount ? 0 : 1, of: text)
      }
      walk.remove(max(0, oldCount - lengths.count))
    }

    mutating func output(_ text: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
      guard copied > 0 else { return nil }
      unsafe walk.keep(copied..<text.count, of: text)
      unsafe walk.settle(text)
      return unsafe written + text[copied...]
    }
  }
}

extension ArraySlice<UInt8> {
  /// How many bytes each scalar has.
  fileprivate var scalarLengths: [Int] {
    let starts = indices.filter { self[$0] & 0xC0 != 0x80 } + [endIndex]
    return zip(starts.dropFirst(), starts).map(-)
  }
}

extension UTF8Walk {
  /// Whether an ASCII byte stands at a position, and no other than ASCII after it.
  @inline(__always)
  static func isLoneASCII(_ text: UnsafeBufferPointer<UInt8>, at position: Int) -> Bool {
    guard unsafe text[position] < 0x80 else { return false }
    return unsafe position + 1 == text.count ? true : text[position + 1] < 0x80
  }
}
