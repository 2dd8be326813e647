/// A number for each scalar, in blocks of 128: blocks of one value are kept once.
package struct ScalarTable<Value: FixedWidthInteger & Sendable>: Sendable {
  private var blocks: [UInt16] = []
  private var values: [Value] = []
  private let beyond: Value

  private static var blockSize: Int { 128 }

  /// - Parameters:
  ///   - runs: One after the other, from scalar 0 on.
  ///   - beyond: The value of what lies after the last run.
  init(_ runs: some Sequence<(scalars: Range<UInt32>, value: UInt32)>, beyond: Value) {
    self.beyond = beyond
    var uniform: [Value: UInt16] = [:]
    var pending: [Value] = []
    for (scalars, value) in runs {
      let value = Value(truncatingIfNeeded: value)
      var remaining = scalars.count
      while remaining > 0 {
        if pending.isEmpty, remaining >= Self.blockSize {
          let block = uniform[value] ?? append([Value](repeating: value, count: Self.blockSize))
          uniform[value] = block
          blocks.append(contentsOf: repeatElement(block, count: remaining / Self.blockSize))
          remaining %= Self.blockSize
          continue
        }
        let count = min(remaining, Self.blockSize - pending.count)
        pending.append(contentsOf: repeatElement(value, count: count))
        remaining -= count
        if pending.count == Self.blockSize {
          blocks.append(append(pending))
          pending.removeAll(keepingCapacity: true)
        }
      }
    }
    guard !pending.isEmpty else { return }
    blocks.append(append(pending + repeatElement(beyond, count: Self.blockSize - pending.count)))
  }

  private mutating func append(_ block: [Value]) -> UInt16 {
    values += block
    return UInt16(truncatingIfNeeded: values.count / Self.blockSize - 1)
  }

  /// - Complexity: two loads.
  @inline(__always)
  package subscript(scalar: UInt32) -> Value {
    let block = Int(scalar >> 7)
    return block < blocks.count ? values[Int(blocks[block]) << 7 | Int(scalar & 127)] : beyond
  }
}

package typealias ScalarMap = ScalarTable<UInt8>
