import CKernels
import KistCore

/// Writes f32 numbers as elements of another dtype: the counterpart of ``RowDecoder``.
///
/// F16, BF16 and the 8-bit floats round to the nearest, ties to even. Block types give llama.cpp's blocks (``BlockCodec``).
public struct RowEncoder: Sendable {
  @safe private enum Method: Sendable {
    case blocks(BlockCodec)
    case copy
    case kernel(@Sendable (UnsafePointer<Float>, Int, UnsafeMutableRawPointer) -> Void)
    case bytes(MiniFloatRounding)
  }

  public let dtype: DType
  private let method: Method

  /// - Returns: nil for dtypes that weights are not written in: integers, F64, and block types of intermediate results.
  public init?(_ dtype: DType) {
    guard let method = RowEncoder.method(dtype) else { return nil }
    self.dtype = dtype
    self.method = method
  }

  private static func method(_ dtype: DType) -> Method? {
    if let codec = BlockCodec(dtype) { return codec.canQuantize ? .blocks(codec) : nil }
    switch dtype {
    case .f32: return .copy
    case .f16: return unsafe .kernel { unsafe kist_f32_to_f16($0, $1, $2) }
    case .bf16: return unsafe .kernel { unsafe kist_f32_to_bf16($0, $1, $2) }
    case .f8e4m3, .f8e5m2:
      guard case .float(let format) = dtype.numbers else { return nil }
      return .bytes(MiniFloatRounding(format))
    default: return nil
    }
  }

  /// Whether rows are cut into blocks, so that only whole rows can be encoded.
  public var needsWholeRows: Bool { dtype.isBlockType }

  /// Whether numbers can't be encoded without an importance matrix.
  public var requiresImportance: Bool {
    if case .blocks(let codec) = method { codec.requiresImportance } else { false }
  }

  /// Encodes `rows` × `columns` numbers.
  ///
  /// - Parameters:
  ///   - columns: a multiple of `dtype.unitElementCount`.
  ///   - importance: [columns]: see ``BlockCodec/quantize(_:rows:columns:importance:into:)``.
  ///   - target: the bytes of as many elements, at any address, overwritten.
  public func encode(
    _ values: UnsafePointer<Float>, rows: Int, columns: Int, importance: UnsafePointer<Float>? = nil,
    into target: UnsafeMutableRawPointer
  ) {
    let count = rows * columns
    switch method {
    case .blocks(let codec):
      unsafe codec.quantize(values, rows: rows, columns: columns, importance: importance, into: target)
    case .copy: unsafe target.copyMemory(from: values, byteCount: 4 * count)
    case .kernel(let kernel): unsafe kernel(values, count, target)
    case .bytes(let rounding):
      for index in 0..<count {
        unsafe target.storeBytes(of: rounding.pattern(of: values[index]), toByteOffset: index, as: UInt8.self)
      }
    }
  }
}

/// The bits of the nearest number of an 8-bit float.
///
/// As PyTorch 2.15 casts: ties to even; beyond the largest number by half a step is infinity where the format has one, else the largest.
private struct MiniFloatRounding: Sendable {
  /// The numbers that are not negative, ascending: their index is their pattern.
  private let numbers: [Float]
  /// The pattern of what lies beyond the largest.
  private let overflow: UInt8
  private let nan: UInt8
  /// From here on a number counts as beyond the largest.
  private let limit: Float

  init(_ format: MiniFloat) {
    let values = (0..<UInt16(128)).map { format.decode($0) }
    numbers = values.filter(\.isFinite)
    nan = UInt8(values.lastIndex { $0.isNaN } ?? 127)
    overflow = UInt8(values.firstIndex(of: .infinity) ?? numbers.count - 1)
    let (last, before) = (numbers[numbers.count - 1], numbers[numbers.count - 2])
    limit = last + (last - before) / 2
  }

  func pattern(of value: Float) -> UInt8 {
    let sign: UInt8 = value.sign == .minus ? 128 : 0
    let magnitude = value.magnitude
    if magnitude.isNaN { return sign | nan }
    // A tie at the end rounds to even: to the largest number when its pattern is even.
    let isBeyond = numbers.count % 2 == 1 ? magnitude > limit : magnitude >= limit
    if isBeyond { return sign | overflow }
    var (low, high) = (0, numbers.count)
    while high - low > 1 {
      let middle = (low + high) / 2
      if numbers[middle] <= magnitude { low = middle } else { high = middle }
    }
    guard low + 1 < numbers.count else { return sign | UInt8(low) }
    let (below, above) = (magnitude - numbers[low], numbers[low + 1] - magnitude)
    let roundsUp = above < below || (above == below && low % 2 == 1)
    return sign | UInt8(roundsUp ? low + 1 : low)
  }
}
