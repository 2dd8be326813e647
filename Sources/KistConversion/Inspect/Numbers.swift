import CKernels
import KistCore
import KistQuantization

/// Numbers that are crunched at a time: 8 KiB of f64, which stay in the nearest cache. The order of summation follows
/// from it, so another value gives (slightly) other statistics.
let numbersPerBlock = 1024

/// A run of bytes of one dtype, to be read as f64.
///
/// Numbers are elements, but for complex dtypes, where real and imaginary part are a number each. Integers of 64 bits
/// are rounded to the nearest f64; every other dtype is read exactly.
@unsafe struct Numbers {
  let dtype: DType
  let bytes: UnsafeRawBufferPointer

  var count: Int {
    unsafe bytes.count / dtype.unitByteCount * dtype.unitElementCount * dtype.numbersPerElement
  }

  /// Widens the numbers from `start`, a multiple of ``numbersPerBlock``, on.
  ///
  /// - Returns: how many there were, at most ``numbersPerBlock``.
  func widen(from start: Int, into values: UnsafeMutablePointer<Double>) -> Int {
    let count = unsafe min(count - start, numbersPerBlock)
    guard count > 0, let base = unsafe bytes.baseAddress else { return 0 }
    let source = unsafe base + start * dtype.bitsPerNumber / 8
    switch unsafe dtype {
    case .f32, .c64: unsafe kist_widen_f32(source, count, values)
    case .bf16: unsafe kist_widen_bf16(source, count, values)
    case .f16: unsafe kist_widen_f16(source, count, values)
    case .f64: unsafe widen(source, count, as: UInt64.self, values) { Double(bitPattern: $0) }
    case .bool: unsafe widen(source, count, as: UInt8.self, values) { $0 == 0 ? 0 : 1 }
    case .u8: unsafe widen(source, count, as: UInt8.self, values) { Double($0) }
    case .i8: unsafe widen(source, count, as: Int8.self, values) { Double($0) }
    case .u16: unsafe widen(source, count, as: UInt16.self, values) { Double($0) }
    case .i16: unsafe widen(source, count, as: Int16.self, values) { Double($0) }
    case .u32: unsafe widen(source, count, as: UInt32.self, values) { Double($0) }
    case .i32: unsafe widen(source, count, as: Int32.self, values) { Double($0) }
    case .u64: unsafe widen(source, count, as: UInt64.self, values) { Double($0) }
    case .i64: unsafe widen(source, count, as: Int64.self, values) { Double($0) }
    default: unsafe widenThroughF32(from: start, count, into: values)
    }
    return count
  }

  @inline(__always)
  private func widen<Number: FixedWidthInteger & BitwiseCopyable>(
    _ source: UnsafeRawPointer, _ count: Int, as type: Number.Type, _ values: UnsafeMutablePointer<Double>,
    _ convert: (Number) -> Double
  ) {
    for index in 0..<count {
      let number = unsafe source.loadUnaligned(fromByteOffset: index * MemoryLayout<Number>.size, as: type)
      unsafe values[index] = convert(Number(littleEndian: number))
    }
  }

  /// Whole units, of which ``numbersPerBlock`` is a multiple, of dtypes whose values f32 holds exactly.
  private func widenThroughF32(from start: Int, _ count: Int, into values: UnsafeMutablePointer<Double>) {
    let decoder = unsafe RowDecoders.decoder(of: dtype)
    guard let base = unsafe bytes.baseAddress else { return }
    let source = unsafe base + decoder.byteCount(of: start)
    unsafe withUnsafeTemporaryAllocation(of: Float.self, capacity: numbersPerBlock) { floats in
      guard let output = floats.baseAddress else { return }
      unsafe decoder.decode(source, count: count, into: output)
      for index in 0..<count { unsafe values[index] = Double(output[index]) }
    }
  }
}

/// Decoders, made once: one has a table.
private enum RowDecoders {
  private static let decoders = Dictionary(
    uniqueKeysWithValues: DType.all.compactMap { dtype in RowDecoder(dtype).map { (dtype, $0) } })

  static func decoder(of dtype: DType) -> RowDecoder {
    guard let decoder = decoders[dtype] else { preconditionFailure("\(dtype) has no decoder") }
    return decoder
  }
}

extension DType {
  /// 2 for complex dtypes, else 1.
  var numbersPerElement: Int { numbers == .complex ? 2 : 1 }
  var bitsPerNumber: Int { bitsPerElement / numbersPerElement }

  /// Elements that are read at a time: as many as a chunk of a container holds, so that none is decoded twice.
  var elementsPerPiece: Int { (1 << 20) / unitByteCount * unitElementCount }
}

/// A range of elements of one of several tensors: a piece of work.
struct TensorPiece: Sendable {
  var tensor: Int
  var elements: Range<Int>

  /// The bytes of the elements, which begin at a whole unit.
  func bytes(of dtype: DType) -> Range<Int> {
    elements.lowerBound / dtype.unitElementCount
      * dtype.unitByteCount..<(elements.upperBound + dtype.unitElementCount - 1) / dtype.unitElementCount
      * dtype.unitByteCount
  }

  /// All pieces of tensors, given one by one.
  static func all(
    of tensors: [(elementCount: Int, elementsPerPiece: Int)]
  ) -> () throws(KistError) -> TensorPiece? {
    var (tensor, start) = (0, 0)
    return { () throws(KistError) -> TensorPiece? in
      while tensor < tensors.count, start >= tensors[tensor].elementCount { (tensor, start) = (tensor + 1, 0) }
      guard tensor < tensors.count else { return nil }
      let end = min(start + tensors[tensor].elementsPerPiece, tensors[tensor].elementCount)
      defer { start = end }
      return TensorPiece(tensor: tensor, elements: start..<end)
    }
  }
}
