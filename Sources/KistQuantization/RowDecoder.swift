import CKernels
import KistCore

/// Reads elements of any dtype that holds real numbers as f32.
///
/// Exact for every block type and every format of at most 24 significant bits; F64 and wider integers are rounded to the
/// nearest f32. BOOL is 0 or 1. May be used from several threads at a time; allocates nothing after it is made.
///
/// ```swift
/// guard let decoder = RowDecoder(tensor.dtype) else { … }  // once per tensor
/// unsafe decoder.decode(rowBytes, count: rowLength * rows, into: tile)
/// ```
public struct RowDecoder: Sendable {
  @safe private enum Method: Sendable {
    case blocks(BlockCodec)
    case copy
    case kernel(@Sendable (UnsafeRawPointer, Int, UnsafeMutablePointer<Float>) -> Void)
    /// The value of every bit pattern of at most 8 bits.
    case table([Float])
  }

  public let dtype: DType
  private let method: Method

  /// - Returns: nil when the numbers are complex.
  public init?(_ dtype: DType) {
    guard let method = RowDecoder.method(dtype) else { return nil }
    self.dtype = dtype
    self.method = method
  }

  private static func method(_ dtype: DType) -> Method? {
    if let codec = BlockCodec(dtype) { return .blocks(codec) }
    switch dtype {
    case .f32: return .copy
    case .f16: return unsafe .kernel { unsafe kist_f16_to_f32($0, $1, $2) }
    case .bf16: return unsafe .kernel { unsafe kist_bf16_to_f32($0, $1, $2) }
    case .f64: return unsafe .kernel { unsafe widen($0, $1, UInt64.self, $2) { Float(Double(bitPattern: $0)) } }
    case .bool: return unsafe .kernel { unsafe widen($0, $1, UInt8.self, $2) { $0 == 0 ? 0 : 1 } }
    case .u8: return unsafe .kernel { unsafe widen($0, $1, UInt8.self, $2) { Float($0) } }
    case .i8: return unsafe .kernel { unsafe widen($0, $1, Int8.self, $2) { Float($0) } }
    case .u16: return unsafe .kernel { unsafe widen($0, $1, UInt16.self, $2) { Float($0) } }
    case .i16: return unsafe .kernel { unsafe widen($0, $1, Int16.self, $2) { Float($0) } }
    case .u32: return unsafe .kernel { unsafe widen($0, $1, UInt32.self, $2) { Float($0) } }
    case .i32: return unsafe .kernel { unsafe widen($0, $1, Int32.self, $2) { Float($0) } }
    case .u64: return unsafe .kernel { unsafe widen($0, $1, UInt64.self, $2) { Float($0) } }
    case .i64: return unsafe .kernel { unsafe widen($0, $1, Int64.self, $2) { Float($0) } }
    default:
      guard case .float(let format) = dtype.numbers, dtype.bitsPerElement <= 8 else { return nil }
      return .table((0..<1 << dtype.bitsPerElement).map { format.decode(UInt16($0)) })
    }
  }

  /// Bytes of `count` elements, a multiple of `dtype.unitElementCount`.
  public func byteCount(of count: Int) -> Int { count / dtype.unitElementCount * dtype.unitByteCount }

  /// Widens `count` elements, a multiple of `dtype.unitElementCount`, that begin at a whole unit.
  ///
  /// - Parameters:
  ///   - source: `byteCount(of: count)` bytes, at any address.
  ///   - values: `count` numbers, overwritten.
  public func decode(_ source: UnsafeRawPointer, count: Int, into values: UnsafeMutablePointer<Float>) {
    switch method {
    case .blocks(let codec):
      let blocks = unsafe UnsafeRawBufferPointer(start: source, count: byteCount(of: count))
      unsafe codec.dequantize(blocks: blocks, into: values)
    case .copy: unsafe UnsafeMutableRawPointer(values).copyMemory(from: source, byteCount: 4 * count)
    case .kernel(let kernel): unsafe kernel(source, count, values)
    case .table(let table): unsafe lookUp(table, source, count, values)
    }
  }

  /// The first element lies in the lowest bits of its byte.
  private func lookUp(
    _ table: [Float], _ source: UnsafeRawPointer, _ count: Int, _ values: UnsafeMutablePointer<Float>
  ) {
    let bits = dtype.bitsPerElement
    let mask = 1 << bits - 1
    for index in 0..<count {
      let (byte, shift) = (index * bits / 8, index * bits % 8)
      var pattern = unsafe Int(source.load(fromByteOffset: byte, as: UInt8.self)) >> shift
      if shift + bits > 8 {
        pattern |= unsafe Int(source.load(fromByteOffset: byte + 1, as: UInt8.self)) << (8 - shift)
      }
      unsafe values[index] = table[pattern & mask]
    }
  }
}

@inline(__always)
private func widen<Number: FixedWidthInteger & BitwiseCopyable>(
  _ source: UnsafeRawPointer, _ count: Int, _ type: Number.Type, _ values: UnsafeMutablePointer<Float>,
  _ convert: (Number) -> Float
) {
  for index in 0..<count {
    let number = unsafe source.loadUnaligned(fromByteOffset: index * MemoryLayout<Number>.size, as: type)
    unsafe values[index] = convert(Number(littleEndian: number))
  }
}
