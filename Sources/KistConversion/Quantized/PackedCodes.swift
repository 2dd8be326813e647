import KistCore

/// Small integers of a matrix, packed into 32-bit words along one of its dimensions.
struct PackedCodes: Sendable {
  /// Which dimension neighbours in a word are neighbours in.
  enum Axis: Sendable { case rows, columns }

  var bits: Int
  var axis: Axis
  /// Words from one row to the next, or from one run of 32 rows to the next where rows are packed.
  var rowStride: Int
  /// The same for columns.
  var columnStride: Int
  /// Words that a run of 32 codes takes lie this far apart.
  var wordStride: Int
  /// Where in its run of eight each code lies; nil for one after the other.
  var order: [Int]?

  /// The code of a row and column.
  @inline(__always)
  func code(_ words: UnsafePointer<UInt32>, _ row: Int, _ column: Int) -> Int {
    let place = axis == .rows ? row : column
    let other = axis == .rows ? column * columnStride : row * rowStride
    var inRun = place % 32
    if let order { inRun = inRun / 8 * 8 + order[inRun % 8] }
    let (word, shift) = (inRun * bits / 32, inRun * bits % 32)
    let first = other + (place / 32 * bits + word) * wordStride
    var value = unsafe Int(UInt32(littleEndian: words[first]) >> UInt32(shift))
    // Of 3 bits, some lie in two words.
    if shift + bits > 32 { value |= unsafe Int(UInt32(littleEndian: words[first + wordStride])) << (32 - shift) }
    return value & (1 << bits - 1)
  }

  /// Words that a table of so many rows and columns takes; nil when that is no whole number of words.
  static func wordCount(bits: Int, packed count: Int, other: Int) -> Int? {
    let (total, overflow) = count.multipliedReportingOverflow(by: bits)
    guard !overflow, total % 32 == 0 else { return nil }
    let (words, tooMany) = (total / 32).multipliedReportingOverflow(by: other)
    return tooMany ? nil : words
  }
}

/// A matrix of integers with a scale and a zero point for each group of inputs: (code − zero) · scale.
struct GroupedIntegers: ElementSource {
  let shape: Shape
  let codes: PackedCodes
  /// Zero points, a row for each output and a column for each group; nil when all are `zero`.
  let zeroCodes: PackedCodes?
  /// What is added to zero points, or is all of them.
  let zero: Int
  /// Where a scale lies: outputs and groups apart.
  let scaleStrides: (row: Int, group: Int)
  let words: WholeContent
  let zeroWords: WholeContent?
  /// [groups × outputs], in the order of the strides.
  let scales: [Float]
  /// The group of each input.
  let groups: [Int]
  let left: ReleaseCount

  func read(_ elements: Range<Int>, into values: UnsafeMutablePointer<Float>) throws(KistError) {
    let bytes = try words.content()
    let zeroBytes = try zeroWords?.content() ?? []
    unsafe bytes.withUnsafeBytes { bytes in
      unsafe zeroBytes.withUnsafeBytes { zeroBytes in
        guard let words = unsafe bytes.baseAddress?.assumingMemoryBound(to: UInt32.self) else { return }
        let zeros = unsafe zeroBytes.baseAddress?.assumingMemoryBound(to: UInt32.self)
        for element in elements {
          let (row, column) = (element / groups.count, element % groups.count)
          let group = groups[column]
          var zero = zero
          if let zeroCodes, let zeros = unsafe zeros { unsafe zero += zeroCodes.code(zeros, row, group) }
          let code = unsafe codes.code(words, row, column) - zero
          unsafe values[element - elements.lowerBound] =
            Float(code) * scales[row * scaleStrides.row + group * scaleStrides.group]
        }
      }
    }
  }

  func release(_ elements: Range<Int>) {
    guard left.isLast(elements.count) else { return }
    words.release()
    zeroWords?.release()
  }
}
