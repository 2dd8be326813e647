import KistCore

/// One element of a tensor, exactly.
public enum TensorValue: Sendable, Equatable {
  case bool(Bool)
  case integer(Int128)
  case float(Double)
  case complex(Double, Double)
}

/// Reads single elements of a tensor, a window of its content at a time: reading in order decodes nothing twice.
final class TensorWindow {
  let dtype: DType
  private let tensor: CheckpointTensor
  private let elementCount: Int
  private var bytes: [UInt8] = []
  /// The elements that `bytes` holds.
  private var window = 0..<0
  /// The unit that was read last, and its numbers: the elements of a block are mostly asked for one after the other.
  private var unit: (index: Int, numbers: [Double])?

  /// - Throws: `unsupported` when the dtype is not known.
  init(_ tensor: CheckpointTensor, file: String) throws(KistError) {
    guard let dtype = tensor.dtype else {
      throw KistError(
        .unsupported, file: file, field: "'\(tensor.name)'", "has a dtype that this Kist does not know",
        advice: "use a newer Kist")
    }
    self.tensor = tensor
    self.dtype = dtype
    elementCount = tensor.elementCount
  }

  /// The element at a place in row-major order.
  func value(at element: Int) throws(KistError) -> TensorValue {
    try moveWindow(to: element)
    let bits = dtype.bitsPerElement
    let first = (element - window.lowerBound) * bits / 8
    switch dtype.numbers {
    case .boolean: return .bool(bytes[first] != 0)
    case .unsigned: return .integer(Int128(pattern(first, bits / 8)))
    case .signed: return .integer(Int128(Int64(bitPattern: pattern(first, bits / 8) << (64 - bits)) >> (64 - bits)))
    case .float, .ieee, .blocks: return .float(numbers(around: element)[element % dtype.unitElementCount])
    case .complex:
      let parts = numbers(around: element)
      return .complex(parts[0], parts[1])
    }
  }

  /// Hands on the bytes of adjacent elements, of a dtype with whole bytes, in order and piece by piece.
  func copyBytes(
    of elements: Range<Int>, to body: (UnsafeRawBufferPointer) throws(KistError) -> Void
  ) throws(KistError) {
    var element = elements.lowerBound
    while element < elements.upperBound {
      try moveWindow(to: element)
      let end = min(window.upperBound, elements.upperBound)
      let size = dtype.bitsPerElement / 8
      let part = (element - window.lowerBound) * size..<(end - window.lowerBound) * size
      let result = unsafe bytes.withUnsafeBytes { all in
        Result { () throws(KistError) in unsafe try body(UnsafeRawBufferPointer(rebasing: all[part])) }
      }
      try result.get()
      element = end
    }
  }

  /// The same, widened to F32; for dtypes that F32 holds exactly.
  func copyF32(of elements: Range<Int>, to body: ([Float]) throws(KistError) -> Void) throws(KistError) {
    for start in stride(from: elements.lowerBound, to: elements.upperBound, by: numbersPerBlock) {
      var values: [Float] = []
      for element in start..<min(start + numbersPerBlock, elements.upperBound) {
        if case .float(let value) = try value(at: element) { values.append(Float(value)) }
      }
      try body(values)
    }
  }

  private func moveWindow(to element: Int) throws(KistError) {
    guard !window.contains(element) else { return }
    let size = dtype.elementsPerPiece
    let start = element / size * size
    let piece = TensorPiece(tensor: 0, elements: start..<min(start + size, elementCount))
    tensor.release(TensorPiece(tensor: 0, elements: window))
    bytes.removeAll(keepingCapacity: true)
    window = 0..<0
    unsafe try tensor.source.withBytes(piece.bytes(of: dtype)) { source throws(KistError) in
      unsafe bytes.append(contentsOf: source)
    }
    window = piece.elements
  }

  /// Little-endian bytes as a number.
  private func pattern(_ first: Int, _ count: Int) -> UInt64 {
    bytes[first..<first + count].reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }

  /// The numbers of the unit that holds an element.
  private func numbers(around element: Int) -> [Double] {
    let index = element / dtype.unitElementCount
    if let unit, unit.index == index { return unit.numbers }
    let start = (element - window.lowerBound) / dtype.unitElementCount * dtype.unitByteCount
    let numbers = unsafe bytes[start..<min(start + dtype.unitByteCount, bytes.count)].withUnsafeBytes { bytes in
      let numbers = unsafe Numbers(dtype: dtype, bytes: bytes)
      return unsafe [Double](unsafeUninitializedCapacity: numbersPerBlock) { buffer, count in
        count = unsafe buffer.baseAddress.map { unsafe numbers.widen(from: 0, into: $0) } ?? 0
      }
    }
    unit = (index, numbers)
    return numbers
  }
}
