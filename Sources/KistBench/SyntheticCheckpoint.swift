import KistCheckpoints
import KistCore

/// Writes a checkpoint whose bf16 values are like weights; no two chunks are equal.
///
/// - Returns: Bytes of the file.
func writeSynthetic(_ path: String, _ tensors: [SafetensorsHeader.Description]) throws -> Int {
  let layout = try SafetensorsHeader.layOut(tensors, metadata: [.init(key: "format", value: "pt")])
  let partByteCount = 64 << 20
  let parts = layout.order.flatMap { place in
    stride(from: place.range.lowerBound, to: place.range.upperBound, by: partByteCount).map {
      $0..<min($0 + partByteCount, place.range.upperBound)
    }
  }
  // Each part is another window of one pool of numbers.
  let pool = unsafe syntheticPool(partByteCount + parts.count * 4098)
  defer { unsafe pool.deallocate() }
  let file = try NewFile(target: path)
  try file.output.write(layout.bytes, at: 0)
  for (index, part) in parts.enumerated() {
    let start = index * 4098
    unsafe try file.output.write(
      UnsafeRawBufferPointer(rebasing: pool[start..<start + part.count]), at: part.lowerBound)
  }
  try file.commit(replacing: false)
  return layout.fileByteCount
}

/// Sums of uniform numbers, cut to bf16: near enough to normal for an entropy coder.
private func syntheticPool(_ byteCount: Int) -> UnsafeRawBufferPointer {
  let pool = UnsafeMutableRawBufferPointer.allocate(byteCount: byteCount, alignment: 64)
  var state: UInt64 = 1
  for index in 0..<byteCount / 2 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    let x = state ^ state >> 29
    let sum = Int32(x & 0xFFFF) + Int32(x >> 16 & 0xFFFF) + Int32(x >> 32 & 0xFFFF) + Int32(x >> 48) - 131_070
    let value = Float(sum) * 6e-7
    unsafe pool.storeBytes(
      of: UInt16(truncatingIfNeeded: value.bitPattern >> 16), toByteOffset: 2 * index, as: UInt16.self)
  }
  return UnsafeRawBufferPointer(pool)
}
