import KistCheckpoints
import KistCore

/// A few tensors as the bytes of a safetensors file.
struct TensorBundle {
  private var tensors: [(description: SafetensorsHeader.Description, bytes: [UInt8])] = []
  private var metadata: [SafetensorsHeader.MetadataItem] = []

  mutating func add(_ name: String, _ shape: [Int], _ values: [Float]) {
    add(name, .f32, shape, values.littleEndianBytes)
  }

  mutating func add(_ name: String, _ values: [Int]) {
    add(name, .i64, [values.count], values.flatMap { littleEndian(UInt64(bitPattern: Int64($0))) })
  }

  mutating func add(key: String, _ value: String) {
    metadata.append(SafetensorsHeader.MetadataItem(key: key, value: value))
  }

  private mutating func add(_ name: String, _ dtype: DType, _ shape: [Int], _ bytes: [UInt8]) {
    tensors.append((SafetensorsHeader.Description(name: name, dtype: dtype, shape: Shape(shape)), bytes))
  }

  /// - Throws: `unsupported` when the header would be too long.
  func encoded() throws(KistError) -> [UInt8] {
    let layout = try SafetensorsHeader.layOut(tensors.map(\.description), metadata: metadata)
    return layout.order.reduce(into: layout.bytes) { $0 += tensors[$1.index].bytes }
  }

  private func littleEndian<Number: FixedWidthInteger>(_ value: Number) -> [UInt8] {
    (0..<MemoryLayout<Number>.size).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }
}

extension [Float] {
  var littleEndianBytes: [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 4 * count)
    unsafe bytes.withUnsafeMutableBytes { buffer in
      for (index, value) in enumerated() {
        unsafe buffer.storeBytes(of: value.bitPattern.littleEndian, toByteOffset: 4 * index, as: UInt32.self)
      }
    }
    return bytes
  }
}

/// The tensors of a safetensors file in memory.
struct TensorBundleReader {
  private let header: SafetensorsHeader
  private let bytes: [UInt8]

  /// - Throws: `damaged` when the bytes are no safetensors file.
  init(_ bytes: [UInt8]) throws(KistError) {
    self.bytes = bytes
    header = try unsafe SafetensorsHeader(bytes.span.bytes)
  }

  func metadata(_ key: String) -> String? { header.metadata.first { $0.key.utf8.elementsEqual(key.utf8) }?.value }

  func shape(_ name: String) -> [Int]? { tensor(name)?.shape.dimensions }

  func floats(_ name: String) -> [Float]? {
    guard let tensor = tensor(name), tensor.dtype == .f32 else { return nil }
    return unsafe bytes[tensor.range].withUnsafeBytes { unsafe $0.numbers(UInt32.self) }.map { Float(bitPattern: $0) }
  }

  func integers(_ name: String) -> [Int]? {
    guard let tensor = tensor(name), tensor.dtype == .i64 else { return nil }
    return unsafe bytes[tensor.range].withUnsafeBytes { unsafe $0.numbers(Int64.self) }.map {
      Int(truncatingIfNeeded: $0)
    }
  }

  private func tensor(_ name: String) -> SafetensorsHeader.Tensor? {
    header.tensors.first { $0.name.utf8.elementsEqual(name.utf8) }
  }
}
