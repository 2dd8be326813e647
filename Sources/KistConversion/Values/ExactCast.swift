import KistCheckpoints
import KistCore
import KistFormat

/// An array in another dtype, when that loses nothing.
public enum ExactCast {
  /// The elements of an array as a dtype.
  ///
  /// - Returns: nil when one of them is not a value of the dtype, to the sign of a zero; a NaN stands for any NaN. Also
  ///   when the number of elements does not fill whole bytes, or the file can't be read any more.
  public static func bytes(of array: NpyFile, as dtype: DType) -> [UInt8]? {
    if array.dtype == dtype { return try? array.bytes() }
    guard let count = array.shape.elementCount, dtype.byteCount(ofElements: count) != nil,
      let encoder = ElementEncoder(dtype)
    else { return nil }
    let tensor = CheckpointTensor(name: "array", dtype: array.dtype, shape: array.shape, source: array.source)
    guard let window = try? TensorWindow(tensor, file: "") else { return nil }
    var writer = BitWriter(bitsPerElement: dtype.bitsPerElement)
    for element in 0..<count {
      guard let value = try? window.value(at: element), let pattern = encoder.pattern(of: value) else { return nil }
      writer.append(pattern)
    }
    return writer.bytes
  }
}

/// Finds the bits that stand for a value in a dtype.
private struct ElementEncoder {
  private let dtype: DType
  /// For floats of at most 16 bits: all their values, by the bits of the same value in F32.
  private var patterns: [UInt32: UInt64] = [:]
  private var nanPattern: UInt64?

  /// Nil for complex dtypes and block types.
  init?(_ dtype: DType) {
    self.dtype = dtype
    if dtype.numbers == .complex || dtype.isBlockType { return nil }
    guard case .float(let format) = dtype.numbers else { return }
    for pattern in 0..<(UInt64(1) << dtype.bitsPerElement) {
      let value = format.decode(UInt16(pattern))
      if value.isNaN {
        nanPattern = nanPattern ?? pattern
      } else {
        patterns[value.bitPattern] = pattern
      }
    }
  }

  func pattern(of value: TensorValue) -> UInt64? {
    switch dtype.numbers {
    case .boolean: value.wholeNumber.flatMap { $0 == 0 ? 0 : $0 == 1 ? 1 : nil }
    case .unsigned, .signed: value.wholeNumber.flatMap(integerPattern)
    case .ieee: value.exactDouble.flatMap(ieeePattern)
    case .float: value.exactDouble.flatMap(smallPattern)
    case .complex, .blocks: nil
    }
  }

  private func integerPattern(_ number: Int128) -> UInt64? {
    let bits = dtype.bitsPerElement
    let range =
      dtype.numbers == .signed
      ? -(Int128(1) << (bits - 1))...(Int128(1) << (bits - 1)) - 1 : 0...(Int128(1) << bits) - 1
    return range.contains(number)
      ? UInt64(truncatingIfNeeded: number) & (bits == 64 ? .max : UInt64(1) << bits - 1) : nil
  }

  private func ieeePattern(_ number: Double) -> UInt64? {
    guard dtype == .f32 else { return number.bitPattern }
    let narrow = Float(number)
    return Double(narrow) == number || number.isNaN ? UInt64(narrow.bitPattern) : nil
  }

  private func smallPattern(_ number: Double) -> UInt64? {
    if number.isNaN { return nanPattern }
    let narrow = Float(number)
    return Double(narrow) == number ? patterns[narrow.bitPattern] : nil
  }
}

extension TensorValue {
  /// The value as an integer, when it is one; −0 is none.
  fileprivate var wholeNumber: Int128? {
    switch self {
    case .bool(let flag): flag ? 1 : 0
    case .integer(let number): number
    case .float(let number): number.sign == .minus && number == 0 ? nil : Int128(exactly: number)
    case .complex: nil
    }
  }

  /// The value as an f64, when there is one.
  fileprivate var exactDouble: Double? {
    switch self {
    case .bool(let flag): flag ? 1 : 0
    case .integer(let number): Double(exactly: number)
    case .float(let number): number
    case .complex: nil
    }
  }
}

/// Puts elements side by side, the first in the lowest bits.
private struct BitWriter {
  let bitsPerElement: Int
  private(set) var bytes: [UInt8] = []
  private var pending: UInt64 = 0
  private var pendingBits = 0

  init(bitsPerElement: Int) { self.bitsPerElement = bitsPerElement }

  mutating func append(_ pattern: UInt64) {
    if bitsPerElement % 8 == 0 {
      for shift in stride(from: 0, to: bitsPerElement, by: 8) {
        bytes.append(UInt8(truncatingIfNeeded: pattern >> UInt64(shift)))
      }
      return
    }
    pending |= pattern << UInt64(pendingBits)
    pendingBits += bitsPerElement
    while pendingBits >= 8 {
      bytes.append(UInt8(truncatingIfNeeded: pending))
      pending >>= 8
      pendingBits -= 8
    }
  }
}
