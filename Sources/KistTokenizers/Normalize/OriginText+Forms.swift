/// Normalization forms.
extension OriginText {
  /// Text of ASCII, or of scalars that the form never changes, is looked through and left.
  mutating func normalize(to form: NormalizationForm) {
    var normalization = FormNormalization(form, walk: OriginWalk(originCount: originCount))
    let output = unsafe bytes.withUnsafeBufferPointer { unsafe normalization.normalized($0) }
    if let output { replace(with: output, originCount: normalization.walk.count) }
  }
}

/// Brings text into a normalization form. Source: UAX #15, sections 1.2, 9.1 and 16.
private struct FormNormalization {
  private let form: NormalizationForm
  private let instability = UnicodeTable.instability
  private let bit: UInt8
  private let classes = UnicodeTable.combiningClass
  private let expansions: ScalarExpansions
  private let compositions = UnicodeTable.compositions
  private var output: [UInt8] = []
  private(set) var walk: OriginWalk
  /// Decomposed scalars with their combining classes: `class << 56 | place << 22 | isAdded << 21 | scalar`.
  private var segment: [UInt64] = []
  /// Scalars with their changes (see `OriginWalk`).
  private var composed: [(scalar: UInt32, change: Int)] = []

  init(_ form: NormalizationForm, walk: OriginWalk) {
    self.form = form
    self.walk = walk
    bit = 1 << form.rawValue
    expansions = form.isCompatible ? UnicodeTable.compatibilityDecompositions : UnicodeTable.canonicalDecompositions
  }

  /// Nil when the text is in the form already: when none of its scalars can change.
  mutating func normalized(_ text: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
    // The last scalar that begins something new, and how far the output goes.
    var (start, copied, offset) = (0, 0, 0)
    while true {
      let ascii = unsafe text.endOfASCII(from: offset)
      if ascii > offset {
        start = ascii - 1
        offset = ascii
      }
      guard offset < text.count else { break }
      let (scalar, length) = unsafe UTF8Walk.scalar(in: text, at: offset)
      if instability[scalar] & bit == 0 {
        start = offset
        offset += length
        continue
      }
      if output.isEmpty { output.reserveCapacity(text.count + text.count / 2) }
      unsafe output.append(contentsOf: text[copied..<start])
      unsafe walk.keep(copied..<start, of: text)
      offset = unsafe normalizeSegment(text, from: start)
      (start, copied) = (offset, offset)
    }
    guard copied > 0 else { return nil }
    unsafe output.append(contentsOf: text[copied...])
    unsafe walk.keep(copied..<text.count, of: text)
    unsafe walk.settle(text)
    return output
  }

  /// Normalizes from a scalar up to the next that begins something new, which is returned.
  private mutating func normalizeSegment(_ text: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
    segment.removeAll(keepingCapacity: true)
    var offset = start
    while offset < text.count {
      let (scalar, length) = unsafe UTF8Walk.scalar(in: text, at: offset)
      if offset > start, instability[scalar] & bit == 0 { break }
      decompose(scalar)
      offset += length
    }
    order()
    if form.composes {
      compose()
      for (scalar, change) in composed { unsafe write(scalar, change: change, of: text) }
    } else {
      for entry in segment { unsafe write(Self.scalar(entry), change: Self.change(entry), of: text) }
    }
    return offset
  }

  private static func scalar(_ entry: UInt64) -> UInt32 { UInt32(entry & 0x1F_FFFF) }

  private static func change(_ entry: UInt64) -> Int { Int(entry >> 21 & 1) }

  private mutating func write(_ scalar: UInt32, change: Int, of text: UnsafeBufferPointer<UInt8>) {
    let start = output.count
    output.append(scalar: scalar)
    if !walk.isDone { unsafe walk.add(byteCount: output.count - start, change: change, of: text) }
  }

  private mutating func decompose(_ scalar: UInt32) {
    if let (leading, vowel, trailing) = Hangul.jamo(of: scalar) {
      append(leading)
      append(vowel, isAdded: true)
      if let trailing { append(trailing, isAdded: true) }
      return
    }
    let expansion = expansions[scalar]
    if expansion.isEmpty { append(scalar) }
    for index in expansion.indices { append(expansion[index], isAdded: index > expansion.startIndex) }
  }

  private mutating func append(_ scalar: UInt32, isAdded: Bool = false) {
    segment.append(UInt64(classes[scalar]) << 56 | (isAdded ? 1 << 21 : 0) | UInt64(scalar))
  }

  /// Sorts each run of combining marks by class; those of one class stay in their order.
  private mutating func order() {
    var start = 0
    while start < segment.count {
      guard segment[start] >> 56 != 0 else {
        start += 1
        continue
      }
      var (end, isSorted) = (start + 1, true)
      while end < segment.count, segment[end] >> 56 != 0 {
        if segment[end] >> 56 < segment[end - 1] >> 56 { isSorted = false }
        end += 1
      }
      if !isSorted {
        for place in start..<end { segment[place] |= UInt64(place - start) << 22 }
        segment[start..<end].sort()
      }
      start = end
    }
  }

  private mutating func compose() {
    composed.removeAll(keepingCapacity: true)
    var starter: Int?
    var lastClass: UInt64 = 0
    for entry in segment {
      let (scalar, combiningClass) = (Self.scalar(entry), entry >> 56)
      // Blocked when something stands between that has no lower class.
      if let starter, composed.count - 1 == starter || lastClass < combiningClass,
        let composite = Hangul.composite(composed[starter].scalar, scalar)
          ?? compositions[composed[starter].scalar, scalar]
      {
        composed[starter] = (composite, composed[starter].change + Self.change(entry) - 1)
        continue
      }
      if combiningClass == 0 { starter = composed.count }
      lastClass = combiningClass
      composed.append((scalar, Self.change(entry)))
    }
  }
}

/// Hangul syllables are composed by arithmetic. Source: The Unicode Standard, section 3.12.
enum Hangul {
  private static let syllable: UInt32 = 0xAC00
  private static let leading: UInt32 = 0x1100
  private static let vowel: UInt32 = 0x1161
  private static let trailing: UInt32 = 0x11A7
  private static let (vowelCount, trailingCount): (UInt32, UInt32) = (21, 28)
  private static let leadingCount: UInt32 = 19
  private static let syllableCount = leadingCount * vowelCount * trailingCount

  static func jamo(of scalar: UInt32) -> (UInt32, UInt32, UInt32?)? {
    let index = scalar &- syllable
    guard index < syllableCount else { return nil }
    let last = index % trailingCount
    return (
      leading + index / (vowelCount * trailingCount), vowel + index / trailingCount % vowelCount,
      last == 0 ? nil : trailing + last
    )
  }

  static func composite(_ first: UInt32, _ second: UInt32) -> UInt32? {
    if first &- leading < leadingCount, second &- vowel < vowelCount {
      return syllable + ((first - leading) * vowelCount + second - vowel) * trailingCount
    }
    let index = first &- syllable
    let last = second &- trailing
    guard index < syllableCount, index % trailingCount == 0, last > 0, last < trailingCount else { return nil }
    return first + last
  }
}
